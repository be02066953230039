"""Work that comes with time: once per interval among all processes, missed runs made up by one.

A schedule says how often something must have been looked at; the work itself asks "is the newest list older
than an hour?" and so heals after any downtime. Whoever leases a due row does the work; a process that dies
meanwhile leaves it to the others when the lease ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import Column, String, Table, bindparam, func, null, or_, select, update

from inkan.kernel.errors import InkanError, Unavailable
from inkan.kernel.ids import new_id
from inkan.store.database import MOMENT, Database, Step
from inkan.store.plan import Row
from inkan.store.query import Query, insert_new, one_of
from inkan.store.schema import NOW, Moment, Span, metadata

TOPIC: Final = "schedules"
LOOK: Final = timedelta(seconds=30)
"""The longest that the runner waits before it looks by itself."""
LONGEST_PAUSE: Final = timedelta(minutes=1)
"""How soon a run that failed is tried again, where its interval is not shorter."""
FIRST_PAUSE_S: Final = 1.0
LEASE_MARGIN: Final = timedelta(seconds=5)

_log = logging.getLogger(__name__)

_schedule = Table(
    "store_schedule",
    metadata,
    Column("name", String, primary_key=True),
    Column("next_due", Moment, nullable=False),
    Column("lease", String, nullable=True),
    Column("lease_until", Moment, nullable=True),
    Column("last_ended_at", Moment, nullable=True),
    Column("last_error", String, nullable=True),
)
_row = _schedule.c
_is_free = or_(_row.lease_until.is_(None), _row.lease_until <= NOW)

_REGISTER = insert_new(_schedule)
_COUNT = Query(select(func.count().label("known")).where(one_of(_row.name, "names")))
_DUE = Query(
    select(_row.name, _row.next_due)
    .where(one_of(_row.name, "names"), _row.next_due <= NOW, _is_free)
    .order_by(_row.next_due)
)
_TAKE = Query(
    update(_schedule)
    .values(lease=bindparam("lease"), lease_until=NOW + bindparam("lease_for", type_=Span))
    .where(_row.name == bindparam("name"), _row.next_due <= NOW, _is_free)
)
_END = Query(
    update(_schedule)
    .values(
        next_due=NOW + bindparam("pause", type_=Span),
        lease=null(),
        lease_until=null(),
        last_ended_at=NOW,
        last_error=bindparam("error", type_=String),
    )
    .where(_row.name == bindparam("name"), _row.lease == bindparam("lease"))
)
_NEXT = Query(
    select(_row.next_due)
    .where(one_of(_row.name, "names"), _is_free)
    .order_by(_row.next_due)
    .limit(1)
)
_ALL = Query(
    select(_row.name, _row.next_due, _row.last_ended_at, _row.last_error).order_by(_row.name)
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """One recurring piece of work.

    Attributes:
        every: the interval from the end of one run to the next.
        work: what is done; it may run twice for one interval and must do no harm then.
        limit: a run is ended after this, before its lease ends.
    """

    every: timedelta
    work: Callable[[], Awaitable[None]]
    limit: timedelta = timedelta(minutes=5)


def schedule_states() -> Step[list[Row]]:
    """Step: name, next_due, last_ended_at and last_error of every schedule, for the status page."""
    rows: list[Row] = yield _ALL.all()
    return rows


class Schedules:
    """A runner of schedules; any number of processes may run the same ones.

    Attributes:
        ended, failed: how many runs succeeded and failed since the start.
    """

    def __init__(self, db: Database, schedules: Mapping[str, Schedule]) -> None:
        self.ended = 0
        self.failed = 0
        self._db = db
        self._schedules = dict(schedules)
        self._lease = new_id("lse")
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._calls = db.bus.subscribe(TOPIC)

    async def run(self) -> None:
        """Run what is due, side by side, until cancelled. A new schedule is due at once."""
        async with self._calls:
            try:
                while True:
                    await self._calls.wait(await self._turn())
            finally:
                await self._stop()

    async def run_due(self) -> list[str]:
        """Run everything that is due now, one after the other; return the names, the longest due first."""
        names = [name for name in await self._due() if name not in self._tasks]
        return [name for name in names if await self._run(name)]

    async def _turn(self) -> float:
        """Start what is due; return the seconds until more is."""
        try:
            for name in await self._due():
                if name not in self._tasks:
                    self._tasks[name] = asyncio.ensure_future(self._run(name))
                    self._tasks[name].add_done_callback(partial(self._forget, name))
            next_due = await self._db.read(
                _next, [n for n in self._schedules if n not in self._tasks]
            )
        except Unavailable as error:
            _log.warning("the schedules wait for the database: %s", error.code)
            return FIRST_PAUSE_S
        if next_due is None:
            return LOOK.total_seconds()
        return max(0.0, min(LOOK, next_due - self._db.now()).total_seconds())

    def _forget(self, name: str, task: asyncio.Task[bool]) -> None:
        del self._tasks[name]
        self._calls.wake()
        if not task.cancelled() and task.exception() is not None:
            _log.error("schedule %s could not be led", name, exc_info=task.exception())

    async def _due(self) -> list[str]:
        names = list(self._schedules)
        due = await self._db.read(_find_due, names)
        if due is None:
            await self._db.transact(_register, names)
            due = await self._db.read(_find_due, names)
        return due or []

    async def _run(self, name: str) -> bool:
        """Lease and run one schedule; False when another process was faster."""
        schedule = self._schedules[name]
        lease_for = schedule.limit + LEASE_MARGIN
        if not await self._db.transact(_take, name, lease=self._lease, lease_for=lease_for):
            return False
        pause = timedelta(0)
        error: str | None = "cancelled"
        try:
            async with asyncio.timeout(schedule.limit.total_seconds()):
                await schedule.work()
        except Exception as failure:  # noqa: BLE001 - the work may fail in any way
            self.failed += 1
            pause, error = min(schedule.every, LONGEST_PAUSE), _name(failure)
            _log.warning("schedule %s failed: %s", name, error, exc_info=failure)
        else:
            self.ended += 1
            pause, error = schedule.every, None
        finally:
            with suppress(Unavailable):
                await self._db.transact(_end, name, lease=self._lease, pause=pause, error=error)
        return True

    async def _stop(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _register(names: list[str]) -> Step[None]:
    moment = yield MOMENT
    for name in names:
        yield _REGISTER.run(
            name=name,
            next_due=moment,
            lease=None,
            lease_until=None,
            last_ended_at=None,
            last_error=None,
        )


def _find_due(names: list[str]) -> Step[list[str] | None]:
    """The names that are due; None when some schedule has no row yet."""
    count = yield _COUNT.one(names=names)
    if count.known < len(names):
        return None
    return [row.name for row in (yield _DUE.all(names=names))]


def _next(names: list[str]) -> Step[datetime | None]:
    row = yield _NEXT.one(names=names)
    next_due: datetime | None = row.next_due if row else None
    return next_due


def _take(name: str, *, lease: str, lease_for: timedelta) -> Step[bool]:
    taken: int = yield _TAKE.run(name=name, lease=lease, lease_for=lease_for)
    return taken == 1


def _end(name: str, *, lease: str, pause: timedelta, error: str | None) -> Step[None]:
    yield _END.run(name=name, lease=lease, pause=pause, error=error)


def _name(failure: Exception) -> str:
    return failure.code if isinstance(failure, InkanError) else type(failure).__name__
