"""What an error of SQLite means for the transaction it hit."""

import sqlite3
from collections.abc import Mapping
from typing import Final

from inkan.store.database import RowExists, RowMissing, StoreBusy, StoreDamaged, StoreFull

_REFUSALS: Final[Mapping[int, type[Exception]]] = {
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_IOERR_SHMSIZE: StoreFull,
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: RowExists,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: RowExists,
    sqlite3.SQLITE_CONSTRAINT_ROWID: RowExists,
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: RowMissing,
    sqlite3.SQLITE_CANTOPEN: StoreDamaged,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
    sqlite3.SQLITE_IOERR: StoreDamaged,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
    sqlite3.SQLITE_READONLY: StoreDamaged,
}
_SYNC_FAILED: Final = {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


def refusal_of(error: sqlite3.Error) -> Exception:
    """Return what the caller hears: a refusal by the extended or else the primary code, or the error itself."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return error
    refusal = _REFUSALS.get(code) or _REFUSALS.get(code & 0xFF)
    return error if refusal is None else refusal(str(error))


def is_outcome_unknown(error: sqlite3.Error) -> bool:
    """Whether a failed COMMIT may have reached the disk.

    After a failed fsync the pages may or may not be there, and a second fsync proves nothing.
    """
    return getattr(error, "sqlite_errorcode", None) in _SYNC_FAILED
