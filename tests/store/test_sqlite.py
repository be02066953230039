"""Group commit and what can go wrong with a file."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from inkan.store.connect import sqlite_path
from inkan.store.database import (
    RowExists,
    RowMissing,
    Step,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreOutcomeUnknown,
    Wake,
)
from inkan.store.plan import Misused
from inkan.store.sqlite import BODIES_PER_COMMIT, SQLiteDatabase
from support import things
from support.clock import StandingClock
from support.tables import create_tables
from support.things import Refused, add, add_and_refuse, find, ids

Plant = Callable[[str], None]


class Planted(sqlite3.Connection):
    """A connection that keeps what the writer executed, and fails where the test plants it."""

    bench: "Bench"

    def cursor(self) -> Any:  # type: ignore[override]
        return super().cursor(PlantedCursor)


class PlantedCursor(sqlite3.Cursor):
    def execute(self, sql: str, *arguments: Any) -> Any:
        connection = self.connection
        assert isinstance(connection, Planted)
        connection.bench.executed.append(sql)
        connection.bench.plant(sql)
        return super().execute(sql, *arguments)


class Bench:
    """An open database whose writer can be held, observed and made to fail."""

    def __init__(self, path: Path, clock: StandingClock) -> None:
        self.executed: list[str] = []
        self.plant: Plant = lambda _: None
        self.db = SQLiteDatabase(
            path, clock=clock, patience=timedelta(milliseconds=50), connect=self._connect
        )

    def _connect(self, *args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: Planted = sqlite3.connect(*args, factory=Planted, **kwargs)
        connection.bench = self
        return connection

    async def together(self, *bodies: Callable[[], Step[Any]]) -> list[Any]:
        """Run the bodies in one drain, and return what each ended with."""
        busy, go = threading.Event(), threading.Event()

        def hold() -> Step[None]:
            busy.set()
            assert go.wait(10)
            return
            yield

        held = self.db.transact(hold)
        await asyncio.to_thread(busy.wait, 10)
        futures = [self.db.transact(body) for body in bodies]
        self.executed.clear()
        go.set()
        await held
        results = await asyncio.gather(*futures, return_exceptions=True)
        # The drain of the holder ends with its COMMIT
        del self.executed[: self.executed.index("COMMIT") + 1]
        return results

    @property
    def commits(self) -> int:
        return self.executed.count("COMMIT")


@pytest.fixture
async def bench(sqlite_url: str, clock: StandingClock) -> AsyncIterator[Bench]:
    await create_tables(sqlite_url, things.metadata)
    bench = Bench(sqlite_path(sqlite_url), clock)
    await bench.db.open()
    yield bench
    bench.plant = lambda _: None
    await bench.db.close()


def adding(name: str) -> Callable[[], Step[None]]:
    return lambda: add(name)


def refusing(name: str) -> Callable[[], Step[None]]:
    return lambda: add_and_refuse(name)


def orphan() -> Step[None]:
    """Breaks a reference that is looked at in COMMIT only."""
    yield from add("guilty")
    yield things.ADD_LATE.run(id="x", thing="nobody")


def garbage() -> Step[None]:
    yield from add("bad")
    yield 7  # type: ignore[misc]


def error(code: int) -> sqlite3.OperationalError:
    failure = sqlite3.OperationalError("planted")
    failure.sqlite_errorcode = code
    return failure


def failing(statement: str, code: int, *, times: int = 1) -> Plant:
    """Fail at the first ``times`` executions of a statement."""
    left = [times]

    def plant(sql: str) -> None:
        if sql == statement and left[0]:
            left[0] -= 1
            raise error(code)

    return plant


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
        *(lambda n=n: iterate(things.PUT.run(id="a", state=str(n), count=0)) for n in range(9))
    )
    assert results == [1] * 9
    assert await bench.db.read(find, "a") == ("a", "8", 8)


def iterate(call: Any) -> Step[Any]:
    return (yield call)


async def test_a_failing_body_harms_no_neighbour(bench: Bench) -> None:
    await bench.db.transact(add, "taken")
    bodies = [
        adding("a"),
        refusing("b"),
        adding("c"),
        adding("taken"),
        lambda: iterate(things.ADD_PART.one(thing="nobody", name="x")),
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

    with closing(_outside(sqlite_url)) as other:
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


def skip_first(statement: str, plant: Plant) -> Plant:
    seen = [0]

    def later(sql: str) -> None:
        seen[0] += sql == statement
        if seen[0] > 1:
            plant(sql)

    return later


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


# --- the file ---------------------------------------------------------------------------------------


async def test_a_full_database_refuses_and_recovers(bench: Bench, sqlite_url: str) -> None:
    writer = bench.db._writer._connection
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count={pages + 8}")

    def bulky(name: str) -> Step[None]:
        yield things.ADD.run(id=name, state="x" * 3000, count=0)

    acknowledged = []
    refused = 0
    for wave in range(20):
        names = [f"{wave:02}{n}" for n in range(4)]
        results = await asyncio.gather(
            *(bench.db.transact(bulky, name) for name in names), return_exceptions=True
        )
        acknowledged += [name for name, result in zip(names, results, strict=True) if not result]
        assert {type(result) for result in results} <= {type(None), StoreFull}
        refused += sum(isinstance(result, StoreFull) for result in results)
    assert acknowledged
    assert refused > 40
    assert await bench.db.read(ids) == acknowledged
    assert await bench.db.find_damage() == []
    writer.execute("PRAGMA max_page_count=1000000")
    await bench.db.transact(bulky, "zz")
    assert await bench.db.read(ids) == [*acknowledged, "zz"]


async def test_another_process_that_holds_the_file_is_waited_for_and_told(
    bench: Bench, sqlite_url: str
) -> None:
    with closing(_outside(sqlite_url)) as other:
        bench.plant = skip_first(
            "BEGIN IMMEDIATE", lambda sql: other.in_transaction or other.execute("BEGIN IMMEDIATE")
        )
        results = await bench.together(adding("a"), adding("b"), adding("c"))
        assert [type(result) for result in results] == [StoreBusy] * 3
        assert bench.executed == ["BEGIN IMMEDIATE"], "the wait is not repeated for each"
        bench.plant = lambda _: None
        transaction = bench.db.transact(add, "d")
        other.execute("COMMIT")
        await transaction
    assert await bench.db.read(ids) == ["d"]


def _outside(url: str) -> sqlite3.Connection:
    return sqlite3.connect(sqlite_path(url), isolation_level=None, check_same_thread=False)


async def test_only_the_owner_may_read_the_files(tmp_path: Path, clock: StandingClock) -> None:
    path = tmp_path / "new.db"
    await create_tables(f"sqlite:///{path}", things.metadata)
    path.chmod(0o644)
    db = SQLiteDatabase(path, clock=clock)
    await db.open()
    await db.transact(add, "a")
    assert _modes(tmp_path) == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}
    await db.close()
    assert _modes(tmp_path) == {"new.db": 0o600}, "the log is folded in"
    path.unlink()
    await db.open()
    await db.close()
    assert _modes(tmp_path) == {"new.db": 0o600}


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def test_every_commit_reaches_the_disk(bench: Bench) -> None:
    writer = bench.db._writer._connection
    reader = bench.db._reader.connection
    for connection in (writer, reader):
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA foreign_keys").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM thing")


async def test_a_half_read_answer_keeps_no_old_state(bench: Bench, sqlite_url: str) -> None:
    """A statement left in the middle would pin the log, and it would grow for ever."""
    await bench.db.transact(add, *map(str, range(200)))

    def first() -> Step[Any]:
        return (yield things.ALL.one())

    for way in (bench.db.read, bench.db.scan, bench.db.transact):
        await way(first)
        await bench.db.transact(add, way.__name__)
        with closing(_outside(sqlite_url)) as other:
            busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0, way.__name__


async def test_what_is_no_database_is_told(tmp_path: Path, clock: StandingClock) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database " * 1000)
    with pytest.raises(StoreDamaged):
        await SQLiteDatabase(path, clock=clock).open()
    with pytest.raises(StoreDamaged):
        await SQLiteDatabase(tmp_path / "missing" / "x.db", clock=clock).open()


async def test_damage_is_found(bench: Bench, sqlite_url: str) -> None:
    assert await bench.db.find_damage() == []
    with closing(_outside(sqlite_url)) as other:
        other.execute("INSERT INTO part (thing, name) VALUES ('nobody', 'x')")
    assert await bench.db.find_damage() == ["row 1 of part refers to a missing row of thing"]


async def test_a_damaged_page_is_found(tmp_path: Path, clock: StandingClock) -> None:
    path = tmp_path / "x.db"
    await create_tables(f"sqlite:///{path}", things.metadata)
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = [(f"{n:05}", "x" * 50, 0) for n in range(2000)]
        connection.executemany("INSERT INTO thing VALUES (?, ?, ?)", rows)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = bytes(4096)
    path.write_bytes(content)
    db = SQLiteDatabase(path, clock=clock)
    await db.open()
    assert await db.find_damage() != []
    await db.close()


def test_a_loop_that_is_gone_stops_nobody(sqlite_url: str, clock: StandingClock) -> None:
    """A process that ends without closing: what was accepted is written, nobody is told, nothing hangs."""
    db = SQLiteDatabase(sqlite_path(sqlite_url), clock=clock)

    async def accept() -> None:
        await create_tables(sqlite_url, things.metadata)
        await db.open()
        db.transact(add, "a")

    asyncio.run(accept())
    db._writer._queue.put(None)
    db._writer._thread.join(10)
    assert not db._writer._thread.is_alive()
    db._reader.connection.close()
    db._scanner.connection.close()
    db._scans.shutdown()
    with closing(sqlite3.connect(sqlite_path(sqlite_url))) as connection:
        assert connection.execute("SELECT id FROM thing").fetchall() == [("a",)]
