"""Jobs in their table, and the steps by which they come, are leased and go.

The lease is the due date itself, pushed beyond the lease's end: one index serves waiting, leased and
postponed jobs alike.
"""

from collections.abc import Mapping, Sequence
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

from inkan.kernel.errors import NotFound
from inkan.kernel.ids import new_id
from inkan.store.database import MOMENT, Step, Wake
from inkan.store.plan import Row
from inkan.store.query import Query, insert_row, one_of, upsert
from inkan.store.schema import NOW, Moment, Span, metadata

T = TypeVar("T")

TOPIC: Final = "outbox"
LEASE: Final = timedelta(seconds=30)
SIGHT: Final = 256
"""How many due jobs one turn of a worker looks at."""

outbox_table = Table(
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
_job = outbox_table.c
_mine = (_job.lease == bindparam("lease")) & one_of(_job.id, "ids")

_ENQUEUE = upsert(
    outbox_table,
    key=["key"],
    take=["payload"],
    change={"again": true()},
    where=_job.lease.is_not(None),
)
_CANCEL = Query(delete(outbox_table).where(_job.key == bindparam("key")))
_DUE = Query(
    select(_job.id, _job.kind)
    .where(_job.due <= NOW, one_of(_job.kind, "kinds"))
    .order_by(_job.due)
    .limit(SIGHT)
    .with_for_update(skip_locked=True)
)
_LEASE = Query(
    update(outbox_table)
    .values(lease=bindparam("lease"), due=NOW + LEASE, tries=_job.tries + 1, again=false())
    .where(one_of(_job.id, "ids"), _job.due <= NOW)
    .returning(_job.id, _job.kind, _job.key, _job.payload, _job.tries, _job.enqueued_at)
)
_NEXT = Query(select(_job.due).where(one_of(_job.kind, "kinds")).order_by(_job.due).limit(1))
_DELETE_DELIVERED = Query(delete(outbox_table).where(_mine, _job.again == false()))
_REARM = Query(
    update(outbox_table).values(due=NOW, lease=null(), tries=0, again=false()).where(_mine)
)
_RELEASE = Query(
    update(outbox_table).values(due=NOW, lease=null(), tries=_job.tries - 1).where(_mine)
)
_POSTPONE = Query(
    update(outbox_table)
    .values(due=NOW + bindparam("pause", type_=Span), lease=null())
    .where(_job.id == bindparam("id"), _job.lease == bindparam("lease"))
)
_TAKE_OUT = Query(
    delete(outbox_table)
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
_DEPTHS = Query(
    select(_job.kind, func.count().label("waiting"), func.min(_job.enqueued_at).label("oldest"))
    .group_by(_job.kind)
    .order_by(_job.kind)
)
_DEPTH = Query(select(func.count().label("waiting"), func.min(_job.enqueued_at).label("oldest")))


class DeadJobNotFound(NotFound):
    """No dead job has this id."""

    code = "dead_job_not_found"
    title = "There is no such dead job"


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


def depths() -> Step[Sequence[Row]]:
    """Step: as :func:`depth`, for each ``kind`` that waits."""
    rows: Sequence[Row] = yield _DEPTHS.all()
    return rows


def revive(job: str) -> Step[bool]:
    """Step: give a dead job all its tries again; False when there is no such job."""
    row = yield _RAISE.one(id=job)
    if row is None:
        return False
    yield from enqueue(row.kind, row.payload, key=row.key)
    return True


class Settlement:
    """What one worker has to write down about the jobs that it delivered."""

    def __init__(self) -> None:
        self.delivered: list[str] = []
        self.released: list[str] = []
        self.postponed: dict[str, timedelta] = {}
        self.dead: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self.delivered or self.released or self.postponed or self.dead)

    def join(self, other: "Settlement") -> None:
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


def settle_and_lease(
    settlement: Settlement, *, lease: str, free: Mapping[str, int]
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
