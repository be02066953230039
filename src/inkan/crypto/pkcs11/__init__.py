"""Keys in a token over PKCS #11: start with :class:`inkan.crypto.pkcs11.provider.TokenKeyProvider`.

The library is imported only here and only when a token is configured; a server without one starts without it.
"""
