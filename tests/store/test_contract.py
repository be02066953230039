"""What a transaction promises, on both databases."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest

from inkan.kernel.clock import from_microseconds
from inkan.store.connect import database as database_of
from inkan.store.connect import is_sqlite, sqlite_path
from inkan.store.database import (
    MOMENT,
    Database,
    RowExists,
    RowMissing,
    Step,
    StoreClosed,
    Wake,
)
from inkan.store.plan import Misused
from support import things
from support.clock import START, StandingClock
from support.tables import execute
from support.things import Colour, Refused, add, add_and_refuse, find, ids

# --- results ----------------------------------------------------------------------------------------


async def test_a_body_returns_its_value_and_its_rows_stay(db: Database) -> None:
    def body(name: str, *, state: str) -> Step[tuple[int, Any]]:
        changed = yield things.ADD.run(id=name, state=state, count=3)
        row = yield things.FIND.one(id=name)
        return changed, row

    changed, row = await db.transact(body, "a", state="new")
    assert changed == 1
    assert (row.id, row.state, row.count) == ("a", "new", 3)
    assert row == ("a", "new", 3)
    assert await db.read(find, "a") == row
    assert await db.scan(find, "a") == row


async def test_steps_become_one_transaction(db: Database) -> None:
    def both() -> Step[None]:
        yield from add("a")
        yield from add_and_refuse("b")

    with pytest.raises(Refused):
        await db.transact(both)
    assert await db.read(ids) == []


async def test_what_each_call_answers(db: Database) -> None:
    def body() -> Step[dict[str, Any]]:
        rows = [{"id": name, "state": "new", "count": 0} for name in "cab"]
        return {
            "many": (yield things.ADD.many(rows)),
            "nothing": (yield things.FIND.one(id="z")),
            "none": (yield things.SOME.all(ids=[])),
            "first": (yield things.ALL.one()),
            "all": [row.id for row in (yield things.ALL.all())],
            "closed": (yield things.CLOSE.run(id="a")),
            "closed again": (yield things.CLOSE.run(id="a")),
            "returned": (yield things.COUNT_UP.one(id="a")).count,
            "empty": (yield things.ADD.many([])),
        }

    assert await db.transact(body) == {
        "many": None,
        "nothing": None,
        "none": [],
        "first": ("a", "new", 0),
        "all": ["a", "b", "c"],
        "closed": 1,
        "closed again": 0,
        "returned": 1,
        "empty": None,
    }


async def test_lists_of_any_length_are_one_query(db: Database) -> None:
    names = [f"{number:03}" for number in range(500)]

    def body(wanted: list[str], counts: list[int]) -> Step[tuple[int, int]]:
        some = yield things.SOME.all(ids=wanted)
        counted = yield things.COUNTED.all(counts=counts)
        return len(some), len(counted)

    await db.transact(add, *names)
    assert await db.read(body, names, [0]) == (500, 500)
    assert await db.read(body, ["007", "x'; --", "008"], [1]) == (2, 0)
    assert await db.read(body, [], []) == (0, 0)


async def test_the_database_counts_keys(db: Database) -> None:
    def body() -> Step[list[int]]:
        yield from add("a")
        yield things.PART.run(thing="a", name="0")
        first = yield things.ADD_PART.one(thing="a", name="x")
        second = yield things.ADD_PART.one(thing="a", name="y")
        return [first.id, second.id]

    assert await db.transact(body) == [2, 3]


# --- values -----------------------------------------------------------------------------------------

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
    await db.transact(_once, things.ADD_SAMPLE.run(**things.sample_values(moment_at=taipei)))
    row = await db.read(_once, things.FIND_SAMPLE.one(id=1))
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
        await db.transact(_once, things.ADD_SAMPLE.run(**things.sample_values(**{column: value})))
    assert not isinstance(caught.value, Misused)
    assert await db.read(_once, things.FIND_SAMPLE.one(id=1)) is None


def _once(call: Any) -> Step[Any]:
    return (yield call)


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
    await db.transact(_once, things.ADD_SAMPLE.run(**things.sample_values(moment_at=clock.now())))
    clock.tick(passed_s)
    found = await db.read(_once, things.PAST.one(life=timedelta(seconds=60)))
    assert (found is not None) is due


# --- refusals ---------------------------------------------------------------------------------------


async def test_a_refusal_reaches_the_caller_as_it_is(db: Database) -> None:
    refusal = Refused("no")

    def body() -> Step[None]:
        yield from add("a")
        raise refusal

    with pytest.raises(Refused) as caught:
        await db.transact(body)
    assert caught.value is refusal
    assert await db.read(ids) == []


@pytest.mark.parametrize(
    ("calls", "refusal"),
    [
        ([things.ADD.run(id="a", state="x", count=0)], RowExists),
        ([things.ADD_PART.one(thing="nobody", name="x")], RowMissing),
        ([things.ADD_PART.one(thing="a", name="x"), things.REMOVE.run(id="a")], RowMissing),
        ([things.ADD_LATE.run(id="x", thing="nobody")], RowMissing),  # told by COMMIT
    ],
)
async def test_constraints_have_one_name_on_both(
    db: Database, calls: list[Any], refusal: type[Exception]
) -> None:
    def body() -> Step[None]:
        yield from add("b")
        for call in calls:  # noqa: UP028 - a list has no send()
            yield call

    await db.transact(add, "a")
    with pytest.raises(refusal) as caught:
        await db.transact(body)
    assert "nobody" not in str(caught.value)
    assert await db.read(ids) == ["a"]


async def test_a_broken_check_is_no_refusal_but_a_fault(db: Database) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        await db.transact(_once, things.ADD.run(id="a", state="x", count=-1))
    assert not isinstance(caught.value, RowExists | RowMissing)
    assert await db.read(ids) == []


async def test_an_error_says_where_the_body_stood(db: Database) -> None:
    def inner() -> Step[None]:
        yield from add("a")
        yield things.ADD.run(id="a", state="x", count=0)

    def outer() -> Step[None]:
        yield from inner()

    with pytest.raises(RowExists) as caught:
        await db.transact(outer)
    assert "inner, " in caught.value.__notes__[0]
    assert "test_contract.py:" in caught.value.__notes__[0]


async def test_a_late_reference_may_come_in_any_order(db: Database) -> None:
    def body() -> Step[None]:
        yield things.ADD_LATE.run(id="x", thing="a")
        yield from add("a")

    await db.transact(body)
    assert await db.read(ids) == ["a"]


# --- taking, putting --------------------------------------------------------------------------------


async def test_taking_a_key_answers_whether_it_was_free(db: Database) -> None:
    def body() -> Step[list[int]]:
        first = yield things.TAKE.run(id="a", state="first", count=0)
        second = yield things.TAKE.run(id="a", state="second", count=0)
        return [first, second]

    assert await db.transact(body) == [1, 0]
    assert (await db.read(find, "a")).state == "first"


async def test_putting_inserts_or_changes(db: Database) -> None:
    def body() -> Step[list[Any]]:
        seen = []
        for state in ("x", "y"):
            changed = yield things.PUT.run(id="a", state=state, count=0)
            seen.append((changed, *(yield things.FIND.one(id="a"))))
        return seen

    assert await db.transact(body) == [(1, "a", "x", 0), (1, "a", "y", 1)]


@pytest.mark.parametrize(("state", "changed"), [("new", 1), ("open", 0)])
async def test_putting_may_ask_for_a_state(db: Database, state: str, changed: int) -> None:
    await db.transact(add, "a", state=state)
    assert await db.transact(_once, things.PUT_NEW.run(id="a", state="x", count=9)) == changed
    assert (await db.read(find, "a")) == ("a", "x" if changed else state, 0)


@pytest.mark.race
async def test_one_of_many_rivals_takes_the_key(db: Database) -> None:
    answers = await asyncio.gather(
        *(db.transact(_once, things.TAKE.run(id="a", state=str(n), count=0)) for n in range(40))
    )
    assert sorted(answers) == [0] * 39 + [1]
    assert (await db.read(find, "a")).state == str(answers.index(1))


@pytest.mark.race
async def test_one_of_many_rivals_wins_the_compare_and_set(db: Database) -> None:
    await db.transact(add, "a")
    answers = await asyncio.gather(
        *(db.transact(_once, things.CLOSE.run(id="a")) for _ in range(40))
    )
    assert sorted(answers) == [0] * 39 + [1]


@pytest.mark.race
async def test_no_increment_is_lost(db: Database) -> None:
    await db.transact(add, "a")
    rows = await asyncio.gather(
        *(db.transact(_once, things.COUNT_UP.one(id="a")) for _ in range(60))
    )
    assert sorted(row.count for row in rows) == list(range(1, 61))


# --- wake-up calls ----------------------------------------------------------------------------------


async def test_a_call_comes_after_commit(db: Database) -> None:
    async with db.bus.subscribe("t") as subscription:
        transaction = db.transact(add, "a", wake="t")
        assert await subscription.wait(10)
        assert await db.read(ids) == ["a"], "whoever is woken sees what it was woken for"
        await transaction


async def test_what_was_rolled_back_calls_nobody(db: Database) -> None:
    def body() -> Step[None]:
        yield Wake("t")
        raise Refused

    async with db.bus.subscribe("t") as subscription:
        with pytest.raises(Refused):
            await db.transact(body)
        await db.transact(add, "a")
        assert not await subscription.wait(0)


# --- misuse -----------------------------------------------------------------------------------------


def _yields_garbage() -> Step[None]:
    yield from add("bad")
    yield "SELECT 1"  # type: ignore[misc]


def _is_no_generator() -> Any:
    return 7


def _misses_a_parameter() -> Step[None]:
    yield things.ADD.run(id="bad", state="x")


def _has_an_unknown_parameter() -> Step[None]:
    yield things.ADD.run(id="bad", state="x", count=0, colour="red")


def _has_an_unknown_parameter_beside_a_constant() -> Step[None]:
    yield things.CLOSE.run(id="bad", colour="red")


def _sets_a_constant() -> Step[None]:
    yield things.CLOSE.run(id="bad", state="red")


def _asks_rows_of_a_change() -> Step[None]:
    yield things.CLOSE.one(id="bad")


def _asks_all_rows_of_a_change() -> Step[None]:
    yield things.CLOSE.all(id="bad")


def _counts_a_selection() -> Step[None]:
    yield things.ALL.run()


def _repeats_a_selection() -> Step[None]:
    yield things.ALL.many([{}])


MISUSES = [
    _yields_garbage,
    _is_no_generator,
    _misses_a_parameter,
    _has_an_unknown_parameter,
    _has_an_unknown_parameter_beside_a_constant,
    _sets_a_constant,
    _asks_rows_of_a_change,
    _asks_all_rows_of_a_change,
    _counts_a_selection,
    _repeats_a_selection,
]


@pytest.mark.parametrize("body", MISUSES)
async def test_a_misuse_is_told_and_nothing_is_kept(
    db: Database, body: Callable[[], Step[None]]
) -> None:
    with pytest.raises(Misused):
        await db.transact(body)
    await db.transact(add, "good")
    assert await db.read(ids) == ["good"]


async def test_a_body_that_will_not_end_is_told(db: Database) -> None:
    def body() -> Step[None]:
        try:
            yield "garbage"  # type: ignore[misc]
        finally:
            yield MOMENT

    with pytest.raises(RuntimeError, match="GeneratorExit"):
        await db.transact(body)
    await db.transact(add, "good")
    assert await db.read(ids) == ["good"]


# --- reading ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["read", "scan"])
@pytest.mark.parametrize(
    "call",
    [
        things.ADD.run(id="a", state="x", count=0),
        things.COUNT_UP.one(id="a"),
        things.LOCK.one(id="a"),
        things.ADD.many([{"id": "a", "state": "x", "count": 0}]),
        Wake("t"),
    ],
)
async def test_a_read_writes_nothing(db: Database, way: str, call: Any) -> None:
    with pytest.raises(Misused):
        await getattr(db, way)(_once, call)
    assert await db.read(ids) == []
    await db.transact(add, "a")


@pytest.mark.parametrize("way", ["read", "scan"])
async def test_a_refusal_passes_through_a_read(db: Database, way: str) -> None:
    def body() -> Step[None]:
        yield things.SIZE.one()
        raise Refused

    with pytest.raises(Refused):
        await getattr(db, way)(body)
    assert await getattr(db, way)(ids) == []


async def test_a_read_sees_all_that_was_acknowledged(db: Database) -> None:
    async def write_and_look(number: int) -> None:
        await db.transact(add, str(number))
        assert await db.read(find, str(number)) is not None
        assert await db.scan(find, str(number)) is not None

    await asyncio.gather(*(write_and_look(number) for number in range(60)))


async def test_a_scan_sees_one_state(db: Database, database_url: str) -> None:
    def body() -> Step[list[int]]:
        first = yield things.SIZE.one()
        _write_from_outside(database_url)
        return [first.size, (yield things.SIZE.one()).size]

    await db.transact(add, "a")
    assert await db.scan(body) == [1, 1]
    assert await db.read(ids) == ["a", "outside"]


def _write_from_outside(url: str) -> None:
    """Commit a row by another connection while a body stands still."""
    statement = "INSERT INTO thing VALUES ('outside', 'x', 0)"
    if is_sqlite(url):
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(sqlite_path(url))) as connection, connection:
            connection.execute(statement)
    else:
        thread = threading.Thread(target=lambda: asyncio.run(execute(url, statement)))
        thread.start()
        thread.join()


# --- coming and going -------------------------------------------------------------------------------


async def test_a_caller_who_leaves_changes_nothing(
    db: Database, database_url: str, clock: StandingClock
) -> None:
    waiters = [asyncio.ensure_future(db.transact(add, str(number))) for number in range(20)]
    tasks = [asyncio.create_task(_wait_for(waiter)) for waiter in waiters]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await db.close()
    again = database_of(database_url, clock=clock)
    await again.open()
    assert len(await again.read(ids)) == 20
    await again.close()


async def test_a_caller_who_leaves_is_not_told_of_a_refusal(db: Database) -> None:
    db.transact(add_and_refuse, "a").cancel()
    await db.transact(add, "b")
    assert await db.read(ids) == ["b"]


async def _wait_for(future: asyncio.Future[None]) -> None:
    await future


async def test_closing_finishes_what_was_accepted(
    db: Database, database_url: str, clock: StandingClock
) -> None:
    accepted = [db.transact(add, f"{number:02}") for number in range(30)]
    await db.close()
    await asyncio.gather(*accepted)
    with pytest.raises(StoreClosed):
        await db.transact(add, "late")
    with pytest.raises(StoreClosed):
        await db.read(ids)
    with pytest.raises(StoreClosed):
        await db.scan(ids)
    await db.close()
    again = database_of(database_url, clock=clock)
    await again.open()
    assert len(await again.read(ids)) == 30
    await again.close()


async def test_before_opening_nothing_runs(database_url: str, clock: StandingClock) -> None:
    closed = database_of(database_url, clock=clock)
    with pytest.raises(StoreClosed):
        await closed.transact(add, "a")


@pytest.mark.parametrize("value", [0, -1, 1_774_000_000_123_456])
def test_microseconds_are_exact(value: int) -> None:
    assert (from_microseconds(value) - from_microseconds(0)) // timedelta(microseconds=1) == value
