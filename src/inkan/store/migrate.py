"""Bringing a database to the schema that this version of the program knows.

Alembic is needed to upgrade and not to serve: whether a schema is current is one plain query, and the newest
revision is the name of the last version file. On PostgreSQL Alembic only writes the script, which then runs on
asyncpg in one transaction under an advisory lock, so that no second driver is needed and two processes that
start together do not upgrade twice.
"""

import asyncio
import io
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO

from sqlalchemy import StaticPool, create_engine

from inkan.kernel.errors import Unavailable
from inkan.store.connect import is_sqlite, sqlite_path
from inkan.store.database import StoreDamaged
from inkan.store.sqlite import make_private

PLATFORM: Final = Path(__file__).parent.parent / "migrations"
"""The platform's own history; an app passes the folder that holds its ``versions``."""

_CURRENT: Final = "SELECT version_num FROM alembic_version"


class SchemaOutdated(Unavailable):
    """The database lacks a migration that this version of the program needs."""

    code = "schema_outdated"
    title = "The database has to be upgraded first"


class SchemaUnknown(Unavailable):
    """The database was upgraded by a newer version of the program."""

    code = "schema_unknown"
    title = "The database is newer than this program"


def head(folder: Path = PLATFORM) -> str:
    """The newest revision: revisions are named like their files, numbered in one chain."""
    return max(path.stem for path in (folder / "versions").glob("[0-9]*.py"))


def current(url: str) -> str | None:
    """The revision of a database, or None for an empty one. Blocks: from a coroutine, in a thread.

    Raises:
        StoreUnreachable, StoreDamaged: there is no answer.
    """
    return _current_of_file(sqlite_path(url)) if is_sqlite(url) else _current_of_server(url)


def check(url: str, *, folder: Path = PLATFORM) -> None:
    """Make sure that the database has the newest revision.

    Raises:
        SchemaOutdated, SchemaUnknown: it is behind or ahead of this program.
        StoreUnreachable, StoreDamaged: there is no answer.
    """
    found, wanted = current(url), head(folder)
    if found is None or found < wanted:
        raise SchemaOutdated(f"it is at {found}, this program needs {wanted}")
    if found > wanted:
        raise SchemaUnknown(f"it is at {found}, this program knows up to {wanted}")


def upgrade(url: str, *, to: str = "head", folder: Path = PLATFORM) -> None:
    """Bring the database to a revision, in one transaction; nothing happens when it is there already.

    Blocks, and imports Alembic (about a third of a second): from a coroutine, in a thread.

    Raises:
        SchemaUnknown: the database is ahead of this program.
        StoreUnreachable, StoreDamaged: it cannot be reached.
    """
    if to == "head":
        to = head(folder)
    found = current(url)
    if found == to:
        return
    if found is not None and found > head(folder):
        raise SchemaUnknown(f"it is at {found}, this program knows up to {head(folder)}")
    if is_sqlite(url):
        _upgrade_file(sqlite_path(url), to=to, folder=folder)
    else:
        _upgrade_server(url, to=to, folder=folder)


def _current_of_file(path: Path) -> str | None:
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            known = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'")
            row = connection.execute(_CURRENT).fetchone() if known.fetchone() else None
        except sqlite3.Error as error:
            raise StoreDamaged(f"{path}: {error}") from error
    return row[0] if row else None


def _upgrade_file(path: Path, *, to: str, folder: Path) -> None:
    from alembic import command  # noqa: PLC0415 - takes a third of a second, and serving never needs it

    make_private(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA journal_mode=WAL")
        raw.execute("PRAGMA busy_timeout=30000")
        engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)
        with engine.connect() as connection:
            # Two processes that start together: the second waits here and then finds nothing to do
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(_config(folder, connection=connection), to)
            _verify_references(raw)
            connection.commit()


def _verify_references(connection: sqlite3.Connection) -> None:
    """Batch operations rebuild tables while references are unchecked; look at them before COMMIT."""
    orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    if orphans:
        raise StoreDamaged(f"the upgrade would leave {len(orphans)} rows without their parents")


def _current_of_server(url: str) -> str | None:
    from inkan.store.postgresql.migrations import current_revision  # noqa: PLC0415 - an extra

    return asyncio.run(current_revision(url))


def _upgrade_server(url: str, *, to: str, folder: Path) -> None:
    from inkan.store.postgresql.migrations import run_script  # noqa: PLC0415 - an extra

    asyncio.run(run_script(url, partial(_script, to=to, folder=folder)))


def _script(found: str | None, *, to: str, folder: Path) -> str:
    """The statements from one revision to another, for PostgreSQL."""
    from alembic import command  # noqa: PLC0415 - see above

    if found == to:
        return ""
    script = io.StringIO()
    command.upgrade(_config(folder, output_buffer=script), f"{found or 'base'}:{to}", sql=True)
    return script.getvalue()


def _config(folder: Path, *, output_buffer: TextIO | None = None, **attributes: Any) -> Any:
    from alembic.config import Config  # noqa: PLC0415 - see above

    config = Config(output_buffer=output_buffer, attributes=attributes)
    config.set_main_option("script_location", str(PLATFORM))
    config.set_main_option("version_locations", str(folder / "versions"))
    config.set_main_option("path_separator", "newline")
    return config
