"""Work that follows a transaction: at least once, in any process, with leases.

A use case writes a job in its own transaction, so that no change is without its consequence and no
consequence without its change. A worker leases due jobs, delivers them to their handlers and deletes them;
one that dies in between leaves its jobs to the next worker when the lease ends. A job that fails comes back
after a growing pause; after its handler's last try it lies among the dead until an operator revives it.

The lease is the due date itself, pushed beyond the lease's end: one index serves waiting, leased and
postponed jobs alike.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    false,
    func,
    null,
    select,
    true,
    update,
)

from inkan.kernel.clock import MICROSECOND
from inkan.kernel.errors import InkanError, Unavailable
from inkan.kernel.ids import new_id, random_below
from inkan.store.database import MOMENT, Database, Step, Wake
from inkan.store.plan import Row
from inkan.store.query import Query, insert_row, one_of, upsert
from inkan.store.schema import NOW, Moment, Span, metadata

T = TypeVar("T")

TOPIC: Final = "outbox"
LEASE: Final = timedelta(seconds=30)
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
LOOK: Final = timedelta(seconds=10)
"""The longest that an idle worker waits before it looks by itself."""
LINGER_S: Final = 0.005
"""How long a worker lets calls gather, so that one turn serves many."""
SIGHT: Final = 256
"""How many due jobs one turn looks at."""

_log = logging.getLogger(__name__)

_outbox = Table(
    "store_outbox",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=True, unique=True),
    Column("payload", LargeBinary, nullable=False),
    Column("due", Moment, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("lease", String, nullable=True),
    Column("again", Boolean, nullable=False),
    Column("enqueued_at", Moment, nullable=False),
    Index(None, "due", "kind"),
)
_dead = Table(
    "store_dead",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("key", String, nullable=True),
    Column("payload", LargeBinary, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("error", String, nullable=False),
    Column("enqueued_at", Moment, nullable=False),
    Column("died_at", Moment, nullable=False),
)
_job = _outbox.c
_mine = (_job.lease == bindparam("lease")) & one_of(_job.id, "ids")

_ENQUEUE = upsert(
    _outbox,
    key=["key"],
    take=["payload"],
    change={"again": true()},
    where=_job.lease.is_not(None),
)
_CANCEL = Query(delete(_outbox).where(_job.key == bindparam("key")))
_DUE = Query(
    select(_job.id, _job.kind)
    .where(_job.due <= NOW, one_of(_job.kind, "kinds"))
    .order_by(_job.due)
    .limit(SIGHT)
    .with_for_update(skip_locked=True)
)
_LEASE = Query(
    update(_outbox)
    .values(lease=bindparam("lease"), due=NOW + LEASE, tries=_job.tries + 1, again=false())
    .where(one_of(_job.id, "ids"), _job.due <= NOW)
    .returning(_job.id, _job.kind, _job.key, _job.payload, _job.tries, _job.enqueued_at)
)
_NEXT = Query(select(_job.due).where(one_of(_job.kind, "kinds")).order_by(_job.due).limit(1))
_DELETE_DELIVERED = Query(delete(_outbox).where(_mine, _job.again == false()))
_REARM = Query(update(_outbox).values(due=NOW, lease=null(), tries=0, again=false()).where(_mine))
_RELEASE = Query(update(_outbox).values(due=NOW, lease=null(), tries=_job.tries - 1).where(_mine))
_POSTPONE = Query(
    update(_outbox)
    .values(due=NOW + bindparam("pause", type_=Span), lease=null())
    .where(_job.id == bindparam("id"), _job.lease == bindparam("lease"))
)
_TAKE_OUT = Query(
    delete(_outbox)
    .where(_job.id == bindparam("id"), _job.lease == bindparam("lease"))
    .returning(_job.kind, _job.key, _job.payload, _job.tries, _job.enqueued_at)
)
_LAY_DOWN = insert_row(_dead)
_DEAD = Query(
    select(_dead.c.id, _dead.c.kind, _dead.c.tries, _dead.c.error, _dead.c.died_at)
    .order_by(_dead.c.died_at)
    .limit(bindparam("limit", type_=Integer))
)
_RAISE = Query(
    delete(_dead)
    .where(_dead.c.id == bindparam("id"))
    .returning(_dead.c.kind, _dead.c.key, _dead.c.payload)
)
_DEPTH = Query(select(func.count().label("waiting"), func.min(_job.enqueued_at).label("oldest")))


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its handler sees it.

    Attributes:
        id: the same at every try, so that a receiver can tell a repetition.
        kind: names the handler.
        key: as it was enqueued.
        payload: as it was enqueued; a Struct as JSON.
        tried: 1 at the first try.
        enqueued_at: when its transaction ran.
    """

    id: str
    kind: str
    key: str | None
    payload: bytes
    tried: int
    enqueued_at: datetime

    def decode(self, kind: type[T]) -> T:
        """Return the payload as the Struct that was enqueued."""
        return msgspec.json.decode(self.payload, type=kind)


@dataclass(frozen=True, slots=True)
class Handler:
    """Who delivers the jobs of one kind, and how hard it tries.

    Attributes:
        deliver: returns when the job is done; anything it raises counts as a failed try. It may see a job
            twice and must do no harm then.
        concurrency: how many jobs of the kind one process delivers at a time.
        tries: after so many a job is dead.
        timeout: a try is ended after this; shorter than the lease.
    """

    deliver: Callable[[Job], Awaitable[None]]
    concurrency: int = 4
    tries: int = 12
    timeout: timedelta = timedelta(seconds=25)

    def __post_init__(self) -> None:
        if self.timeout >= LEASE:
            raise ValueError("a try must end before its lease")


def enqueue(
    kind: str,
    payload: bytes | msgspec.Struct = b"",
    *,
    key: str | None = None,
    due: datetime | None = None,
) -> Step[None]:
    """Step: leave a job for after COMMIT.

    Args:
        kind: names the handler.
        payload: what the handler needs; a Struct becomes JSON.
        key: while a job with the same key waits, nothing is added; while one is being delivered, it is
            delivered once more afterwards, with this payload.
        due: not before this instant; by default at once.
    """
    moment = yield MOMENT
    yield _ENQUEUE.run(
        id=new_id("job"),
        kind=kind,
        key=key,
        payload=payload if isinstance(payload, bytes) else msgspec.json.encode(payload),
        due=due or moment,
        tries=0,
        lease=None,
        again=False,
        enqueued_at=moment,
    )
    yield Wake(TOPIC)


def cancel(key: str) -> Step[bool]:
    """Step: remove the job with this key; False when there is none. A try under way is not stopped."""
    removed: int = yield _CANCEL.run(key=key)
    return removed > 0


def dead_jobs(*, limit: int = 100) -> Step[Sequence[Row]]:
    """Step: jobs that used up their tries, the oldest first: id, kind, tries, error, died_at."""
    rows: Sequence[Row] = yield _DEAD.all(limit=limit)
    return rows


def depth() -> Step[Row]:
    """Step: how many jobs are ``waiting`` (leased ones included) and when the ``oldest`` was enqueued."""
    row = yield _DEPTH.one()
    return row


def revive(job: str) -> Step[bool]:
    """Step: give a dead job all its tries again; False when there is no such job."""
    row = yield _RAISE.one(id=job)
    if row is None:
        return False
    yield from enqueue(row.kind, row.payload, key=row.key)
    return True


class _Settlement:
    """What one worker has to write down about the jobs that it delivered."""

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.released: list[str] = []
        self.postponed: dict[str, timedelta] = {}
        self.dead: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.delivered or self.released or self.postponed or self.dead)

    def join(self, other: "_Settlement") -> None:
        """Take over what could not be written."""
        self.delivered += other.delivered
        self.released += other.released
        self.postponed |= other.postponed
        self.dead |= other.dead

    def write(self, lease: str) -> Step[None]:
        """Step: settle the jobs that the lease still holds; what another worker has taken over stays."""
        if self.delivered:
            yield _DELETE_DELIVERED.run(lease=lease, ids=self.delivered)
            yield _REARM.run(lease=lease, ids=self.delivered)
        if self.released:
            yield _RELEASE.run(lease=lease, ids=self.released)
        for job, pause in self.postponed.items():
            yield _POSTPONE.run(id=job, lease=lease, pause=pause)
        for job, error in self.dead.items():
            row = yield _TAKE_OUT.one(id=job, lease=lease)
            if row is not None:
                moment = yield MOMENT
                yield _LAY_DOWN.run(id=job, error=error, died_at=moment, **row._asdict())


class Outbox:
    """A worker. Any number may run, in any number of processes.

    Attributes:
        delivered, failed, died: how many tries succeeded, failed, and failed for good, since the start.
    """

    def __init__(self, db: Database, handlers: Mapping[str, Handler]) -> None:
        self.delivered = 0
        self.failed = 0
        self.died = 0
        self._db = db
        self._handlers = dict(handlers)
        self._lease = new_id("lse")
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._settlement = _Settlement()
        self._turning = asyncio.Lock()
        self._calls = db.bus.subscribe(TOPIC)

    @property
    def running(self) -> int:
        """How many jobs are being delivered now."""
        return len(self._tasks)

    async def run(self) -> None:
        """Work until cancelled; then end the tries under way and give their jobs back."""
        async with self._calls:
            try:
                while True:
                    # A turn is never cut short: what it leased has to be started or given back
                    pause_s = await asyncio.shield(asyncio.ensure_future(self._turn_or_pause()))
                    await self._calls.wait(pause_s)
                    await asyncio.sleep(LINGER_S)
            finally:
                await self._stop()

    async def run_due(self) -> int:
        """Deliver all that is due now, and all that becomes due by it; return how many tries were made."""
        before = self.delivered + self.failed
        while True:
            await self._turn()
            if self._tasks:
                await asyncio.wait(self._tasks)
            elif not self._settlement:
                return self.delivered + self.failed - before

    async def _turn_or_pause(self) -> float:
        try:
            return await self._turn()
        except Unavailable as error:
            _log.warning("the outbox waits for the database: %s", error.code)
            return FIRST_PAUSE.total_seconds()

    async def _turn(self) -> float:
        """Settle what was delivered, lease and start what is due; return the seconds until more is."""
        async with self._turning:
            settlement, self._settlement = self._settlement, _Settlement()
            free = {
                kind: handler.concurrency - self._busy[kind]
                for kind, handler in self._handlers.items()
            }
            try:
                rows, next_due = await self._db.transact(
                    _settle_and_lease, settlement, lease=self._lease, free=free
                )
            except BaseException:
                self._settlement.join(settlement)
                raise
            for row in rows:
                self._start(Job(*row))
        if next_due is None:
            return LOOK.total_seconds()
        return max(0.0, min(LOOK, next_due - self._db.now()).total_seconds())

    def _start(self, job: Job) -> None:
        if job.tried > self._handlers[job.kind].tries:
            # Its last workers died over it: it shall not have the next one too
            self.died += 1
            self._settlement.dead[job.id] = "worker_died"
            return
        self._busy[job.kind] += 1
        task = asyncio.ensure_future(self._deliver(job, self._handlers[job.kind]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, job: Job, handler: Handler) -> None:
        try:
            async with asyncio.timeout(handler.timeout.total_seconds()):
                await handler.deliver(job)
        except asyncio.CancelledError:
            self._settlement.released.append(job.id)
            raise
        except Exception as error:  # noqa: BLE001 - a handler may fail in any way
            self._fail(job, handler, error)
        else:
            self.delivered += 1
            self._settlement.delivered.append(job.id)
        finally:
            self._busy[job.kind] -= 1
            self._calls.wake()

    def _fail(self, job: Job, handler: Handler, error: Exception) -> None:
        self.failed += 1
        name = error.code if isinstance(error, InkanError) else type(error).__name__
        if job.tried >= handler.tries:
            self.died += 1
            self._settlement.dead[job.id] = name
        else:
            self._settlement.postponed[job.id] = pause_after(job.tried)
        _log.warning(
            "job %s of kind %s failed at try %d of %d: %s",
            job.id, job.kind, job.tried, handler.tries, name,
            exc_info=None if isinstance(error, InkanError) else error,
        )  # fmt: skip

    async def _stop(self) -> None:
        async with self._turning:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(Unavailable):
                await self._db.transact(self._settlement.write, self._lease)


def _settle_and_lease(
    settlement: _Settlement, *, lease: str, free: Mapping[str, int]
) -> Step[tuple[list[Row], datetime | None]]:
    """Return the leased jobs, and when the next of a kind with free places is due."""
    yield from settlement.write(lease)
    left = {kind: places for kind, places in free.items() if places > 0}
    chosen = _choose((yield _DUE.all(kinds=list(left))), left)
    rows: list[Row] = (yield _LEASE.all(ids=chosen, lease=lease)) if chosen else []
    following = yield _NEXT.one(kinds=[kind for kind, places in left.items() if places > 0])
    return rows, following and following.due


def _choose(candidates: Sequence[Row], places: dict[str, int]) -> list[str]:
    """Take as many candidates as have a place, in their order, and count the places down."""
    chosen = []
    for row in candidates:
        if places[row.kind] > 0:
            places[row.kind] -= 1
            chosen.append(row.id)
    return chosen


def pause_after(tried: int) -> timedelta:
    """The pause after a failed try: doubled each time, up to an hour, and cut by up to a half at random."""
    longest: timedelta = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tried - 1, 20))
    return longest - timedelta(microseconds=random_below(longest // MICROSECOND // 2))
