"""Reading, and coming and going, on both databases."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

from inkan.store.connect import database as database_of
from inkan.store.connect import is_sqlite, sqlite_path
from inkan.store.database import Database, Step, StoreClosed, Wake
from inkan.store.plan import Misused
from support import things
from support.clock import StandingClock
from support.tables import execute
from support.things import Refused, add, add_and_refuse, find, ids, once

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
        await getattr(db, way)(once, call)
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
