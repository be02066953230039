"""What only a server can do: collide, go away, call other processes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy import func, select

from inkan.kernel.errors import Malformed
from inkan.store.database import (
    RowExists,
    Step,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreOutcomeUnknown,
    StoreUnreachable,
)
from inkan.store.postgresql import PostgreSQLDatabase
from inkan.store.postgresql.connections import SETTINGS, SKEW_SAMPLES, Pool, measure_skew
from inkan.store.postgresql.notifier import PAYLOAD_BYTES, batches
from inkan.store.postgresql.transactions import TRIES
from inkan.store.query import Query
from support import things
from support.clock import StandingClock
from support.tables import create_tables, execute
from support.things import Refused, add, find, ids
from support.waiting import eventually

TRIP = Query(select(func.trip().label("done")))
TRIES_MADE = Query(select(func.tries_made().label("number")))

TRIPWIRE = """
CREATE SEQUENCE tries;
CREATE TABLE tripwire (state text NOT NULL, times integer NOT NULL);
CREATE FUNCTION tries_made() RETURNS integer LANGUAGE sql AS 'SELECT last_value::integer FROM tries';
CREATE FUNCTION trip() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE wire tripwire;
BEGIN
    SELECT * INTO wire FROM tripwire;
    IF nextval('tries') <= wire.times THEN
        RAISE EXCEPTION USING ERRCODE = wire.state, MESSAGE = 'A123456789';
    END IF;
    RETURN true;
END $$;
"""
OURS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'inkan'
"""
DIE_AT_COMMIT = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'die' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER die AFTER INSERT ON thing DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION die();
"""


@pytest.fixture
async def db(postgresql_url: str, clock: StandingClock) -> AsyncIterator[PostgreSQLDatabase]:
    await create_tables(postgresql_url, things.metadata)
    db = PostgreSQLDatabase(postgresql_url, clock=clock)
    await db.open()
    yield db
    await db.close()


async def trip(url: str, *, state: str, times: int) -> None:
    await execute(url, f"{TRIPWIRE} INSERT INTO tripwire VALUES ('{state}', {times})")


def add_over_the_wire(name: str) -> Step[int]:
    yield from add(name)
    yield TRIP.one()
    return (yield TRIES_MADE.one()).number


# --- collisions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["40001", "40P01", "57P01", "57P02", "08006", "25006"])
async def test_a_body_that_may_succeed_is_repeated(
    db: PostgreSQLDatabase, postgresql_url: str, state: str
) -> None:
    await trip(postgresql_url, state=state, times=2)
    assert await db.transact(add_over_the_wire, "a") == 3
    assert await db.read(ids) == ["a"]


@pytest.mark.parametrize(
    ("state", "refusal"),
    [("40001", StoreBusy), ("40P01", StoreBusy), ("57P01", StoreUnreachable)],
)
async def test_repeating_ends(
    db: PostgreSQLDatabase, postgresql_url: str, state: str, refusal: type[Exception]
) -> None:
    await trip(postgresql_url, state=state, times=100)
    with pytest.raises(refusal):
        await db.transact(add_over_the_wire, "a")
    assert (await db.read(_tries)).number == TRIES
    assert await db.read(ids) == []


def _tries() -> Step[Any]:
    return (yield TRIES_MADE.one())


@pytest.mark.parametrize(
    ("state", "refusal"),
    [
        ("53100", StoreFull),
        ("53200", StoreBusy),
        ("53300", StoreBusy),
        ("55P03", StoreBusy),
        ("58030", StoreDamaged),
        ("XX001", StoreDamaged),
        ("22021", Malformed),
        ("22012", asyncpg.DivisionByZeroError),
    ],
)
async def test_other_errors_are_named_at_once_and_quote_nothing(
    db: PostgreSQLDatabase, postgresql_url: str, state: str, refusal: type[Exception]
) -> None:
    await trip(postgresql_url, state=state, times=1)
    with pytest.raises(refusal) as caught:
        await db.transact(add_over_the_wire, "a")
    assert state in str(caught.value)
    assert "A123456789" not in "".join(_told(caught.value))
    assert await db.read(ids) == []


def _told(error: BaseException) -> list[str]:
    """All that a traceback of the error would print of it and its causes."""
    told = [str(error), *getattr(error, "__notes__", [])]
    following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told + (_told(following) if following else [])


async def test_values_of_constraints_and_parameters_are_not_quoted(db: PostgreSQLDatabase) -> None:
    def body(**values: Any) -> Step[None]:
        yield things.ADD.run(**{"id": "A123456789", "state": "x", "count": 0} | values)

    await db.transact(body)
    for values in ({}, {"count": "A123456789"}, {"id": "A123456789\0"}, {"id": "A123456789\ud800"}):
        with pytest.raises(Exception, match=r".") as caught:
            await db.transact(body, **values)
        assert "A123456789" not in "".join(_told(caught.value)), values
    with pytest.raises(RowExists, match="pk_thing"):
        await db.transact(body)


@pytest.mark.race
async def test_a_deadlock_is_resolved_by_repeating(
    db: PostgreSQLDatabase, postgresql_url: str, clock: StandingClock
) -> None:
    """The server ends the one of the two whose patience ends first: here the body's."""
    await execute(
        postgresql_url, f"ALTER DATABASE {_name(postgresql_url)} SET deadlock_timeout = 200"
    )
    impatient = PostgreSQLDatabase(postgresql_url, clock=clock)
    await impatient.open()
    rival = await asyncpg.connect(postgresql_url, server_settings={"deadlock_timeout": "60s"})
    runs = []

    def body() -> Step[None]:
        runs.append(1)
        yield things.COUNT_UP.one(id="b")
        yield things.COUNT_UP.one(id="a")

    await db.transact(add, "a", "b")
    async with rival.transaction():
        await rival.execute("UPDATE thing SET count = 10 WHERE id = 'a'")
        transaction = impatient.transact(body)
        waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
        await eventually(lambda: rival.fetchval(waiting))
        await rival.execute("UPDATE thing SET count = 10 WHERE id = 'b'")
    await transaction
    await rival.close()
    await impatient.close()
    assert len(runs) > 1
    assert [(await db.read(find, name)).count for name in "ab"] == [11, 11]


def _name(url: str) -> str:
    return url.split("/")[3].partition("?")[0]


# --- going away -------------------------------------------------------------------------------------


def terminate(url: str) -> None:
    """End all other connections to the database, from outside of the event loop."""
    import threading

    statement = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    thread = threading.Thread(target=lambda: asyncio.run(execute(url, statement)))
    thread.start()
    thread.join()


async def test_a_connection_lost_in_a_body_is_replaced(
    db: PostgreSQLDatabase, postgresql_url: str
) -> None:
    runs = []

    def body() -> Step[None]:
        yield from add("a")
        runs.append(1)
        if len(runs) == 1:
            terminate(postgresql_url)
        yield from add("b")

    await db.transact(body)
    assert len(runs) == 2
    assert await db.read(ids) == ["a", "b"]


@pytest.mark.parametrize("way", ["read", "scan"])
async def test_a_connection_lost_between_reads_is_replaced(
    db: PostgreSQLDatabase, postgresql_url: str, way: str
) -> None:
    await getattr(db, way)(ids)
    terminate(postgresql_url)
    assert await getattr(db, way)(ids) == []


async def test_a_connection_lost_in_commit_leaves_the_outcome_open(
    db: PostgreSQLDatabase, postgresql_url: str
) -> None:
    await execute(postgresql_url, DIE_AT_COMMIT)
    with pytest.raises(StoreOutcomeUnknown):
        await db.transact(add, "a", state="die")
    await db.transact(add, "b")
    assert await db.read(ids) == ["b"]


async def test_a_server_that_is_not_there_is_told(tmp_path: Any, clock: StandingClock) -> None:
    for url in (f"postgresql:///x?host={tmp_path}", "postgresql://inkan@127.0.0.1:9/x"):
        with pytest.raises(StoreUnreachable):
            await PostgreSQLDatabase(url, clock=clock).open()


async def test_a_database_that_is_not_there_is_told(
    postgresql_url: str, clock: StandingClock
) -> None:
    url = postgresql_url.replace("?", "_none?")
    with pytest.raises(StoreUnreachable):
        await PostgreSQLDatabase(url, clock=clock).open()


async def test_a_body_abandoned_by_its_connection_is_closed(
    db: PostgreSQLDatabase,
) -> None:
    ended = []

    def body() -> Step[None]:
        try:
            yield from add("a")
            raise Refused
        finally:
            ended.append(1)

    with pytest.raises(Refused):
        await db.transact(body)
    assert ended == [1]


# --- connections ------------------------------------------------------------------------------------


async def test_connections_are_bounded_and_all_come_back(
    postgresql_url: str, clock: StandingClock
) -> None:
    await create_tables(postgresql_url, things.metadata)
    db = PostgreSQLDatabase(postgresql_url, clock=clock, connections=4)
    await db.open()
    watcher = await asyncpg.connect(postgresql_url)
    seen = []

    async def watch() -> None:
        while True:
            seen.append(await watcher.fetchval(OURS))

    task = asyncio.create_task(watch())
    work = [db.transact(add, f"{n:03}") for n in range(100)]
    reads = [asyncio.create_task(db.read(ids)) for _ in range(100)]
    for read in reads[::3]:
        read.cancel()
    await asyncio.gather(*work, *reads, return_exceptions=True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 2 <= max(seen) <= 5, "four, and one that listens"
    assert len(await db.read(ids)) == 100
    await db.close()
    await eventually(lambda: _none_left(watcher))
    await watcher.close()


async def test_a_connection_left_in_a_transaction_is_not_used_again(postgresql_url: str) -> None:
    pool = Pool(postgresql_url, SETTINGS, limit=1)
    first = await pool.take()
    await first.execute("BEGIN")
    pool.give(first)
    second = await pool.take()
    assert second is not first
    pool.give(second)
    assert await pool.take() is second
    pool.give(second)
    await pool.close()


async def _none_left(watcher: Any) -> bool:
    return bool(await watcher.fetchval(OURS) == 0)


async def test_every_commit_is_durable_whatever_the_server_prefers(
    db: PostgreSQLDatabase,
) -> None:
    show = Query(select(func.current_setting("synchronous_commit").label("value")))

    def body() -> Step[str]:
        return (yield show.one()).value

    assert await db.transact(body) == "on", "the tests' own cluster says off"


# --- time -------------------------------------------------------------------------------------------


class Server:
    """A connection to a server whose clock is ``ahead``."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    async def fetchval(self, query: str) -> int:
        moment = datetime.now(UTC) + self.ahead
        return round(moment.timestamp() * 1_000_000)


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(seconds=-3)])
async def test_the_servers_clock_counts(ahead: timedelta) -> None:
    skew = await measure_skew(Server(ahead))
    assert abs(skew - ahead) < timedelta(seconds=0.5)
    assert SKEW_SAMPLES > 1


async def test_what_the_round_trip_explains_is_no_skew(
    db: PostgreSQLDatabase, clock: StandingClock
) -> None:
    assert db.now() == clock.now()


# --- calling other processes ------------------------------------------------------------------------


@pytest.fixture
async def other(
    db: PostgreSQLDatabase, postgresql_url: str, clock: StandingClock
) -> AsyncIterator[PostgreSQLDatabase]:
    """The same database in a second process (as far as the server can tell)."""
    other = PostgreSQLDatabase(postgresql_url, clock=clock)
    await other.open()
    yield other
    await other.close()


async def test_a_call_reaches_other_processes(
    db: PostgreSQLDatabase, other: PostgreSQLDatabase
) -> None:
    async with other.bus.subscribe("session:王") as there, db.bus.subscribe("session:王") as here:
        await db.transact(add, "a", wake="session:王")
        assert await here.wait(0), "at home it comes at once"
        assert await there.wait(10)
        assert await other.read(ids) == ["a"]
        assert not await here.wait(0.1), "and not a second time from the server"


async def test_many_calls_are_one_notification(
    db: PostgreSQLDatabase, other: PostgreSQLDatabase
) -> None:
    heard: list[list[str]] = []
    other.bus.publish = lambda topics: heard.append(list(topics))  # type: ignore[method-assign]
    await asyncio.gather(*(db.transact(add, str(n), wake=f"t{n}") for n in range(40)))
    await eventually(lambda: sum(map(len, heard)) >= 40)
    assert sorted(topic for topics in heard for topic in topics) == sorted(
        f"t{n}" for n in range(40)
    )
    assert len(heard) < 20


async def test_who_was_cut_off_looks_again_and_hears_again(
    db: PostgreSQLDatabase, other: PostgreSQLDatabase, postgresql_url: str
) -> None:
    async with other.bus.subscribe("t") as subscription:
        terminate(postgresql_url)
        assert await subscription.wait(10), "a call may have been missed: look"
        for number in range(200):
            await db.transact(add, str(number), wake="t")
            if await subscription.wait(0.05):
                break
        else:
            pytest.fail("nothing was heard after the connection was replaced")


@pytest.mark.parametrize("count", [0, 1, 400])
def test_a_notification_holds_what_it_can(count: int) -> None:
    topics = [f"session:{n}:{'印' * 20}" for n in range(count)]
    payloads = list(batches(topics))
    assert all(len(payload.encode()) <= PAYLOAD_BYTES for payload in payloads)
    import msgspec

    assert [t for payload in payloads for t in msgspec.json.decode(payload)] == topics
    assert len(payloads) <= 1 + count // 50
