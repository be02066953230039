"""Values and instants, written and read alike on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from inkan.kernel.clock import from_microseconds
from inkan.store.database import MOMENT, Database, Step
from inkan.store.plan import Misused
from support import things
from support.clock import START, StandingClock
from support.things import Colour, once

VALUES = {
    "text": ["", "王小明 𠮷 👤", "a'b\"c\\d\n\t%$1?:x", "x" * 100_000],
    "number": [0, -1, 2**63 - 1, -(2**63)],
    "flag": [True, False],
    "data": [b"", bytes(range(256)), b"\0" * 70_000],
    "moment_at": [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1912, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 11, 21, 22, 55, 4, 123456, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    ],
    "span": [timedelta(0), timedelta(days=-3, microseconds=1), timedelta(days=36500)],
    "json": [{}, [], "", 0, False, {"名": ["\0", None, 1.5, {"b": -(2**62)}]}],
    "uuid": [UUID(int=0), UUID(int=2**128 - 1)],
    "colour": [Colour.RED],
}
CASES = [(name, value) for name, values in VALUES.items() for value in values]


@pytest.mark.parametrize(("column", "value"), CASES)
async def test_values_come_back(db: Database, column: str, value: Any) -> None:
    def body() -> Step[Any]:
        yield things.ADD_SAMPLE.run(**things.sample_values(**{column: value}))
        return (yield things.FIND_SAMPLE.one(id=1))

    row = await db.transact(body)
    found = getattr(row, column)
    assert found == value
    assert isinstance(found, type(value))
    assert all(getattr(row, name) is None for name in VALUES if name != column)


async def test_an_instant_is_one_whatever_its_zone(db: Database) -> None:
    taipei = datetime(2026, 4, 1, 9, tzinfo=timezone(timedelta(hours=8)))
    await db.transact(once, things.ADD_SAMPLE.run(**things.sample_values(moment_at=taipei)))
    row = await db.read(once, things.FIND_SAMPLE.one(id=1))
    assert row.moment_at == START
    assert row.moment_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("moment_at", datetime(2026, 4, 1)),  # without a zone
        ("colour", "green"),
        ("number", 2**63),
        ("json", object()),
        ("data", 7.5),
    ],
)
async def test_a_value_that_does_not_fit_is_refused(
    db: Database, column: str, value: object
) -> None:
    if column == "data" and db.dialect == "sqlite":
        pytest.skip("by design: SQLite stores any value in any column")
    with pytest.raises(Exception, match=r".") as caught:
        await db.transact(once, things.ADD_SAMPLE.run(**things.sample_values(**{column: value})))
    assert not isinstance(caught.value, Misused)
    assert await db.read(once, things.FIND_SAMPLE.one(id=1)) is None


# --- time -------------------------------------------------------------------------------------------


async def test_a_transaction_has_one_moment(db: Database, clock: StandingClock) -> None:
    def body() -> Step[tuple[datetime, datetime, datetime]]:
        first = yield MOMENT
        clock.tick(5)
        yield things.ADD_SAMPLE.run(**things.sample_values())
        yield things.STAMP.run(id=1)
        row = yield things.FIND_SAMPLE.one(id=1)
        return first, row.moment_at, (yield MOMENT)

    clock.advance(timedelta(days=400))
    expected = db.now()
    assert set(await db.transact(body)) == {expected} == {START + timedelta(days=400)}
    assert db.now() == expected + timedelta(seconds=5)


@pytest.mark.parametrize(("passed_s", "due"), [(59.999999, False), (60, True)])
async def test_the_moment_decides_in_the_where_clause(
    db: Database, clock: StandingClock, passed_s: float, due: bool
) -> None:
    await db.transact(once, things.ADD_SAMPLE.run(**things.sample_values(moment_at=clock.now())))
    clock.tick(passed_s)
    found = await db.read(once, things.PAST.one(life=timedelta(seconds=60)))
    assert (found is not None) is due


@pytest.mark.parametrize("value", [0, -1, 1_774_000_000_123_456])
def test_microseconds_are_exact(value: int) -> None:
    assert (from_microseconds(value) - from_microseconds(0)) // timedelta(microseconds=1) == value
