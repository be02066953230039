"""The database that a URL names."""

from pathlib import Path
from urllib.parse import urlsplit

from inkan.kernel.clock import Clock
from inkan.kernel.errors import Malformed
from inkan.store.bus import Bus
from inkan.store.database import Database
from inkan.store.sqlite import SQLiteDatabase


class StoreURLMalformed(Malformed):
    """Neither ``sqlite:///relative/path``, ``sqlite:////absolute/path`` nor ``postgresql://…``."""

    code = "store_url_malformed"
    title = "This is not the URL of a database"


def database(url: str, *, clock: Clock, bus: Bus | None = None, connections: int = 8) -> Database:
    """Return the database, not yet opened.

    Args:
        url: ``sqlite:///path`` or ``postgresql://user:password@host/name``.
        clock: the instance's clock.
        bus: where wake-up calls go; by default a new one.
        connections: the most that one process opens to PostgreSQL (besides one that listens).

    Raises:
        StoreURLMalformed: any other form.
    """
    if is_sqlite(url):
        return SQLiteDatabase(sqlite_path(url), clock=clock, bus=bus)
    if urlsplit(url).scheme != "postgresql":
        raise StoreURLMalformed
    # asyncpg is an extra: who runs on SQLite need not have it
    from inkan.store.postgresql import PostgreSQLDatabase  # noqa: PLC0415

    return PostgreSQLDatabase(url, clock=clock, bus=bus, connections=connections)


def is_sqlite(url: str) -> bool:
    """Whether the URL names a file."""
    return url.startswith("sqlite:///")


def sqlite_path(url: str) -> Path:
    """The file that a ``sqlite:///`` URL names."""
    return Path(url.removeprefix("sqlite:///"))
