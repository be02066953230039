"""Running the scripts that Alembic writes, on asyncpg."""

from collections.abc import Callable
from typing import Final

import asyncpg

from inkan.store.database import StoreUnreachable
from inkan.store.postgresql.connections import SETTINGS, connect
from inkan.store.postgresql.refusals import LOST

LOCK: Final = 0x696E6B616E
"""The key of the advisory lock that upgrades take: "inkan"."""

_KNOWN: Final = "SELECT to_regclass('alembic_version') IS NOT NULL"
_CURRENT: Final = "SELECT version_num FROM alembic_version"


async def current_revision(url: str) -> str | None:
    """The revision of the database, or None for an empty one.

    Raises:
        StoreUnreachable: the server cannot be reached.
    """
    connection = await _connect(url)
    try:
        return await _revision(connection)
    finally:
        await connection.close()


async def run_script(url: str, script: Callable[[str | None], str]) -> None:
    """Run what ``script`` returns for the present revision, in one transaction that excludes its rivals.

    Raises:
        StoreUnreachable: the server cannot be reached.
    """
    connection = await _connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL lock_timeout = 0")
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            # A change that waits long for a table in use would hold up all who come after it
            await connection.execute("SET LOCAL lock_timeout = '5s'")
            if statements := script(await _revision(connection)):
                await connection.execute(statements)
    finally:
        await connection.close()


async def _connect(url: str) -> asyncpg.Connection:
    try:
        return await connect(url, SETTINGS)
    except (*LOST, asyncpg.PostgresError) as error:
        raise StoreUnreachable(type(error).__name__) from None


async def _revision(connection: asyncpg.Connection) -> str | None:
    if not await connection.fetchval(_KNOWN):
        return None
    revision: str | None = await connection.fetchval(_CURRENT)
    return revision
