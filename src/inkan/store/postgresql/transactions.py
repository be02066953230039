"""Transactions on PostgreSQL: each a task of its own, READ COMMITTED, repeated when rivals collide.

A caller who goes away leaves its transaction running: cancelling a statement on the wire would leave it to
chance whether the COMMIT was reached.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Final, ParamSpec, TypeVar

import asyncpg

from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_below
from inkan.store.bus import Bus
from inkan.store.database import (
    MOMENT,
    Step,
    StoreClosed,
    StoreOutcomeUnknown,
    StoreUnreachable,
    Wake,
    abandon_body,
    begin_body,
    refused,
)
from inkan.store.plan import DialectName, Misused
from inkan.store.postgresql.connections import READ_SETTINGS, SETTINGS, Pool, measure_skew
from inkan.store.postgresql.notifier import Notifier
from inkan.store.postgresql.refusals import (
    LOST,
    is_outcome_unknown,
    is_worth_repeating,
    refusal_of,
)
from inkan.store.query import ALL, MANY, ONE, Call

T = TypeVar("T")
P = ParamSpec("P")
Body = Callable[[], Step[T]]
Attempt = Callable[[asyncpg.Connection, Body[T]], Awaitable[T]]

TRIES: Final = 7
FIRST_PAUSE_MS: Final = 20
SKEW_REFRESH_S: Final = 60.0

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class PostgreSQLDatabase:
    """A PostgreSQL database shared by any number of processes."""

    dialect: ClassVar[DialectName] = "postgresql"

    def __init__(
        self, url: str, *, clock: Clock, bus: Bus | None = None, connections: int = 8
    ) -> None:
        self.clock = clock
        self.bus = bus or Bus()
        readers = max(1, connections // 4)
        self._writes = Pool(url, SETTINGS, limit=connections - readers)
        self._reads = Pool(url, READ_SETTINGS, limit=readers)
        self._notifier = Notifier(url, self.bus)
        self._skew = timedelta(0)
        self._running: set[asyncio.Task[Any]] = set()
        self._closing = True

    async def open(self) -> None:
        """Connect, measure the server's clock, begin to listen.

        Raises:
            StoreUnreachable: the server cannot be reached or refuses us.
        """
        try:
            await self._measure_skew()
            await self._notifier.open()
        except (*LOST, asyncpg.PostgresError) as error:
            await self._disconnect()
            raise StoreUnreachable(type(error).__name__) from error
        self._skew_task = asyncio.create_task(self._follow_skew())
        self._closing = False

    async def close(self) -> None:
        """Refuse new work, finish what was accepted, disconnect."""
        if self._closing:
            return
        self._closing = True
        self._skew_task.cancel()
        await asyncio.gather(self._skew_task, *self._running, return_exceptions=True)
        await self._disconnect()

    def now(self) -> datetime:
        """The time of the database's server plus the instance's offset."""
        return self.clock.now() + self._skew

    def transact(
        self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """See :class:`inkan.store.database.Database`."""
        if self._closing:
            return refused()
        task = asyncio.get_running_loop().create_task(
            self._repeat(self._writes, self._transaction, partial(begin_body, body, args, kwargs))
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return asyncio.shield(task)

    async def read(self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """See :class:`inkan.store.database.Database`."""
        self._check_open()
        return await self._repeat(self._reads, self._look, partial(begin_body, body, args, kwargs))

    async def scan(self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """See :class:`inkan.store.database.Database`."""
        self._check_open()
        return await self._repeat(
            self._reads, self._snapshot, partial(begin_body, body, args, kwargs)
        )

    def _check_open(self) -> None:
        if self._closing:
            raise StoreClosed

    async def _repeat(self, pool: Pool, attempt: Attempt[T], body: Body[T]) -> T:
        """Make the attempt until it succeeds, is refused for good or has been refused too often."""
        tried = 0
        while True:
            try:
                return await self._on_connection(pool, attempt, body)
            except Exception as refusal:
                tried += 1
                if tried == TRIES or not is_worth_repeating(refusal):
                    raise
            pause_ms = FIRST_PAUSE_MS << (tried - 1)
            await asyncio.sleep((pause_ms + random_below(pause_ms)) / 1500)

    async def _on_connection(self, pool: Pool, attempt: Attempt[T], body: Body[T]) -> T:
        try:
            connection = await pool.take()
        except (*LOST, asyncpg.PostgresError) as error:
            raise refusal_of(error, connected=False) from None
        try:
            return await attempt(connection, body)
        except (*LOST, asyncpg.PostgresError) as error:
            raise refusal_of(error, connected=not connection.is_closed()) from None
        finally:
            pool.give(connection)

    async def _transaction(self, connection: asyncpg.Connection, body: Body[T]) -> T:
        runner = _Runner(connection, self.now, writes=True)
        await connection.execute("BEGIN")
        try:
            value = await runner.run(body())
        except BaseException:
            await _roll_back(connection)
            raise
        try:
            await connection.execute("COMMIT")
        except (*LOST, asyncpg.PostgresError) as error:
            if is_outcome_unknown(error):
                raise StoreOutcomeUnknown(type(error).__name__) from None
            raise
        self._publish(runner.topics)
        return value

    async def _look(self, connection: asyncpg.Connection, body: Body[T]) -> T:
        return await _Runner(connection, self.now, writes=False).run(body())

    async def _snapshot(self, connection: asyncpg.Connection, body: Body[T]) -> T:
        await connection.execute(_SNAPSHOT)
        try:
            return await self._look(connection, body)
        finally:
            await _roll_back(connection)

    def _publish(self, topics: Sequence[str]) -> None:
        if topics:
            self.bus.publish(topics)
            self._notifier.send(topics)

    async def _disconnect(self) -> None:
        await self._notifier.close()
        await self._writes.close()
        await self._reads.close()

    async def _measure_skew(self) -> None:
        connection = await self._writes.take()
        try:
            self._skew = await measure_skew(connection)
        finally:
            self._writes.give(connection)

    async def _follow_skew(self) -> None:
        while True:
            await asyncio.sleep(SKEW_REFRESH_S)
            try:
                await self._measure_skew()
            except (*LOST, asyncpg.PostgresError):
                # The transactions themselves tell that the server is away
                continue


class _Runner:
    """Drives one body on one connection; the caller minds the transaction."""

    def __init__(
        self, connection: asyncpg.Connection, now: Callable[[], datetime], *, writes: bool
    ) -> None:
        self._connection = connection
        self._clock_now = now
        self._writes = writes
        self._moment: datetime | None = None
        self.topics: list[str] = []

    async def run(self, steps: Step[T]) -> T:
        """Return what the body returns."""
        try:
            asked = next(steps)
            while True:
                asked = steps.send(
                    await self._call(asked) if type(asked) is Call else self._answer(asked)
                )
        except StopIteration as end:
            value: T = end.value
            return value
        except Exception as error:
            refusal = refusal_of(error, connected=not self._connection.is_closed())
            abandon_body(steps, refusal)
            if refusal is error:
                raise
            raise refusal from None
        except BaseException:
            steps.close()
            raise

    def _answer(self, asked: object) -> datetime | None:
        if asked is MOMENT:
            return self._now()
        if type(asked) is Wake and self._writes:
            self.topics.append(asked.topic)
            return None
        raise Misused(f"a body may not yield {asked!r} here")

    async def _call(self, call: Call) -> Any:
        connection = self._connection
        plan = call.query.plan("postgresql")
        if plan.writes and not self._writes:
            raise Misused(f"a read may not run: {plan.sql}")
        if call.mode is MANY:
            rows = [plan.bind(row, self._now) for row in call.parameters]
            await connection.executemany(plan.sql, rows)
            return None
        arguments = plan.bind(call.parameters, self._now)
        if call.mode is ONE:
            row = await connection.fetchrow(plan.sql, *arguments)
            return None if row is None else plan.row(row)
        if call.mode is ALL:
            return [plan.row(row) for row in await connection.fetch(plan.sql, *arguments)]
        status: str = await connection.execute(plan.sql, *arguments)
        return int(status.rpartition(" ")[2])

    def _now(self) -> datetime:
        if self._moment is None:
            self._moment = self._clock_now()
        return self._moment


async def _roll_back(connection: asyncpg.Connection) -> None:
    """End the transaction; the pool drops a connection on which that fails."""
    with suppress(*LOST, asyncpg.PostgresError):
        await connection.execute("ROLLBACK")
