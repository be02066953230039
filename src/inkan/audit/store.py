"""The tables of the log and every query on them.

Values stand in the database as the canonical event holds them (times in whole microseconds), so that a
verification reads what was written and not what a column type makes of it.
"""

from functools import cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import ClauseElement

from inkan.store.query import Query, insert_new, insert_row, upsert
from inkan.store.schema import metadata

event = sa.Table(
    "audit_event",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("actor_kind", sa.String, nullable=False),
    sa.Column("actor_id", sa.String, nullable=False),
    sa.Column("subject", sa.String),
    sa.Column("object", sa.String),
    sa.Column("details", sa.LargeBinary, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("mac", sa.LargeBinary, nullable=False),
    sa.Column("position", sa.BigInteger),
    sa.Column("chain", sa.LargeBinary),
)
sa.Index(
    "ix_audit_event_pending",
    event.c.id,
    sqlite_where=event.c.position.is_(None),
    postgresql_where=event.c.position.is_(None),
)
sa.Index(
    "uq_audit_event_position",
    event.c.position,
    unique=True,
    sqlite_where=event.c.position.isnot(None),
    postgresql_where=event.c.position.isnot(None),
)

tile = sa.Table(
    "audit_tile",
    metadata,
    sa.Column("level", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hashes", sa.LargeBinary, nullable=False),
)

head = sa.Table(
    "audit_head",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, nullable=False, unique=True),
    sa.Column("jws", sa.Text, nullable=False),
)

# One row: how far the log has come, under a MAC. Without it the newest rows could be cut off unseen.
tip = sa.Table(
    "audit_tip",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("chain", sa.LargeBinary, nullable=False),
    sa.Column("heads", sa.BigInteger, nullable=False),
    sa.Column("head_hash", sa.LargeBinary, nullable=False),
    sa.Column("mac", sa.LargeBinary, nullable=False),
)
TIP = "log"

SHOWN = 100
"""State rows without their event that one verification names for each query of a feature."""


def _given(name: str, column: sa.Column[object]) -> sa.BindParameter[object]:
    return sa.bindparam(name, type_=column.type)


_facts = [column for column in event.c if column.name not in {"position", "chain"}]

INSERT_EVENT = Query(event.insert().values({c.name: _given(c.name, c) for c in _facts}))

PENDING = Query(
    sa.select(*_facts, event.c.chain)
    .where(event.c.position.is_(None), event.c.id > _given("after", event.c.id))
    .order_by(event.c.id)
    .limit(_given("count", event.c.at))
)
"""Committed events without an index, oldest first. PostgreSQL commits out of order, so there is no cursor over
runs: each run begins at the oldest and sees what was committed late."""

UNSEQUENCED = Query(
    sa.select(sa.func.count().label("count"), sa.func.min(event.c.at).label("oldest")).where(
        event.c.position.is_(None)
    )
)

SEQUENCE = Query(
    event.update()
    .where(event.c.id == _given("event", event.c.id), event.c.position.is_(None))
    .values(position=_given("index", event.c.position), chain=_given("value", event.c.chain))
)

EVENT = Query(sa.select(event).where(event.c.id == _given("event", event.c.id)))
EVENTS = Query(
    sa.select(event)
    .where(event.c.position >= _given("first", event.c.position))
    .order_by(event.c.position)
    .limit(_given("count", event.c.at))
)

TILE = Query(
    sa.select(tile.c.hashes).where(
        tile.c.level == _given("at_level", tile.c.level),
        tile.c.number == _given("at_number", tile.c.number),
    )
)
COUNT_TILES = Query(sa.select(sa.func.count().label("count")).select_from(tile))
PUT_TILE = upsert(tile, key=["level", "number"], take=["hashes"])

LAST_HEAD = Query(sa.select(head).order_by(head.c.number.desc()).limit(1))
HEADS = Query(
    sa.select(head)
    .where(head.c.number >= _given("first", head.c.number))
    .order_by(head.c.number)
    .limit(_given("count", head.c.number))
)
PUT_HEAD = insert_row(head)

TIPS = Query(sa.select(tip))
READ_TIP = Query(sa.select(tip).where(tip.c.name == TIP))
FIRST_TIP = insert_new(tip)
MOVE_TIP = Query(
    tip.update()
    .where(
        tip.c.name == TIP,
        tip.c.size == _given("old_size", tip.c.size),
        tip.c.heads == _given("old_heads", tip.c.heads),
    )
    .values({c.name: _given(f"new_{c.name}", c) for c in tip.c if c.name != "name"})
)


@cache
def without_event(pairs: Query) -> Query:
    """From a feature's query of (row, event id), the query of those rows whose event does not exist."""
    return Query({name: _unpaired(each) for name, each in pairs._statements.items()})  # noqa: SLF001


def _unpaired(pairs: ClauseElement) -> ClauseElement:
    rows = cast("sa.Select[Any]", pairs).subquery("pairs")
    known = sa.exists().where(event.c.id == rows.c[1])
    return sa.select(rows.c[0].label("row")).where(~known).limit(SHOWN)
