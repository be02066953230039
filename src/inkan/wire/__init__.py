"""The versioned byte formats that leave the platform, and the tables that their readers share.

Each format has a builder, a strict parser, a JSON Schema (``schemas/``) and golden vectors
(``tests/vectors/wire``) that the wallet checks in JavaScript too. ``docs/wire.md`` explains them to
implementers. Nothing here knows a database, a request or a key store.
"""
