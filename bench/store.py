"""The transaction of an identification: insert, look up with a join, compare-and-set, insert the event; COMMIT.

Each task repeats it without pause. Rates are wall time; CPU is user and system time of this process (server
processes of PostgreSQL excluded) divided by the transactions. Floor: the same statements on the bare driver,
without generators, queries or threads, 32 transactions to a COMMIT on SQLite and one on PostgreSQL. Both
databases stand on the disk that the temporary folder is on, and every COMMIT is synced to it.
"""

import asyncio
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    bindparam,
    select,
    update,
)

from inkan.kernel.clock import Clock
from inkan.kernel.ids import new_id, random_bytes
from inkan.store import migrate
from inkan.store.database import Database, Step, Wake
from inkan.store.outbox import Handler, Job, Outbox, enqueue
from inkan.store.postgresql import PostgreSQLDatabase
from inkan.store.query import Query, insert_row
from inkan.store.schema import NOW, JSONText, Moment, Serial
from inkan.store.sqlite import SQLiteDatabase

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from support.postgres import Cluster
from support.tables import create_tables
from support.tools import TOOLS

Figure = tuple[str, str, float, float | str | None, str]

metadata = MetaData()
certificate = Table(
    "certificate",
    metadata,
    Column("id", String, primary_key=True),
    Column("der", LargeBinary, nullable=False),
)
approval = Table(
    "approval",
    metadata,
    Column("id", String, primary_key=True),
    Column("certificate", String, nullable=False),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
event = Table(
    "event",
    metadata,
    Column("number", Serial, primary_key=True),
    Column("approval", String, nullable=False),
    Column("details", JSONText, nullable=False),
    Column("at", Moment, nullable=False),
)
CERTIFICATES = 100
LIFE = timedelta(seconds=180)

ADD_CERTIFICATE = insert_row(certificate)
OPEN = Query(
    approval.insert().values(
        id=bindparam("id"),
        certificate=bindparam("certificate"),
        state="opened",
        version=1,
        expires_at=NOW + LIFE,
    )
)
FIND = Query(
    select(approval.c.state, approval.c.version, certificate.c.der).where(
        approval.c.id == bindparam("id"), certificate.c.id == approval.c.certificate
    )
)
DECIDE = Query(
    update(approval)
    .values(state="decided", version=approval.c.version + 1)
    .where(
        approval.c.id == bindparam("id"),
        approval.c.state == "opened",
        approval.c.version == bindparam("version"),
        approval.c.expires_at > NOW,
    )
)
RECORD = Query(
    event.insert().values(
        approval=bindparam("approval"), details=bindparam("details", type_=JSONText), at=NOW
    )
)


def decide(name: str, number: int) -> Step[int]:
    yield OPEN.run(id=name, certificate=f"c{number % CERTIFICATES}")
    row = yield FIND.one(id=name)
    changed: int = yield DECIDE.run(id=name, version=row.version)
    yield RECORD.run(approval=name, details={"use_case": "decide", "door": "qr"})
    return changed


def find(name: str) -> Step[Any]:
    return (yield FIND.one(id=name))


def seed() -> Step[None]:
    for number in range(CERTIFICATES):
        yield ADD_CERTIFICATE.run(id=f"c{number}", der=random_bytes(800))


async def measure(
    tasks: int, each: Callable[[], Awaitable[object]], *, count: int
) -> tuple[float, float]:
    """Return calls per second and µs of CPU a call, of ``tasks`` tasks side by side."""

    async def work() -> None:
        for _ in range(count // tasks):
            await each()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(tasks)))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return count / wall, cpu / count * 1e6


async def transactions(
    db: Database, tasks: int, *, count: int, names: list[str]
) -> tuple[float, float]:
    async def one() -> None:
        names.append(new_id("apr"))
        if await db.transact(decide, names[-1], len(names)) != 1:
            raise AssertionError

    return await measure(tasks, one, count=count)


# --- SQLite -----------------------------------------------------------------------------------------


async def sqlite(folder: Path) -> list[Figure]:
    url = f"sqlite:///{folder}/bench.db"
    migrate.upgrade(url)
    await create_tables(url, metadata)
    floor_us, floor_cpu_us = await sqlite_floor(folder / "floor.db")
    db = SQLiteDatabase(folder / "bench.db", clock=Clock())
    await db.open()
    await db.transact(seed)
    names: list[str] = []
    await transactions(db, 8, count=400, names=names)
    rows: list[Figure] = []
    for tasks, count in ((1, 1500), (8, 8000), (32, 24000), (128, 24000)):
        rate, cpu_us = await transactions(db, tasks, count=count, names=names)
        rows.append((f"SQLite, {tasks} tasks", "tx/s", rate, 1e6 / floor_us, "peer: floor"))
        rows.append((f"SQLite, {tasks} tasks, CPU", "µs/tx", cpu_us, floor_cpu_us, "peer: floor"))
    found = iter(names)
    _, read_us = await measure(1, lambda: db.read(find, next(found)), count=10000)
    _, scan_us = await measure(1, lambda: db.scan(find, next(found)), count=3000)
    rows.append(("SQLite, point read, CPU", "µs", read_us, scan_us, "peer: the same in a thread"))
    rows.append(("SQLite, COMMIT to waiter, p50", "ms", await wake(db), "<= 5", ""))
    rows.append(
        ("SQLite, outbox", "jobs/s", await outbox(db, count=4000), None, "after enqueueing")
    )
    await db.close()
    return rows


async def sqlite_floor(path: Path, *, count: int = 16000, batch: int = 32) -> tuple[float, float]:
    """µs of wall time and of CPU for a transaction on the bare driver."""
    await create_tables(f"sqlite:///{path}", metadata)
    begin, look, decided, recorded = (q.plan("sqlite").sql for q in (OPEN, FIND, DECIDE, RECORD))
    values = {query: _bound(query, "sqlite") for query in (OPEN, DECIDE, RECORD)}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=4000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("INSERT INTO certificate VALUES ('c0', zeroblob(800))")
        cursor = connection.cursor()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count // batch):
            cursor.execute("BEGIN IMMEDIATE")
            for _ in range(batch):
                name = new_id("apr")
                cursor.execute(begin, values[OPEN](name))
                version = cursor.execute(look, (name,)).fetchone()[1]
                cursor.execute(decided, values[DECIDE](name, version))
                cursor.execute(recorded, values[RECORD](name))
            cursor.execute("COMMIT")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return wall / count * 1e6, cpu / count * 1e6


def _bound(query: Query, dialect: Any) -> Callable[..., list[Any]]:
    """The driver's arguments of a query, all constant but the name and the version."""
    given = {
        OPEN: {"id": "{name}", "certificate": "c0"},
        DECIDE: {"id": "{name}", "version": "{version}"},
        RECORD: {"approval": "{name}", "details": {"use_case": "decide", "door": "qr"}},
    }[query]
    template = query.plan(dialect).bind(given, Clock().now)

    def arguments(name: str, version: int = 0) -> list[Any]:
        places = {"{name}": name, "{version}": version}
        return [places.get(value, value) for value in template]

    return arguments


# --- PostgreSQL -------------------------------------------------------------------------------------


async def postgresql(folder: Path) -> list[Figure]:
    binaries = TOOLS["postgresql"].find()
    if binaries is None:
        return []
    cluster = Cluster(folder / "pg", binaries=binaries, durable=True)
    cluster.create()
    cluster.start()
    try:
        await asyncio.to_thread(migrate.upgrade, cluster.url())
        await create_tables(cluster.url(), metadata)
        return await _postgresql(cluster.url())
    finally:
        cluster.stop()


async def _postgresql(url: str) -> list[Figure]:
    db = PostgreSQLDatabase(url, clock=Clock())
    await db.open()
    await db.transact(seed)
    names: list[str] = []
    await transactions(db, 8, count=400, names=names)
    rows: list[Figure] = []
    for tasks, count in ((1, 600), (8, 4000), (32, 4000)):
        floor_rate, floor_cpu_us = await postgresql_floor(url, min(tasks, 6), count=count)
        rate, cpu_us = await transactions(db, tasks, count=count, names=names)
        rows.append((f"PostgreSQL, {tasks} tasks", "tx/s", rate, floor_rate, "peer: floor"))
        rows.append(
            (f"PostgreSQL, {tasks} tasks, CPU", "µs/tx", cpu_us, floor_cpu_us, "peer: floor")
        )
    found = iter(names)
    rate, read_us = await measure(2, lambda: db.read(find, next(found)), count=4000)
    rows.append(("PostgreSQL, point read, CPU", "µs", read_us, None, f"{rate:,.0f}/s by 2 tasks"))
    rows.append(("PostgreSQL, COMMIT to waiter, p50", "ms", await wake(db), "<= 5", "same process"))
    other = PostgreSQLDatabase(url, clock=Clock())
    await other.open()
    there = await wake(db, other)
    rows.append(("PostgreSQL, COMMIT to waiter elsewhere, p50", "ms", there, None, "by NOTIFY"))
    await other.close()
    rows.append(
        ("PostgreSQL, outbox", "jobs/s", await outbox(db, count=2000), None, "after enqueueing")
    )
    await db.close()
    return rows


async def postgresql_floor(url: str, connections: int, *, count: int) -> tuple[float, float]:
    """Transactions per second and µs of CPU each, on bare connections."""
    import asyncpg

    begin, look, decided, recorded = (
        q.plan("postgresql").sql for q in (OPEN, FIND, DECIDE, RECORD)
    )
    values = {query: _bound(query, "postgresql") for query in (OPEN, DECIDE, RECORD)}
    pool = [await asyncpg.connect(url) for _ in range(connections)]
    free = list(pool)

    async def one() -> None:
        connection = free.pop()
        name = new_id("apr")
        await connection.execute("BEGIN")
        await connection.execute(begin, *values[OPEN](name))
        version = (await connection.fetchrow(look, name))[1]
        await connection.execute(decided, *values[DECIDE](name, version))
        await connection.execute(recorded, *values[RECORD](name))
        await connection.execute("COMMIT")
        free.append(connection)

    await measure(connections, one, count=connections * 20)
    figures = await measure(connections, one, count=count)
    for connection in pool:
        await connection.close()
    return figures


# --- both -------------------------------------------------------------------------------------------


async def wake(db: Database, there: Database | None = None, *, count: int = 200) -> float:
    """The median ms from a COMMIT's answer to the waiter it wakes."""
    times = []

    def call() -> Step[None]:
        yield Wake("bench")

    async with (there or db).bus.subscribe("bench") as subscription:
        for _ in range(count):
            waiter = asyncio.create_task(subscription.wait(5))
            await asyncio.sleep(0)
            start = time.perf_counter()
            await db.transact(call)
            if not await waiter:
                raise AssertionError
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


async def outbox(db: Database, *, count: int) -> float:
    """Jobs per second of one worker that finds ``count`` waiting."""

    async def deliver(job: Job) -> None:
        del job

    await asyncio.gather(*(db.transact(enqueue, "bench", b"x" * 200) for _ in range(count)))
    worker = Outbox(db, {"bench": Handler(deliver, concurrency=100)})
    start = time.perf_counter()
    if await worker.run_due() != count:
        raise AssertionError
    return count / (time.perf_counter() - start)


def figures() -> Iterator[Figure]:
    folder = Path(tempfile.mkdtemp(prefix="ik"))
    folder.chmod(0o711)
    try:
        for database in (sqlite, postgresql):
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                yield from runner.run(database(folder))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    from run import Figure as Line
    from run import table

    print(table(Line(*row) for row in figures()))
