"""The rows of approvals and usage records, and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.approvals.model import ApprovalStep
from inkan.approvals.rules import MACHINE, MAX_GENERATIONS, UNDECIDED
from inkan.store.query import Query
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
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("qr_t0", Moment),
    sa.Column("question", JSONText, nullable=False),
    sa.Column("draft", sa.Text),
    sa.Column("phone", sa.String(40)),
    sa.Column("person", sa.String(40)),
    sa.Column("opened_at", Moment),
    sa.Column("statement_sha256", sa.String(43)),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("decided_at", Moment),
    sa.Column("released_at", Moment),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("approvals_approval_phone", "phone", "state"),
    sa.Index("approvals_approval_expiry", "state", "expires_at"),
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
    sa.Index("approvals_record_person", "person", "at"),
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
OVERDUE = Query(
    sa.select(approval.c.id)
    .where(approval.c.state.in_(sorted(UNDECIDED)), approval.c.expires_at <= _moment())
    .order_by(approval.c.expires_at)
    .limit(500)
)


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
        generation=1,
        qr_t0=_moment(),
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
        opened_at=_moment(),
    ).where(_ALIVE)
)
REOPEN = Query(
    _step(
        ApprovalStep.REOPEN,
        state=SessionState.PRESENTED,
        handle=_value("handle", approval.c.handle),
        generation=approval.c.generation + 1,
        qr_t0=_moment(),
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
        released_at=_value("released_at", approval.c.released_at),
    ).where(_ALIVE, approval.c.phone == sa.bindparam("opener", type_=sa.String))
)
CANCEL = Query(_step(ApprovalStep.CANCEL, state=SessionState.CANCELLED).where(_ALIVE))
EXPIRE = Query(
    _step(ApprovalStep.EXPIRE, state=SessionState.EXPIRED).where(approval.c.expires_at <= _moment())
)

# Only what has ended in its row too: expiry is audited before it is forgotten.
PURGE = Query(
    sa.delete(approval).where(
        approval.c.state.in_(sorted(set(SessionState) - UNDECIDED)),
        approval.c.expires_at <= sa.bindparam("before", type_=Moment),
    )
)

INSERT_RECORD = Query(sa.insert(record))
RECORDS_OF = Query(
    sa.select(record)
    .where(record.c.person == _key(), record.c.at < sa.bindparam("before", type_=Moment))
    .order_by(record.c.at.desc(), record.c.id)
    .limit(50)
)
RECORD_OF = Query(
    sa.select(record.c.at).where(
        record.c.id == sa.bindparam("record_id", type_=sa.String), record.c.person == _key()
    )
)
# What stands below one record in the order of the list: two uses of one instant are not lost between pages.
RECORDS_BELOW = Query(
    sa.select(record)
    .where(
        record.c.person == _key(),
        sa.or_(
            record.c.at < sa.bindparam("at", type_=Moment),
            sa.and_(
                record.c.at == sa.bindparam("at", type_=Moment),
                record.c.id > sa.bindparam("record_id", type_=sa.String),
            ),
        ),
    )
    .order_by(record.c.at.desc(), record.c.id)
    .limit(50)
)
ERASE_RECORDS = Query(sa.update(record).where(record.c.person == _key()).values(detail=None))

EVENT_PAIRS = [
    Query(sa.select(approval.c.id, approval.c.event_id)),
    Query(sa.select(record.c.id, record.c.event_id)),
]
