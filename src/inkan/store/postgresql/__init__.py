"""PostgreSQL behind the store's interface; needs the extra ``inkan[postgresql]``."""

from inkan.store.postgresql.transactions import PostgreSQLDatabase

__all__ = ["PostgreSQLDatabase"]
