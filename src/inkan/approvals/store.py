"""The rows of approvals and usage records, and every query on them."""

from collections.abc import Mapping
from itertools import product
from typing import Any, Final, Literal, NamedTuple

import sqlalchemy as sa

from inkan.approvals.model import ApprovalStep
from inkan.approvals.rules import MACHINE, MAX_GENERATIONS, UNDECIDED
from inkan.store.query import Query, insert_new
from inkan.store.schema import JSONText, Moment, metadata
from inkan.wire.session import SessionState

approval = sa.Table(
    "approvals_approval",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("outcome", sa.String(12)),
    sa.Column("reason", sa.String(40)),
    sa.Column("door", sa.String(16)),
    sa.Column("handle", sa.String(40), unique=True),
    sa.Column("link", sa.String(40)),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("qr_t0", Moment),
    sa.Column("question", JSONText, nullable=False),
    sa.Column("draft", sa.Text),
    sa.Column("phone", sa.String(40)),
    sa.Column("person", sa.String(40)),
    sa.Column("evidence", JSONText, nullable=False),
    sa.Column("code_tries", sa.Integer, nullable=False),
    sa.Column("opened_at", Moment),
    sa.Column("statement_sha256", sa.String(43)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("decided_at", Moment),
    sa.Column("redeem_until", Moment),
    sa.Column("released_at", Moment),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("uq_approvals_approval_link", "link", unique=True),
    sa.Index("approvals_approval_phone", "phone", "state"),
    sa.Index("approvals_approval_expiry", "state", "expires_at"),
)

# Which phones a push is aimed at; the wallet shows what waits here, also when no message came through.
target = sa.Table(
    "approvals_target",
    metadata,
    sa.Column("approval", sa.String(40), primary_key=True),
    sa.Column("phone", sa.String(40), primary_key=True),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("approvals_target_phone", "phone"),
)

record = sa.Table(
    "approvals_record",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("phone", sa.String(40), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("outcome", sa.String(12), nullable=False),
    sa.Column("detail", sa.LargeBinary),
    sa.Column("event_id", sa.String(40), nullable=False),
    # Keyed hash of person and system: picks one asker's uses without opening every seal; erased with the detail.
    sa.Column("asker", sa.LargeBinary),
    # "I did not start this", said once (threat 2).
    sa.Column("reported_at", Moment),
    sa.Column("report_event", sa.String(40)),
    sa.Index("approvals_record_person", "person", "at"),
    sa.Index("approvals_record_asker", "person", "asker", "at"),
)
_is_reported = record.c.reported_at.is_not(None)
sa.Index(
    "approvals_record_reported",
    record.c.reported_at,
    sqlite_where=_is_reported,
    postgresql_where=_is_reported,
)


def _moment() -> Any:
    return sa.bindparam("moment", type_=Moment)


def _key() -> Any:
    return sa.bindparam("key", type_=sa.String)


_APPROVAL_COLUMNS = [column for column in approval.c if column.name != "event_id"]

INSERT = Query(sa.insert(approval))
BY_ID = Query(sa.select(*_APPROVAL_COLUMNS).where(approval.c.id == _key()))
BY_HANDLE = Query(sa.select(*_APPROVAL_COLUMNS).where(approval.c.handle == _key()))
OF_PHONE = Query(
    sa.select(*_APPROVAL_COLUMNS).where(
        approval.c.phone == _key(),
        approval.c.state == SessionState.OPENED,
        approval.c.expires_at > _moment(),
    )
)
BY_LINK = Query(sa.select(*_APPROVAL_COLUMNS).where(approval.c.link == _key()))
# What time has ended: an undecided question, or an answer that nobody fetched.
_OVER = sa.or_(
    sa.and_(approval.c.state.in_(sorted(UNDECIDED)), approval.c.expires_at <= _moment()),
    sa.and_(approval.c.state == SessionState.DECIDED, approval.c.redeem_until <= _moment()),
)
OVERDUE = Query(sa.select(approval.c.id).where(_OVER).order_by(approval.c.expires_at).limit(500))


def _step(step: ApprovalStep, **values: Any) -> sa.Update:
    """One compare-and-set: the states the machine allows, and the version the caller read."""
    return (
        sa.update(approval)
        .where(
            approval.c.id == _key(),
            approval.c.state.in_(sorted(MACHINE.before(step))),
            approval.c.version == sa.bindparam("seen", type_=sa.Integer),
        )
        .values(
            version=approval.c.version + 1,
            event_id=sa.bindparam("event", type_=sa.String),
            **values,
        )
    )


def _value(name: str, column: sa.Column[Any]) -> Any:
    return sa.bindparam(f"new_{name}", type_=column.type)


_ALIVE = approval.c.expires_at > _moment()

PRESENT = Query(
    _step(
        ApprovalStep.PRESENT,
        state=SessionState.PRESENTED,
        handle=_value("handle", approval.c.handle),
        link=_value("link", approval.c.link),
        generation=_value("generation", approval.c.generation),
        qr_t0=_value("qr_t0", approval.c.qr_t0),
    ).where(_ALIVE)
)
OPEN = Query(
    _step(
        ApprovalStep.OPEN,
        state=SessionState.OPENED,
        door=_value("door", approval.c.door),
        draft=_value("draft", approval.c.draft),
        phone=_value("phone", approval.c.phone),
        person=_value("person", approval.c.person),
        evidence=_value("evidence", approval.c.evidence),
        opened_at=_moment(),
    ).where(_ALIVE)
)
REOPEN = Query(
    _step(
        ApprovalStep.REOPEN,
        state=SessionState.PRESENTED,
        handle=_value("handle", approval.c.handle),
        link=_value("link", approval.c.link),
        generation=approval.c.generation + 1,
        qr_t0=_moment(),
        evidence=_value("evidence", approval.c.evidence),
        door=None,
        draft=None,
        phone=None,
        person=None,
        opened_at=None,
    ).where(_ALIVE, approval.c.generation < MAX_GENERATIONS)
)
DECIDE = Query(
    _step(
        ApprovalStep.DECIDE,
        state=_value("state", approval.c.state),
        outcome=_value("outcome", approval.c.outcome),
        reason=_value("reason", approval.c.reason),
        statement_sha256=_value("statement_sha256", approval.c.statement_sha256),
        decided_at=_moment(),
        redeem_until=_value("redeem_until", approval.c.redeem_until),
        released_at=_value("released_at", approval.c.released_at),
    ).where(_ALIVE, approval.c.phone == sa.bindparam("opener", type_=sa.String))
)
STRENGTHEN = Query(
    _step(ApprovalStep.STRENGTHEN, evidence=_value("evidence", approval.c.evidence)).where(
        approval.c.redeem_until > _moment()
    )
)
RELEASE = Query(
    _step(
        ApprovalStep.RELEASE,
        state=SessionState.CLOSED,
        outcome=_value("outcome", approval.c.outcome),
        reason=_value("reason", approval.c.reason),
        evidence=_value("evidence", approval.c.evidence),
        released_at=_moment(),
    ).where(approval.c.redeem_until > _moment())
)
COUNT_TRY = Query(
    sa.update(approval)
    .where(
        approval.c.id == _key(),
        approval.c.state == SessionState.PRESENTED,
        approval.c.version == sa.bindparam("seen", type_=sa.Integer),
    )
    .values(
        code_tries=approval.c.code_tries + 1,
        version=approval.c.version + 1,
        event_id=sa.bindparam("event", type_=sa.String),
    )
    .where(_ALIVE)
)
FAIL = Query(
    _step(
        ApprovalStep.FAIL,
        state=SessionState.CLOSED,
        door=_value("door", approval.c.door),
        phone=_value("phone", approval.c.phone),
        person=_value("person", approval.c.person),
        code_tries=_value("code_tries", approval.c.code_tries),
        outcome=_value("outcome", approval.c.outcome),
        reason=_value("reason", approval.c.reason),
        decided_at=_moment(),
        released_at=_moment(),
    ).where(_ALIVE)
)
CANCEL = Query(_step(ApprovalStep.CANCEL, state=SessionState.CANCELLED).where(_ALIVE))
EXPIRE = Query(_step(ApprovalStep.EXPIRE, state=SessionState.EXPIRED).where(_OVER))

# Only what has ended in its row too: expiry is audited before it is forgotten.
PURGE = Query(
    sa.delete(approval).where(
        approval.c.state.in_(sorted(set(SessionState) - UNDECIDED - {SessionState.DECIDED})),
        approval.c.expires_at <= sa.bindparam("before", type_=Moment),
    )
)

AIM = insert_new(target)
IS_TARGET = Query(
    sa.select(target.c.phone).where(
        target.c.approval == _key(), target.c.phone == sa.bindparam("phone", type_=sa.String)
    )
)
WAITING_ON = Query(
    sa.select(*_APPROVAL_COLUMNS)
    .select_from(approval.join(target, target.c.approval == approval.c.id))
    .where(
        target.c.phone == _key(),
        approval.c.state == SessionState.PRESENTED,
        approval.c.expires_at > _moment(),
    )
    .order_by(approval.c.created_at.desc(), approval.c.id)
    .limit(50)
)
FORGET_TARGETS = Query(
    sa.delete(target).where(target.c.expires_at <= sa.bindparam("before", type_=Moment))
)

INSERT_RECORD = Query(sa.insert(record))
RECORD_OF = Query(
    sa.select(record).where(
        record.c.id == sa.bindparam("record_id", type_=sa.String), record.c.person == _key()
    )
)
HELD_RECORD = Query(
    sa.select(record)
    .where(record.c.id == sa.bindparam("record_id", type_=sa.String), record.c.person == _key())
    .with_for_update()
)


class Pick(NamedTuple):
    """Which conditions a list of records has besides its person and its beginning."""

    is_below: bool
    has_asker: bool
    result: Literal["any", "outcome", "reported"]


def _picked(pick: Pick) -> Query:
    at = sa.bindparam("at", type_=Moment)
    conditions = [record.c.person == _key()]
    if pick.is_below:
        # What stands below one record in the order of the list: two uses of one instant are not lost.
        after = record.c.id > sa.bindparam("record_id", type_=sa.String)
        conditions.append(sa.or_(record.c.at < at, sa.and_(record.c.at == at, after)))
    else:
        conditions.append(record.c.at < at)
    if pick.has_asker:
        conditions.append(record.c.asker == sa.bindparam("asker", type_=sa.LargeBinary))
    if pick.result == "outcome":
        conditions.append(record.c.outcome == sa.bindparam("outcome", type_=sa.String))
    if pick.result == "reported":
        conditions.append(record.c.reported_at.is_not(None))
    count = sa.bindparam("count", type_=sa.Integer)
    listed = sa.select(record).where(*conditions).order_by(record.c.at.desc(), record.c.id)
    return Query(listed.limit(count))


RECORDS: Final[Mapping[Pick, Query]] = {
    pick: _picked(pick)
    for pick in map(
        Pick._make, product((False, True), (False, True), ("any", "outcome", "reported"))
    )
}
_NEWEST = (
    sa.select(record.c.asker, sa.func.max(record.c.at).label("at"), sa.func.count().label("uses"))
    .where(record.c.person == _key(), record.c.asker.is_not(None))
    .group_by(record.c.asker)
    .order_by(sa.func.max(record.c.at).desc())
    .limit(200)
    .subquery("newest")
)
# The newest use of each asker; two of one instant both come.
ASKERS_OF = Query(
    sa.select(*record.c, _NEWEST.c.uses)
    .select_from(
        record.join(
            _NEWEST, sa.and_(record.c.asker == _NEWEST.c.asker, record.c.at == _NEWEST.c.at)
        )
    )
    .where(record.c.person == _key())
    .order_by(record.c.at.desc(), record.c.id)
)
REPORT = Query(
    sa.update(record)
    .where(
        record.c.id == sa.bindparam("record_id", type_=sa.String),
        record.c.person == _key(),
        record.c.reported_at.is_(None),
    )
    .values(reported_at=_moment(), report_event=sa.bindparam("event", type_=sa.String))
)
REPORTED = Query(
    sa.select(record)
    .where(_is_reported)
    .order_by(record.c.reported_at.desc(), record.c.id)
    .limit(sa.bindparam("count", type_=sa.Integer))
)
REPORTED_ONE = Query(sa.select(record).where(record.c.id == _key(), _is_reported))
ERASE_RECORDS = Query(
    sa.update(record).where(record.c.person == _key()).values(detail=None, asker=None)
)

EVENT_PAIRS = [
    Query(sa.select(approval.c.id, approval.c.event_id)),
    Query(sa.select(record.c.id, record.c.event_id)),
    Query(sa.select(record.c.id, record.c.report_event).where(record.c.report_event.is_not(None))),
]
