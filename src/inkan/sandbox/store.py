"""The rows of the sandbox and every query on them: the mark of the instance, systems, virtual phones."""

from typing import Any

import sqlalchemy as sa

from inkan.store.query import Query, insert_new, insert_row
from inkan.store.schema import Moment, Span, metadata

# One row, in the database of a sandbox only: what kind of instance this is, and how far its clock has travelled.
instance = sa.Table(
    "sandbox_instance",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("ahead", Span, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

tenant = sa.Table(
    "sandbox_tenant",
    metadata,
    sa.Column("system", sa.String(40), primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
)

phone = sa.Table(
    "sandbox_phone",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False, index=True),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("name", sa.String(64), nullable=False),
    sa.Column("behaviour", sa.String(16), nullable=False),
    sa.Column("after_s", sa.Integer, nullable=False),
    sa.Column("phone", sa.String(40), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("last", sa.String(64), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment, nullable=False),
)

THE_INSTANCE = "sandbox"


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


MARK = insert_new(instance)
INSTANCE = Query(sa.select(instance.c.ahead).where(instance.c.id == THE_INSTANCE))
ADVANCE = Query(
    sa.update(instance)
    .where(instance.c.id == THE_INSTANCE, instance.c.ahead < _bind("new_ahead", Span))
    .values(ahead=_bind("new_ahead", Span), event_id=_bind("event"))
)

# 0 rows: another system took the number at this moment.
INSERT_TENANT = insert_new(tenant)
TENANT = Query(sa.select(tenant.c.number).where(tenant.c.system == _bind("system")))
NEXT_NUMBER = Query(
    sa.select((sa.func.coalesce(sa.func.max(tenant.c.number), -1) + 1).label("number"))
)

INSERT_PHONE = insert_row(phone)
PHONES = Query(
    sa.select(phone)
    .where(phone.c.system == _bind("system"))
    .order_by(phone.c.created_at, phone.c.id)
)
IN_STATE = Query(sa.select(phone).where(phone.c.state == _bind("state")).order_by(phone.c.id))
PHONE = Query(sa.select(phone).where(phone.c.id == _bind("key"), phone.c.system == _bind("system")))
NOTE = Query(
    sa.update(phone)
    .where(phone.c.id == _bind("key"))
    .values(state=_bind("new_state"), last=_bind("new_last"), used_at=_bind("at", Moment))
)
FORGET_PHONE = Query(sa.delete(phone).where(phone.c.id == _bind("key")))
OVER = Query(
    sa.select(phone)
    .where(
        sa.or_(
            phone.c.created_at <= _bind("made_before", Moment),
            phone.c.used_at <= _bind("used_before", Moment),
        )
    )
    .order_by(phone.c.id)
    .limit(500)
)

EVENT_PAIRS = [Query(sa.select(instance.c.id, instance.c.event_id))]
