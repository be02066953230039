"""Transactions on SQLite: one writer thread with group commit, readers on their own connections.

The price of a durable write (WAL, ``synchronous=FULL``) is shared by all who write at the same time. The
engine admits exactly one server process for a file.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar, ParamSpec, TypeVar

from inkan.kernel.clock import Clock
from inkan.store.bus import Bus
from inkan.store.database import Step, StoreClosed, refused
from inkan.store.plan import DialectName
from inkan.store.sqlite.connections import Connect, find_damage, make_private, open_connection
from inkan.store.sqlite.runner import Runner
from inkan.store.sqlite.writer import Job, Writer

T = TypeVar("T")
P = ParamSpec("P")


class SQLiteDatabase:
    """The embedded database: one file, one process.

    Args:
        path: the file; made when it is missing.
        clock: the instance's clock.
        bus: where wake-up calls go; by default a new one.
        patience: how long to wait for another process that holds the file.
        connect: makes the connections.
    """

    dialect: ClassVar[DialectName] = "sqlite"

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        bus: Bus | None = None,
        patience: timedelta = timedelta(seconds=5),
        connect: Connect = sqlite3.connect,
    ) -> None:
        self.path = path
        self.clock = clock
        self.bus = bus or Bus()
        self._patience = patience
        self._connect = connect
        self._closing = True

    async def open(self) -> None:
        """Make the file (mode 0600) where it is missing, and connect.

        Raises:
            StoreDamaged: the file cannot be opened or is no database.
            StoreBusy: another process holds it.
        """
        make_private(self.path)
        with ExitStack() as opened:
            writing = opened.enter_context(closing(self._connection()))
            reading = opened.enter_context(closing(self._connection(read_only=True)))
            scanning = opened.enter_context(closing(self._connection(read_only=True)))
            opened.pop_all()
        self._writer = Writer(writing, self.clock, self.bus, loop=asyncio.get_running_loop())
        self._reader = Runner(reading, self.clock, writes=False)
        self._scanner = Runner(scanning, self.clock, writes=False)
        self._scans = ThreadPoolExecutor(1, thread_name_prefix="inkan-store-scan")
        self._closing = False
        self._writer.start()

    async def close(self) -> None:
        """Refuse new work, finish what was accepted, fold the log into the file."""
        if self._closing:
            return
        self._closing = True
        await asyncio.to_thread(self._scans.shutdown)
        self._scanner.connection.close()
        self._reader.connection.close()
        await self._writer.finish()

    def now(self) -> datetime:
        """The instance's time; the database is in this process and has no other."""
        return self.clock.now()

    def transact(
        self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """See :class:`inkan.store.database.Database`."""
        return self._writer.submit(Job(body, args, kwargs)) if not self._closing else refused()

    async def read(self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """See :class:`inkan.store.database.Database`.

        Runs in the event loop: a look-up takes about 10 µs, handing it to a thread many times that
        (``bench/store.py``).
        """
        if self._closing:
            raise StoreClosed
        return self._reader.run_and_let_go(body, args, kwargs)

    async def scan(self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """See :class:`inkan.store.database.Database`."""
        if self._closing:
            raise StoreClosed
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._scans, self._scanner.run_in_snapshot, body, args, kwargs
        )

    async def find_damage(self) -> list[str]:
        """Return what SQLite's own checks find wrong with the file; an empty list when it is sound."""
        if self._closing:
            raise StoreClosed
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._scans, find_damage, self._scanner.connection)

    def _connection(self, *, read_only: bool = False) -> sqlite3.Connection:
        return open_connection(
            self._connect, self.path, patience=self._patience, read_only=read_only
        )
