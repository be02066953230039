"""Keys, certificates and signed formats without policy: every setting is an argument, nothing is looked up.

Modules are the public nouns (``from inkan.crypto import jose``). ``workers`` holds the only code that imports
pkilint, pyHanko and lxml; the server process reaches it through the process pool.
"""
