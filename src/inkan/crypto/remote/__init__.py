"""Keys in a signer process: ``server`` is the process that signs, ``client`` the provider that asks it.

Both speak the frames of ``messages`` over a Unix socket. The server reads what it signs; see its docstring.
"""
