"""Group commit: one COMMIT for many, and no body harms another."""

import asyncio
import sqlite3
from contextlib import closing

import pytest

from inkan.store.database import (
    RowExists,
    RowMissing,
    Step,
    StoreDamaged,
    StoreFull,
    StoreOutcomeUnknown,
    Wake,
)
from inkan.store.plan import Misused
from inkan.store.sqlite.writer import BODIES_PER_COMMIT
from support import things
from support.things import Refused, add, find, ids, once
from support.writer_bench import Bench, adding, error, failing, outside, refusing, skip_first


def orphan() -> Step[None]:
    """Breaks a reference that is looked at in COMMIT only."""
    yield from add("guilty")
    yield things.ADD_LATE.run(id="x", thing="nobody")


def garbage() -> Step[None]:
    yield from add("bad")
    yield 7  # type: ignore[misc]


# --- one COMMIT for many ----------------------------------------------------------------------------


async def test_bodies_that_wait_share_a_commit(bench: Bench) -> None:
    results = await bench.together(*(adding(str(n)) for n in range(10)))
    assert results == [None] * 10
    assert bench.commits == 1
    assert bench.executed.count("BEGIN IMMEDIATE") == 1
    assert bench.executed.count("SAVEPOINT body") == 10
    assert len(await bench.db.read(ids)) == 10


async def test_one_body_alone_needs_no_savepoint(bench: Bench) -> None:
    await bench.together(adding("a"))
    assert [sql for sql in bench.executed if "INSERT" not in sql] == ["BEGIN IMMEDIATE", "COMMIT"]
    (refused,) = await bench.together(refusing("b"))
    assert isinstance(refused, Refused)
    assert [sql for sql in bench.executed if "INSERT" not in sql] == ["BEGIN IMMEDIATE", "ROLLBACK"]
    assert await bench.db.read(ids) == ["a"]


async def test_a_drain_is_bounded(bench: Bench) -> None:
    await bench.together(*(adding(str(n)) for n in range(BODIES_PER_COMMIT + 2)))
    assert bench.commits == 2


async def test_bodies_run_in_the_order_they_came(bench: Bench) -> None:
    results = await bench.together(
        *(lambda n=n: once(things.PUT.run(id="a", state=str(n), count=0)) for n in range(9))
    )
    assert results == [1] * 9
    assert await bench.db.read(find, "a") == ("a", "8", 8)


async def test_a_failing_body_harms_no_neighbour(bench: Bench) -> None:
    await bench.db.transact(add, "taken")
    bodies = [
        adding("a"),
        refusing("b"),
        adding("c"),
        adding("taken"),
        lambda: once(things.ADD_PART.one(thing="nobody", name="x")),
        adding("d"),
        garbage,
        lambda: 7,
        adding("e"),
    ]
    results = await bench.together(*bodies)
    assert [type(result) for result in results] == [
        type(None), Refused, type(None), RowExists, RowMissing, type(None), Misused, Misused, type(None),
    ]  # fmt: skip
    assert bench.commits == 1
    assert await bench.db.read(ids) == ["a", "c", "d", "e", "taken"]


async def test_nothing_is_told_before_commit(bench: Bench, sqlite_url: str) -> None:
    futures: dict[str, asyncio.Future[None]] = {}
    told_early: list[set[str]] = []

    def look(sql: str) -> None:
        if sql == "COMMIT":
            told = {name for name, future in futures.items() if future.done()}
            kept = {name for (name,) in other.execute("SELECT id FROM thing")}
            told_early.append(told - kept)

    with closing(outside(sqlite_url)) as other:
        bench.plant = look
        for number in range(50):
            futures[str(number)] = bench.db.transact(add, str(number))
            await asyncio.sleep(0)
        await asyncio.gather(*futures.values())
    assert told_early
    assert not any(told_early)


# --- COMMIT fails -----------------------------------------------------------------------------------


async def test_a_guilty_body_alone_fails_at_commit(bench: Bench) -> None:
    results = await bench.together(adding("a"), orphan, adding("b"), refusing("c"))
    assert [type(result) for result in results] == [type(None), RowMissing, type(None), Refused]
    assert await bench.db.read(ids) == ["a", "b"]


async def test_a_refusal_that_rested_on_a_guilty_neighbour_is_taken_back(bench: Bench) -> None:
    def take() -> Step[int]:
        return (yield things.TAKE.run(id="guilty", state="taken", count=0))

    results = await bench.together(orphan, take)
    assert isinstance(results[0], RowMissing)
    assert results[1] == 1


async def test_a_call_of_the_run_that_was_taken_back_wakes_nobody(bench: Bench) -> None:
    def depends() -> Step[None]:
        if (yield things.FIND.one(id="guilty")) is None:
            raise Refused
        yield Wake("t")

    async with bench.db.bus.subscribe("t") as subscription:
        results = await bench.together(orphan, depends)
        assert [type(result) for result in results] == [RowMissing, Refused]
        assert not await subscription.wait(0)


async def test_bodies_run_again_when_the_disk_was_full_for_all(bench: Bench) -> None:
    bench.plant = failing("COMMIT", sqlite3.SQLITE_FULL)
    # The first COMMIT of `together` belongs to the holder
    bench.plant = skip_first("COMMIT", bench.plant)
    results = await bench.together(adding("a"), adding("b"), refusing("c"))
    assert [type(result) for result in results] == [type(None), type(None), Refused]
    assert await bench.db.read(ids) == ["a", "b"]


async def test_a_full_disk_is_told_to_all_and_ends(bench: Bench) -> None:
    bench.plant = skip_first("COMMIT", failing("COMMIT", sqlite3.SQLITE_FULL, times=3))
    results = await bench.together(adding("a"), adding("b"))
    assert [type(result) for result in results] == [StoreFull, StoreFull]
    await bench.db.transact(add, "c")
    assert await bench.db.read(ids) == ["c"]


async def test_a_transaction_that_the_engine_ended_takes_no_neighbour_along(bench: Bench) -> None:
    """A full disk may end the whole transaction, savepoints and all, in the midst of a body."""
    ended = []

    def plant(sql: str) -> None:
        if sql.startswith("INSERT INTO part") and not ended:
            ended.append(sql)
            bench.db._writer._connection.rollback()
            raise error(sqlite3.SQLITE_FULL)

    def body() -> Step[None]:
        yield things.PART.run(thing="a", name="x")

    bench.plant = plant
    results = await bench.together(adding("a"), adding("b"), body, adding("c"))
    assert results == [None] * 4
    assert await bench.db.read(ids) == ["a", "b", "c"]


async def test_a_failed_sync_leaves_the_outcome_open_and_ends_writing(bench: Bench) -> None:
    bench.plant = skip_first("COMMIT", failing("COMMIT", sqlite3.SQLITE_IOERR_FSYNC))
    results = await bench.together(adding("a"), adding("b"))
    assert [type(result) for result in results] == [StoreOutcomeUnknown, StoreOutcomeUnknown]
    with pytest.raises(StoreDamaged):
        await bench.db.transact(add, "c")
    assert await bench.db.read(ids) == []


async def test_a_failed_sync_ends_writing_for_the_rest_of_the_drain(bench: Bench) -> None:
    """The drain is taken back as a whole, and of the bodies that then run alone the second fails to sync."""
    commits = [sqlite3.SQLITE_FULL, None, sqlite3.SQLITE_IOERR_FSYNC]

    def plant(sql: str) -> None:
        if sql == "COMMIT" and commits and (code := commits.pop(0)):
            raise error(code)

    bench.plant = skip_first("COMMIT", plant)
    results = await bench.together(adding("a"), adding("b"), adding("c"))
    assert [type(result) for result in results] == [type(None), StoreOutcomeUnknown, StoreDamaged]
    assert await bench.db.read(ids) == ["a"]


async def test_a_rollback_that_fails_ends_writing(bench: Bench) -> None:
    def plant(sql: str) -> None:
        if sql in {"COMMIT", "ROLLBACK"}:
            raise error(sqlite3.SQLITE_IOERR)

    bench.plant = plant
    with pytest.raises(StoreDamaged):
        await bench.db.transact(add, "a")
    bench.plant = lambda _: None
    with pytest.raises(StoreDamaged):
        await bench.db.transact(add, "b")
    assert await bench.db.read(ids) == []
