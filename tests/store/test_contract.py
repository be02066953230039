"""What a transaction promises, on both databases."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from inkan.store.database import MOMENT, Database, RowExists, RowMissing, Step, Wake
from inkan.store.plan import Misused
from support import things
from support.things import Refused, add, add_and_refuse, find, ids, once

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
        for call in calls:
            yield call

    await db.transact(add, "a")
    with pytest.raises(refusal) as caught:
        await db.transact(body)
    assert "nobody" not in str(caught.value)
    assert await db.read(ids) == ["a"]


async def test_a_broken_check_is_no_refusal_but_a_fault(db: Database) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        await db.transact(once, things.ADD.run(id="a", state="x", count=-1))
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
    assert await db.transact(once, things.PUT_NEW.run(id="a", state="x", count=9)) == changed
    assert (await db.read(find, "a")) == ("a", "x" if changed else state, 0)


@pytest.mark.race
async def test_one_of_many_rivals_takes_the_key(db: Database) -> None:
    answers = await asyncio.gather(
        *(db.transact(once, things.TAKE.run(id="a", state=str(n), count=0)) for n in range(40))
    )
    assert sorted(answers) == [0] * 39 + [1]
    assert (await db.read(find, "a")).state == str(answers.index(1))


@pytest.mark.race
async def test_one_of_many_rivals_wins_the_compare_and_set(db: Database) -> None:
    await db.transact(add, "a")
    answers = await asyncio.gather(
        *(db.transact(once, things.CLOSE.run(id="a")) for _ in range(40))
    )
    assert sorted(answers) == [0] * 39 + [1]


@pytest.mark.race
async def test_no_increment_is_lost(db: Database) -> None:
    await db.transact(add, "a")
    rows = await asyncio.gather(
        *(db.transact(once, things.COUNT_UP.one(id="a")) for _ in range(60))
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
