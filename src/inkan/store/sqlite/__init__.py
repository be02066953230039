"""SQLite behind the store's interface: the embedded database."""

from inkan.store.sqlite.connections import make_private
from inkan.store.sqlite.transactions import SQLiteDatabase

__all__ = ["SQLiteDatabase", "make_private"]
