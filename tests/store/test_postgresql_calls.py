"""Connections to a server, its clock, and calls to other processes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest
from sqlalchemy import func, select

from inkan.store.database import Step
from inkan.store.postgresql import PostgreSQLDatabase
from inkan.store.postgresql.connections import SETTINGS, SKEW_SAMPLES, Pool, measure_skew
from inkan.store.postgresql.notifier import PAYLOAD_BYTES, batches
from inkan.store.query import Query
from support import things
from support.clock import StandingClock
from support.tables import create_tables, terminate
from support.things import add, ids
from support.waiting import eventually

OURS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name = 'inkan'
"""
# --- connections ------------------------------------------------------------------------------------


async def test_connections_are_bounded_and_all_come_back(
    postgresql_url: str, clock: StandingClock
) -> None:
    await create_tables(postgresql_url, things.metadata)
    server = PostgreSQLDatabase(postgresql_url, clock=clock, connections=4)
    await server.open()
    watcher = await asyncpg.connect(postgresql_url)
    seen = []

    async def watch() -> None:
        while True:
            seen.append(await watcher.fetchval(OURS))

    task = asyncio.create_task(watch())
    work = [server.transact(add, f"{n:03}") for n in range(100)]
    reads = [asyncio.create_task(server.read(ids)) for _ in range(100)]
    for read in reads[::3]:
        read.cancel()
    await asyncio.gather(*work, *reads, return_exceptions=True)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 2 <= max(seen) <= 5, "four, and one that listens"
    assert len(await server.read(ids)) == 100
    await server.close()
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
    server: PostgreSQLDatabase,
) -> None:
    show = Query(select(func.current_setting("synchronous_commit").label("value")))

    def body() -> Step[str]:
        return (yield show.one()).value

    assert await server.transact(body) == "on", "the tests' own cluster says off"


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
    server: PostgreSQLDatabase, clock: StandingClock
) -> None:
    assert server.now() == clock.now()


# --- calling other processes ------------------------------------------------------------------------


@pytest.fixture
async def other(
    server: PostgreSQLDatabase, postgresql_url: str, clock: StandingClock
) -> AsyncIterator[PostgreSQLDatabase]:
    """The same database in a second process (as far as the server can tell)."""
    other = PostgreSQLDatabase(postgresql_url, clock=clock)
    await other.open()
    yield other
    await other.close()


async def test_a_call_reaches_other_processes(
    server: PostgreSQLDatabase, other: PostgreSQLDatabase
) -> None:
    async with (
        other.bus.subscribe("session:王") as there,
        server.bus.subscribe("session:王") as here,
    ):
        await server.transact(add, "a", wake="session:王")
        assert await here.wait(0), "at home it comes at once"
        assert await there.wait(10)
        assert await other.read(ids) == ["a"]
        assert not await here.wait(0.1), "and not a second time from the server"


async def test_many_calls_are_one_notification(
    server: PostgreSQLDatabase, other: PostgreSQLDatabase
) -> None:
    heard: list[list[str]] = []
    other.bus.publish = lambda topics: heard.append(sorted(topics))  # type: ignore[method-assign]
    for number in range(10, 50):
        server._notifier.send([f"t{number}"])
    await eventually(lambda: bool(heard))
    assert heard == [[f"t{number}" for number in range(10, 50)]]


async def test_who_was_cut_off_looks_again_and_hears_again(
    server: PostgreSQLDatabase, other: PostgreSQLDatabase, postgresql_url: str
) -> None:
    async with other.bus.subscribe("t") as subscription:
        terminate(postgresql_url)
        assert await subscription.wait(10), "a call may have been missed: look"
        for number in range(200):
            await server.transact(add, str(number), wake="t")
            if await subscription.wait(0.05):
                break
        else:
            pytest.fail("nothing was heard after the connection was replaced")


@pytest.mark.parametrize("count", [0, 1, 400])
def test_a_notification_holds_what_it_can(count: int) -> None:
    topics = [f"session:{n}:{'印' * 20}" for n in range(count)]
    payloads = list(batches(topics))
    assert all(len(payload.encode()) <= PAYLOAD_BYTES for payload in payloads)
    assert [t for payload in payloads for t in msgspec.json.decode(payload)] == topics
    assert len(payloads) <= 1 + count // 50
