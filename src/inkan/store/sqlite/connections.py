"""Connections to a database file, with all that makes its COMMITs durable."""

import os
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from inkan.store.database import StoreDamaged
from inkan.store.sqlite.refusals import refusal_of

Connect = Callable[..., sqlite3.Connection]

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "wal_autocheckpoint=4000",
    "temp_store=MEMORY",
    "cache_size=-16384",
    "journal_size_limit=67108864",
    "secure_delete=FAST",
    "trusted_schema=OFF",
)


def open_connection(
    connect: Connect, path: Path, *, patience: timedelta, read_only: bool = False
) -> sqlite3.Connection:
    """Return a connection that the thread it is given to may use.

    Raises:
        StoreDamaged: the file cannot be opened or is no database.
        StoreBusy: another process holds it for longer than ``patience``.
    """
    try:
        connection = connect(
            path,
            timeout=patience.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
            cached_statements=1024,
        )
    except sqlite3.Error as error:
        raise refusal_of(error) from error
    try:
        for pragma in (*_PRAGMAS, *(("query_only=ON",) if read_only else ())):
            connection.execute(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        connection.close()
        raise refusal_of(error) from error
    return connection


def make_private(path: Path) -> None:
    """Only the owner reads the file; SQLite gives its log and index the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreDamaged(f"{path}: {error.strerror}") from error


def find_damage(connection: sqlite3.Connection) -> list[str]:
    """Return what SQLite's own checks find wrong with the file."""
    try:
        found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return found + [
        f"row {rowid} of {table} refers to a missing row of {parent}"
        for table, rowid, parent, _ in orphans
    ]
