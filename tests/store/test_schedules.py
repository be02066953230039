"""Recurring work: once an interval among all processes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from inkan.store.connect import database as database_of
from inkan.store.database import Database
from inkan.store.schedules import (
    LEASE_MARGIN,
    LONGEST_PAUSE,
    TOPIC,
    Schedule,
    Schedules,
    schedule_states,
)
from support.clock import START, StandingClock
from support.things import Refused
from support.waiting import eventually

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Work:
    """Counts its runs; refuses or waits as a test asks."""

    def __init__(self) -> None:
        self.runs: list[str] = []
        self.failure: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    def named(self, name: str, every: timedelta, **settings: Any) -> Schedule:
        async def run() -> None:
            self.runs.append(name)
            await self.gate.wait()
            if self.failure:
                raise self.failure

        return Schedule(every, run, **settings)


@pytest.fixture
def work() -> Work:
    return Work()


async def test_a_schedule_runs_at_once_and_then_each_interval(
    database: Database, work: Work, clock: StandingClock
) -> None:
    schedules = Schedules(database, {"crl": work.named("crl", HOUR)})
    assert await schedules.run_due() == ["crl"]
    assert await schedules.run_due() == []
    clock.tick(HOUR - timedelta(microseconds=1))
    assert await schedules.run_due() == []
    clock.tick(timedelta(microseconds=1))
    assert await schedules.run_due() == ["crl"]
    assert (schedules.ended, schedules.failed) == (2, 0)


async def test_missed_runs_are_made_up_by_one(
    database: Database, work: Work, clock: StandingClock
) -> None:
    schedules = Schedules(database, {"crl": work.named("crl", HOUR), "day": work.named("day", DAY)})
    assert await schedules.run_due() == ["crl", "day"]
    clock.advance(timedelta(days=365))
    assert await schedules.run_due() == ["crl", "day"], "the longest due first"
    assert await schedules.run_due() == []
    (crl, day) = await database.read(schedule_states)
    assert (crl.name, crl.next_due, crl.last_error) == ("crl", clock.now() + HOUR, None)
    assert (day.last_ended_at, day.next_due) == (clock.now(), clock.now() + DAY)


async def test_a_failed_run_is_tried_again_soon(
    database: Database, work: Work, clock: StandingClock
) -> None:
    quick = timedelta(seconds=5)
    schedules = Schedules(database, {"a": work.named("a", HOUR), "b": work.named("b", quick)})
    work.failure = Refused()
    await schedules.run_due()
    assert schedules.failed == 2
    states = await database.read(schedule_states)
    assert {state.last_error for state in states} == {"Refused"}
    clock.tick(quick)
    assert await schedules.run_due() == ["b"]
    work.failure = None
    clock.tick(LONGEST_PAUSE - quick)
    assert await schedules.run_due() == ["b", "a"]
    assert [state.last_error for state in await database.read(schedule_states)] == [None, None]


async def test_a_run_that_takes_too_long_is_ended(database: Database, work: Work) -> None:
    work.gate.clear()
    limit = timedelta(milliseconds=20)
    schedules = Schedules(database, {"a": work.named("a", HOUR, limit=limit)})
    assert await schedules.run_due() == ["a"]
    (state,) = await database.read(schedule_states)
    assert (state.last_error, schedules.failed) == ("TimeoutError", 1)


async def test_a_schedule_may_be_added_later(
    database: Database, work: Work, clock: StandingClock
) -> None:
    await Schedules(database, {"a": work.named("a", HOUR)}).run_due()
    both = Schedules(database, {"a": work.named("a", HOUR), "b": work.named("b", HOUR)})
    assert await both.run_due() == ["b"]
    assert await Schedules(database, {}).run_due() == []


async def test_a_process_that_dies_leaves_its_run_to_another(
    database_url: str, database: Database, work: Work, clock: StandingClock
) -> None:
    dying = database_of(database_url, clock=clock)
    await dying.open()
    limit = timedelta(minutes=2)
    work.gate.clear()
    first = asyncio.create_task(
        Schedules(dying, {"a": work.named("a", HOUR, limit=limit)}).run_due()
    )
    await eventually(lambda: work.runs == ["a"])
    second = Schedules(database, {"a": work.named("a", HOUR, limit=limit)})
    work.gate.set()
    await dying.close()
    await asyncio.gather(first, return_exceptions=True)
    assert await second.run_due() == []
    clock.tick(limit + LEASE_MARGIN)
    assert await second.run_due() == ["a"]
    assert work.runs == ["a", "a"]


@pytest.mark.race
async def test_of_many_processes_one_runs_it(
    database_url: str, database: Database, work: Work, clock: StandingClock
) -> None:
    table = {name: work.named(name, HOUR) for name in "abcdef"}
    databases = [database]
    if database.dialect == "postgresql":
        databases += [database_of(database_url, clock=clock, connections=4) for _ in range(3)]
        for other in databases[1:]:
            await other.open()
    runners = [Schedules(db, table) for db in databases * 2]
    ran = await asyncio.gather(*(runner.run_due() for runner in runners))
    assert sorted(work.runs) == list("abcdef")
    assert sorted(name for names in ran for name in names) == list("abcdef")
    for other in databases[1:]:
        await other.close()


async def test_a_running_runner_runs_side_by_side_and_hears(
    database: Database, work: Work, clock: StandingClock
) -> None:
    work.gate.clear()
    schedules = Schedules(database, {"a": work.named("a", HOUR), "b": work.named("b", HOUR)})
    task = asyncio.create_task(schedules.run())
    await eventually(lambda: sorted(work.runs) == ["a", "b"])
    work.gate.set()
    await eventually(lambda: _all_ended(database))
    clock.advance(HOUR)
    database.bus.publish([TOPIC])
    await eventually(lambda: schedules.ended == 4)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _all_ended(db: Database) -> bool:
    return all(state.last_ended_at for state in await db.read(schedule_states))


async def test_a_stopped_runner_leaves_its_run_to_the_next(
    database: Database, work: Work, clock: StandingClock
) -> None:
    work.gate.clear()
    schedules = {"a": work.named("a", HOUR)}
    task = asyncio.create_task(Schedules(database, schedules).run())
    await eventually(lambda: work.runs == ["a"])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (state,) = await database.read(schedule_states)
    assert (state.next_due, state.last_error) == (START, "cancelled")
    work.gate.set()
    assert await Schedules(database, schedules).run_due() == ["a"]
