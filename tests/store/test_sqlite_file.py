"""The database file: full, held, damaged, private, and synced."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from inkan.store.connect import sqlite_path
from inkan.store.database import Step, StoreBusy, StoreDamaged, StoreFull
from inkan.store.sqlite import SQLiteDatabase
from support import things
from support.clock import StandingClock
from support.tables import create_tables
from support.things import add, ids
from support.writer_bench import Bench, adding, outside, skip_first


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
    with closing(outside(sqlite_url)) as other:
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
        with closing(outside(sqlite_url)) as other:
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
    with closing(outside(sqlite_url)) as other:
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
