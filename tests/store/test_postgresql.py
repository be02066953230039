"""What only a server can do: let rivals collide, and go away."""

import asyncio
from pathlib import Path
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
from inkan.store.postgresql.transactions import TRIES
from inkan.store.query import Query
from support import things
from support.clock import StandingClock
from support.tables import execute, terminate
from support.things import Refused, add, find, ids, once
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
DIE_AT_COMMIT = """
CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state = 'die' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER die AFTER INSERT ON thing DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION die();
"""


async def trip(url: str, *, state: str, times: int) -> None:
    await execute(url, f"{TRIPWIRE} INSERT INTO tripwire VALUES ('{state}', {times})")


def add_over_the_wire(name: str) -> Step[int]:
    yield from add(name)
    yield TRIP.one()
    return (yield TRIES_MADE.one()).number


# --- collisions -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["40001", "40P01", "57P01", "57P02", "08006", "25006"])
async def test_a_body_that_may_succeed_is_repeated(
    server: PostgreSQLDatabase, postgresql_url: str, state: str
) -> None:
    await trip(postgresql_url, state=state, times=2)
    assert await server.transact(add_over_the_wire, "a") == 3
    assert await server.read(ids) == ["a"]


async def test_a_schema_that_changes_under_a_statement_disturbs_nobody(
    server: PostgreSQLDatabase, postgresql_url: str
) -> None:
    await server.transact(add, "a")
    await asyncio.gather(*(server.transact(once, things.COUNT_UP.one(id="a")) for _ in range(20)))
    await execute(postgresql_url, "ALTER TABLE thing ALTER COLUMN count TYPE bigint")
    row = await server.transact(once, things.COUNT_UP.one(id="a"))
    assert row.count == 21
    assert (await server.read(find, "a")).count == 21


@pytest.mark.parametrize(
    ("state", "refusal"),
    [("40001", StoreBusy), ("40P01", StoreBusy), ("57P01", StoreUnreachable)],
)
async def test_repeating_ends(
    server: PostgreSQLDatabase, postgresql_url: str, state: str, refusal: type[Exception]
) -> None:
    await trip(postgresql_url, state=state, times=100)
    with pytest.raises(refusal):
        await server.transact(add_over_the_wire, "a")
    assert (await server.read(_tries)).number == TRIES
    assert await server.read(ids) == []


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
    server: PostgreSQLDatabase, postgresql_url: str, state: str, refusal: type[Exception]
) -> None:
    await trip(postgresql_url, state=state, times=1)
    with pytest.raises(refusal) as caught:
        await server.transact(add_over_the_wire, "a")
    assert state in str(caught.value)
    assert "A123456789" not in "".join(_told(caught.value))
    assert await server.read(ids) == []


def _told(error: BaseException) -> list[str]:
    """All that a traceback of the error would print of it and its causes."""
    told = [str(error), *getattr(error, "__notes__", [])]
    following = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return told + (_told(following) if following else [])


async def test_values_of_constraints_and_parameters_are_not_quoted(
    server: PostgreSQLDatabase,
) -> None:
    def body(**values: Any) -> Step[None]:
        yield things.ADD.run(**{"id": "A123456789", "state": "x", "count": 0} | values)

    await server.transact(body)
    for values in ({}, {"count": "A123456789"}, {"id": "A123456789\0"}, {"id": "A123456789\ud800"}):
        with pytest.raises(Exception, match=r".") as caught:
            await server.transact(body, **values)
        assert "A123456789" not in "".join(_told(caught.value)), values
    with pytest.raises(RowExists, match="pk_thing"):
        await server.transact(body)


@pytest.mark.race
async def test_a_deadlock_is_resolved_by_repeating(
    server: PostgreSQLDatabase, postgresql_url: str, clock: StandingClock
) -> None:
    """The server ends the one of the two whose patience ends first: here the body's."""
    await execute(
        postgresql_url, f"ALTER DATABASE {_name(postgresql_url)} SET deadlock_timeout = 700"
    )
    impatient = PostgreSQLDatabase(postgresql_url, clock=clock)
    await impatient.open()
    rival = await asyncpg.connect(postgresql_url, server_settings={"deadlock_timeout": "60s"})
    runs = []

    def body() -> Step[None]:
        runs.append(1)
        yield things.COUNT_UP.one(id="b")
        yield things.COUNT_UP.one(id="a")

    await server.transact(add, "a", "b")
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
    assert [(await server.read(find, name)).count for name in "ab"] == [11, 11]


def _name(url: str) -> str:
    return url.split("/")[3].partition("?")[0]


# --- going away -------------------------------------------------------------------------------------


async def test_a_connection_lost_in_a_body_is_replaced(
    server: PostgreSQLDatabase, postgresql_url: str
) -> None:
    runs = []

    def body() -> Step[None]:
        yield from add("a")
        runs.append(1)
        if len(runs) == 1:
            terminate(postgresql_url)
        yield from add("b")

    await server.transact(body)
    assert len(runs) == 2
    assert await server.read(ids) == ["a", "b"]


@pytest.mark.parametrize("way", ["read", "scan"])
async def test_a_connection_lost_between_reads_is_replaced(
    server: PostgreSQLDatabase, postgresql_url: str, way: str
) -> None:
    await getattr(server, way)(ids)
    terminate(postgresql_url)
    assert await getattr(server, way)(ids) == []


async def test_a_connection_lost_in_commit_leaves_the_outcome_open(
    server: PostgreSQLDatabase, postgresql_url: str
) -> None:
    await execute(postgresql_url, DIE_AT_COMMIT)
    with pytest.raises(StoreOutcomeUnknown):
        await server.transact(add, "a", state="die")
    await server.transact(add, "b")
    assert await server.read(ids) == ["b"]


async def test_a_server_that_is_not_there_is_told(tmp_path: Path, clock: StandingClock) -> None:
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
    server: PostgreSQLDatabase,
) -> None:
    ended = []

    def body() -> Step[None]:
        try:
            yield from add("a")
            raise Refused
        finally:
            ended.append(1)

    with pytest.raises(Refused):
        await server.transact(body)
    assert ended == [1]
