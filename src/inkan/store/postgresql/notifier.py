"""The bus of one process joined to the others' by LISTEN and NOTIFY, outside every transaction."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import asyncpg
import msgspec

from inkan.store.bus import Bus
from inkan.store.postgresql.connections import SETTINGS, connect
from inkan.store.postgresql.refusals import LOST

CHANNEL: Final = "inkan"
BATCH_S: Final = 0.003
RECONNECT_S: Final = 1.0
PAYLOAD_BYTES: Final = 7900
"""PostgreSQL refuses payloads of 8000 bytes."""

_NOTIFY = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"


class Notifier:
    """Sends this process's topics in batches and publishes those of the other processes."""

    def __init__(self, url: str, bus: Bus) -> None:
        self._url = url
        self._bus = bus
        self._waiting: set[str] = set()
        self._filled = asyncio.Event()
        self._connection: asyncpg.Connection | None = None
        self._lost = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Connect and begin to listen and to send."""
        await self._listen()
        self._tasks = [
            asyncio.create_task(self._stay_connected()),
            asyncio.create_task(self._send()),
        ]

    async def close(self) -> None:
        """Send what waits, then disconnect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._flush()
        if self._connection is not None:
            await self._connection.close(timeout=RECONNECT_S)

    def send(self, topics: Iterable[str]) -> None:
        """Let the other processes hear of the topics within a few milliseconds."""
        self._waiting.update(topics)
        self._filled.set()

    async def _listen(self) -> None:
        connection = await connect(self._url, SETTINGS)
        self._lost.clear()
        connection.add_termination_listener(lambda _: self._lost.set())
        try:
            await connection.add_listener(CHANNEL, self._hear)
        except BaseException:
            connection.terminate()
            raise
        self._connection = connection

    async def _stay_connected(self) -> None:
        while True:
            await self._lost.wait()
            try:
                await self._listen()
            except (*LOST, asyncpg.PostgresError):
                await asyncio.sleep(RECONNECT_S)
            else:
                # Calls were missed meanwhile: let everybody look
                self._bus.wake_all()

    async def _send(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(BATCH_S)
            await self._flush()

    async def _flush(self) -> None:
        topics, self._waiting = self._waiting, set()
        self._filled.clear()
        if topics and self._connection is not None and not self._connection.is_closed():
            # A hint that is lost costs its waiter some latency and nothing else
            with suppress(*LOST, asyncpg.PostgresError):
                await self._connection.execute(_NOTIFY, CHANNEL, list(batches(topics)))

    def _hear(self, connection: Any, pid: int, channel: str, payload: str) -> None:
        del channel
        if pid != connection.get_server_pid():
            self._bus.publish(msgspec.json.decode(payload, type=list[str]))


def batches(topics: Iterable[str]) -> Iterator[str]:
    """JSON arrays of topics, each short enough for one notification."""
    batch: list[str] = []
    size = 2
    for topic in topics:
        cost = len(msgspec.json.encode(topic)) + 1
        if batch and size + cost > PAYLOAD_BYTES:
            yield msgspec.json.encode(batch).decode()
            batch, size = [], 2
        batch.append(topic)
        size += cost
    if batch:
        yield msgspec.json.encode(batch).decode()
