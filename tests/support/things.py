"""Small tables with every column type and every kind of constraint, and queries on them, for tests of the store."""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    update,
)

from inkan.store.database import Step, Wake
from inkan.store.query import Query, insert_new, insert_row, one_of, upsert
from inkan.store.schema import NAMING, NOW, Choice, JSONText, Moment, Serial, Span

metadata = MetaData(naming_convention=NAMING)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


thing = Table(
    "thing",
    metadata,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("count", Integer, CheckConstraint("count >= 0", name="count"), nullable=False),
)
part = Table(
    "part",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("thing", ForeignKey("thing.id"), nullable=False),
    Column("name", String, nullable=False),
)
late = Table(
    "late",
    metadata,
    Column("id", String, primary_key=True),
    Column("thing", ForeignKey("thing.id", deferrable=True, initially="DEFERRED"), nullable=False),
)
sample = Table(
    "sample",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("text", String),
    Column("number", BigInteger),
    Column("flag", Boolean),
    Column("data", LargeBinary),
    Column("moment_at", Moment),
    Column("span", Span),
    Column("json", JSONText),
    Column("uuid", Uuid),
    Column("colour", Choice(Colour)),
)

ADD = insert_row(thing)
TAKE = insert_new(thing)
PUT = upsert(thing, key=["id"], take=["state"], change={"count": thing.c.count + 1})
PUT_NEW = upsert(thing, key=["id"], take=["state"], where=thing.c.state == "new")
FIND = Query(select(thing).where(thing.c.id == bindparam("id")))
ALL = Query(select(thing).order_by(thing.c.id))
SOME = Query(select(thing.c.id).where(one_of(thing.c.id, "ids")).order_by(thing.c.id))
COUNTED = Query(select(thing.c.id).where(one_of(thing.c.count, "counts")).order_by(thing.c.id))
SIZE = Query(select(func.count().label("size")).select_from(thing))
LOCK = Query(select(thing).where(thing.c.id == bindparam("id")).with_for_update())
CLOSE = Query(
    update(thing)
    .values(state="closed")
    .where(thing.c.id == bindparam("id"), thing.c.state.in_(["new", "open"]))
)
COUNT_UP = Query(
    update(thing)
    .values(count=thing.c.count + 1)
    .where(thing.c.id == bindparam("id"))
    .returning(thing.c.count)
)
REMOVE = Query(delete(thing).where(thing.c.id == bindparam("id")))
ADD_PART = Query(
    part.insert().values(thing=bindparam("thing"), name=bindparam("name")).returning(part.c.id)
)
PART = insert_row(part)
ADD_LATE = insert_row(late)
ADD_SAMPLE = insert_row(sample)
FIND_SAMPLE = Query(select(sample).where(sample.c.id == bindparam("id")))
STAMP = Query(update(sample).values(moment_at=NOW).where(sample.c.id == bindparam("id")))
PAST = Query(select(sample.c.id).where(sample.c.moment_at + bindparam("life", type_=Span) <= NOW))


class Refused(Exception):
    """What a body of a test raises."""


def add(*ids: str, state: str = "new", wake: str | None = None) -> Step[None]:
    for each in ids:
        yield ADD.run(id=each, state=state, count=0)
    if wake:
        yield Wake(wake)


def add_and_refuse(*ids: str) -> Step[None]:
    yield from add(*ids)
    raise Refused


def find(name: str) -> Step[Any]:
    return (yield FIND.one(id=name))


def once(call: Any) -> Step[Any]:
    """A body that makes one call."""
    return (yield call)


def ids() -> Step[list[str]]:
    return [row.id for row in (yield ALL.all())]


def sample_values(**values: Any) -> dict[str, Any]:
    """A row of ``sample`` with NULL where nothing is given."""
    return dict.fromkeys(sample.c.keys()) | {"id": 1} | values
