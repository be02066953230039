"""SQLite: one writer thread with group commit, readers on their own connections.

The writer takes all bodies that wait, runs each in its own savepoint and makes them durable by one COMMIT
(WAL, ``synchronous=FULL``); only then are the answers delivered. So the price of a durable write is shared by
all who write at the same time, and one failing body neither loses nor doubles its neighbours. The engine admits
exactly one server process for a file.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, ClassVar, Final, ParamSpec, TypeVar

from inkan.kernel.clock import Clock
from inkan.store.bus import Bus
from inkan.store.database import (
    MOMENT,
    RowExists,
    RowMissing,
    Step,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreFull,
    StoreOutcomeUnknown,
    Wake,
    abandon_body,
    begin_body,
    refused,
)
from inkan.store.plan import DialectName, Misused
from inkan.store.query import ALL, MANY, ONE, Call

T = TypeVar("T")
P = ParamSpec("P")
Connect = Callable[..., sqlite3.Connection]

BODIES_PER_COMMIT: Final = 256
"""Bounds how long the first body of a drain waits for its COMMIT (about 10 ms of work)."""

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
        self._writer = _Writer(writing, self.clock, self.bus, loop=asyncio.get_running_loop())
        self._reader = _Runner(reading, self.clock, writes=False)
        self._scanner = _Runner(scanning, self.clock, writes=False)
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
        return self._writer.submit(_Job(body, args, kwargs)) if not self._closing else refused()

    async def read(self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """See :class:`inkan.store.database.Database`.

        Runs in the event loop: a look-up takes about 10 µs, handing it to a thread about 90 (ADR 5).
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
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._scans, _find_damage, self._scanner.connection)

    def _connection(self, *, read_only: bool = False) -> sqlite3.Connection:
        try:
            connection = self._connect(
                self.path,
                timeout=self._patience.total_seconds(),
                isolation_level=None,
                check_same_thread=False,
                cached_statements=1024,
            )
        except sqlite3.Error as error:
            raise _refusal(error) from error
        try:
            for pragma in (*_PRAGMAS, *(("query_only=ON",) if read_only else ())):
                connection.execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            connection.close()
            raise _refusal(error) from error
        return connection


class _Job:
    """A body on its way through the writer."""

    __slots__ = ("args", "body", "error", "future", "kwargs", "topics", "value")

    def __init__(
        self, body: Callable[..., Step[Any]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self.body = body
        self.args = args
        self.kwargs = kwargs
        self.future: asyncio.Future[Any]
        self.value: Any = None
        self.error: BaseException | None = None
        self.topics: Sequence[str] = ()


class _Runner:
    """Runs bodies on one connection, in whatever thread it is called."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, *, writes: bool) -> None:
        self.connection = connection
        # The only cursor: its next statement ends the one before, which would hold the log's old state
        self._cursor = connection.cursor()
        self.execute = self._cursor.execute
        self._clock = clock
        self._writes = writes
        self._moment: datetime | None = None
        self.topics: list[str] = []

    def run(
        self, body: Callable[..., Step[T]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> T:
        """Drive the body to its end and return its value; the caller minds the transaction."""
        self._moment = None
        self.topics = []
        steps = begin_body(body, args, kwargs)
        call, send = self._call, steps.send
        try:
            asked = next(steps)
            while True:
                asked = send(call(asked) if type(asked) is Call else self._answer(asked))
        except StopIteration as end:
            value: T = end.value
            return value
        except sqlite3.Error as error:
            refusal = _refusal(error)
            abandon_body(steps, refusal)
            raise refusal from error
        except BaseException as error:
            abandon_body(steps, error)
            raise

    def run_and_let_go(
        self, body: Callable[..., Step[T]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> T:
        """Like :meth:`run`; afterwards no half-read statement keeps the log from being folded in."""
        try:
            return self.run(body, args, kwargs)
        finally:
            self._cursor.close()
            self._cursor = self.connection.cursor()

    def run_in_snapshot(
        self, body: Callable[..., Step[T]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> T:
        """Like :meth:`run`, with every query on one state of the database."""
        self.execute("BEGIN")
        try:
            return self.run(body, args, kwargs)
        finally:
            self.execute("ROLLBACK")

    def _answer(self, asked: object) -> Any:
        if asked is MOMENT:
            return self._now()
        if type(asked) is Wake and self._writes:
            self.topics.append(asked.topic)
            return None
        raise Misused(f"a body may not yield {asked!r} here")

    def _call(self, call: Call) -> Any:
        plan = call.query.plan("sqlite")
        cursor = self._cursor
        if plan.writes and not self._writes:
            raise Misused(f"a read may not run: {plan.sql}")
        if call.mode is MANY:
            cursor.executemany(plan.sql, [plan.bind(row, self._now) for row in call.parameters])
            return None
        cursor.execute(plan.sql, plan.bind(call.parameters, self._now))
        if call.mode is ONE:
            row = cursor.fetchone()
            return None if row is None else plan.row(row)
        if call.mode is ALL:
            return [plan.row(row) for row in cursor.fetchall()]
        return cursor.rowcount

    def _now(self) -> datetime:
        if self._moment is None:
            self._moment = self._clock.now()
        return self._moment


class _Writer:
    """The one thread that writes."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Clock,
        bus: Bus,
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._runner = _Runner(connection, clock, writes=True)
        self._execute = self._runner.execute
        self._connection = connection
        self._bus = bus
        self._loop = loop
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="inkan-store-writer", daemon=True)
        self._finished: asyncio.Future[None] = loop.create_future()
        self._failed = False

    def start(self) -> None:
        self._thread.start()

    def submit(self, job: _Job) -> asyncio.Future[Any]:
        job.future = self._loop.create_future()
        self._queue.put(job)
        return job.future

    async def finish(self) -> None:
        """Work off the queue, end the thread, close the connection."""
        self._queue.put(None)
        await self._finished
        self._thread.join()

    def _work(self) -> None:
        while True:
            jobs, last = self._drain()
            if jobs:
                self._commit(jobs)
                self._to_loop(self._deliver, jobs)
            if last:
                break
        self._connection.close()
        self._to_loop(self._finished.set_result, None)

    def _drain(self) -> tuple[list[_Job], bool]:
        """Return the bodies that wait now, at least one, and whether the end was asked for."""
        jobs: list[_Job] = []
        job = self._queue.get()
        for _ in range(min(self._queue.qsize(), BODIES_PER_COMMIT - 1)):
            if job is None:
                break
            jobs.append(job)
            job = self._queue.get_nowait()
        if job is not None:
            jobs.append(job)
        return jobs, job is None

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            if self._failed:
                _refuse(
                    jobs, lambda: StoreDamaged("an earlier write did not reach the disk: restart")
                )
            elif len(jobs) == 1 or not self._commit_together(jobs):
                for job in jobs:
                    self._commit_alone(job)
        except sqlite3.Error as error:
            # Not even ROLLBACK works
            self._failed = True
            _refuse(jobs, partial(_refusal, error))

    def _commit_together(self, jobs: list[_Job]) -> bool:
        """Run the bodies in one transaction, each in its savepoint; False when the whole was rolled back.

        Then each has to run again, those that refused included: what they saw of their neighbours is gone.
        """
        execute = self._execute
        if not self._begin(jobs):
            return True
        try:
            for job in jobs:
                execute("SAVEPOINT body")
                self._run(job)
                if job.error is not None:
                    # Raises where a full disk has ended the transaction already, and the neighbours with it
                    execute("ROLLBACK TO body")
                execute("RELEASE body")
            execute("COMMIT")
        except sqlite3.Error as error:
            return self._roll_back(jobs, error)
        return True

    def _commit_alone(self, job: _Job) -> None:
        """Run one body in a transaction of its own, which needs no savepoint."""
        if not self._begin([job]):
            return
        self._run(job)
        try:
            if job.error is None:
                self._execute("COMMIT")
            elif self._connection.in_transaction:
                self._execute("ROLLBACK")
        except sqlite3.Error as error:
            self._roll_back([job], error)

    def _begin(self, jobs: list[_Job]) -> bool:
        try:
            self._execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            _refuse(jobs, partial(_refusal, error))
            return False
        return True

    def _roll_back(self, jobs: list[_Job], error: sqlite3.Error) -> bool:
        """Roll back what could not be committed; True when the bodies must not run again.

        After a failed fsync the pages may or may not be on the disk, and a second fsync proves nothing.
        """
        self._failed = getattr(error, "sqlite_errorcode", None) in _SYNC_FAILED
        _refuse(jobs, StoreOutcomeUnknown if self._failed else partial(_refusal, error))
        if self._connection.in_transaction:
            self._execute("ROLLBACK")
        return self._failed

    def _run(self, job: _Job) -> None:
        job.error = None
        try:
            job.value = self._runner.run(job.body, job.args, job.kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the caller
            job.error = error
        else:
            job.topics = self._runner.topics

    def _to_loop(self, callback: Callable[..., object], argument: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, argument)
        except RuntimeError:
            # The loop is gone, and with it whoever waited
            return

    def _deliver(self, jobs: list[_Job]) -> None:
        for job in jobs:
            if job.error is None:
                self._bus.publish(job.topics)
            # Else its waiter has gone
            if not job.future.done():
                if job.error is None:
                    job.future.set_result(job.value)
                else:
                    job.future.set_exception(job.error)


def _refuse(jobs: Iterable[_Job], refusal: Callable[[], Exception]) -> None:
    for job in jobs:
        job.error = refusal()


def _refusal(error: sqlite3.Error) -> Exception:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return error
    refusal = _REFUSALS.get(code) or _REFUSALS.get(code & 0xFF)
    return error if refusal is None else refusal(str(error))


def make_private(path: Path) -> None:
    """Only the owner reads the file; SQLite gives its log and index the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise StoreDamaged(f"{path}: {error.strerror}") from error


def _find_damage(connection: sqlite3.Connection) -> list[str]:
    try:
        found = [text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"]
        orphans = connection.execute("PRAGMA foreign_key_check").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return found + [
        f"row {rowid} of {table} refers to a missing row of {parent}"
        for table, rowid, parent, _ in orphans
    ]
