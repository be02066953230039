"""Connections to PostgreSQL: a bounded pool without the round trip that asyncpg's own makes at every release."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import asyncpg

from inkan.kernel.clock import Clock, from_microseconds

CONNECT_TIMEOUT_S: Final = 5.0

SETTINGS: Final[Mapping[str, str]] = {
    "application_name": "inkan",
    "timezone": "UTC",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
    # No statement_timeout: it would also cut short a COMMIT that waits for a standby, and PostgreSQL then
    # reports as done what has not been replicated.
    "statement_timeout": "0",
}
READ_SETTINGS: Final = {**SETTINGS, "default_transaction_read_only": "on"}

SKEW_SAMPLES: Final = 3

_SERVER_TIME: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_DURABLE: Final = """
SELECT set_config('synchronous_commit', 'on', false)
WHERE current_setting('synchronous_commit') IN ('off', 'local')
"""


async def connect(url: str, settings: Mapping[str, str]) -> asyncpg.Connection:
    """Return a connection to the server that takes writes, with every COMMIT durable.

    Raises:
        OSError, asyncpg.PostgresError, asyncpg.InternalClientError: it cannot be reached.
    """
    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT_S,
        statement_cache_size=1024,
        max_cached_statement_lifetime=0,
        server_settings=dict(settings),
        target_session_attrs="primary",
    )
    try:
        await connection.execute(_DURABLE)
    except BaseException:
        connection.terminate()
        raise
    return connection


async def measure_skew(connection: asyncpg.Connection) -> timedelta:
    """How far the server's clock is ahead of this machine's; what a round trip could explain counts as none."""
    machine = Clock()
    samples = []
    for _ in range(SKEW_SAMPLES):
        before = machine.wire_now()
        server = from_microseconds(await connection.fetchval(_SERVER_TIME))
        half = (machine.wire_now() - before) / 2
        samples.append((half, server - (before + half)))
    half, skew = min(samples)
    return skew if abs(skew) > half else timedelta(0)


class Pool:
    """At most ``limit`` connections of one kind, opened when first wanted and kept."""

    def __init__(self, url: str, settings: Mapping[str, str], *, limit: int) -> None:
        self._url = url
        self._settings = settings
        self._limit = limit
        self._free = asyncio.Semaphore(limit)
        self._idle: list[asyncpg.Connection] = []

    async def take(self) -> asyncpg.Connection:
        """Return a connection that belongs to the caller until ``give``; waits while all are taken."""
        await self._free.acquire()
        try:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
            return await connect(self._url, self._settings)
        except BaseException:
            self._free.release()
            raise

    def give(self, connection: asyncpg.Connection) -> None:
        """Take the connection back; one that is still inside a transaction is dropped."""
        if connection.is_in_transaction():
            connection.terminate()
        if not connection.is_closed():
            self._idle.append(connection)
        self._free.release()

    async def close(self) -> None:
        """Wait until every connection is back and close them all; the pool can be used again."""
        for _ in range(self._limit):
            await self._free.acquire()
        while self._idle:
            await self._idle.pop().close(timeout=CONNECT_TIMEOUT_S)
        for _ in range(self._limit):
            self._free.release()
