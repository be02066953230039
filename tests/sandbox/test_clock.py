"""The clock of a sandbox: forward only, for everybody, kept over a restart, and never production's."""

from datetime import timedelta
from pathlib import Path

import pytest

from inkan.composition import sandboxes
from inkan.sandbox import WrongDatabase
from inkan.sandbox.model import ClockOrder
from inkan.sandbox.rules import FARTHEST
from inkan.store.connect import database as database_of
from sandbox.conftest import Town
from sandbox.homes import sandbox_settings
from support.clock import StandingClock
from support.world import settings_for, world_on


async def test_a_system_moves_the_clock_for_everybody(town: Town, clock: StandingClock) -> None:
    other = await town.another()
    before = clock.now()
    moved = (await town.developer.call("POST", "clock", {"advance_s": 3600})).json()
    assert moved == {
        "now": "2026-04-01T02:00:00Z",
        "ahead_s": 3600,
        "may_advance": True,
        "scope": "instance",
    }
    assert (await other.call("GET", "clock")).json() == moved
    assert clock.now() - before == timedelta(hours=1)
    assert clock.wire_now() == before
    assert "sandbox.clock_advanced" in await town.world.events()


async def test_what_became_due_is_done(small: Town) -> None:
    session = await small.ask()
    await small.developer.call("POST", "clock", {"advance_s": 200})
    await session.refresh()
    assert session.view.state == "expired"


@pytest.mark.parametrize("step", [0, -1, 31_622_401, 1.5, "1", None, True])
async def test_never_back_and_never_at_once_for_years(
    small: Town, clock: StandingClock, step: object
) -> None:
    reply = await small.developer.call("POST", "clock", {"advance_s": step})
    assert reply.status == 400
    assert clock.offset == timedelta(0)


async def test_not_beyond_the_terms_of_the_authorities(small: Town, clock: StandingClock) -> None:
    clock.advance(FARTHEST - timedelta(seconds=10))
    reply = await small.developer.call("POST", "clock", {"advance_s": 11})
    assert (reply.status, reply.json()["most_s"]) == (409, 10)


async def test_an_operator_may_keep_the_clock(small: Town, clock: StandingClock) -> None:
    small.sandbox._parts.may_advance = False
    reply = await small.developer.call("POST", "clock", {"advance_s": 60})
    assert (reply.status, reply.json()["code"]) == (403, "sandbox_clock_stands")
    assert clock.offset == timedelta(0)
    assert (await small.developer.call("GET", "clock")).json()["may_advance"] is False


async def test_a_restart_does_not_turn_it_back(sqlite_url: str, tmp_path: Path) -> None:
    settings = sandbox_settings(tmp_path)
    for step in (timedelta(hours=5), timedelta(0)):
        clock = StandingClock()
        db = database_of(sqlite_url, clock=clock)
        await db.open()
        async with world_on(db, clock, tmp_path, settings=settings) as world:
            own = world.platform.sandbox
            assert own is not None
            if step:
                await world.agency()
                ((system, _),) = await world.platform.relying_parties.systems()
                await own.advance(system.id, ClockOrder(advance_s=int(step.total_seconds())))
            assert clock.offset == timedelta(hours=5)
        await db.close()


async def test_a_database_belongs_to_one_kind_of_instance(
    sqlite_url: str, tmp_path: Path, clock: StandingClock
) -> None:
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    try:
        async with world_on(db, clock, tmp_path, settings=sandbox_settings(tmp_path)) as world:
            with pytest.raises(WrongDatabase):
                await sandboxes.load(world.platform.pki, None, db)
    finally:
        await db.close()


async def test_a_sandbox_takes_no_founded_database(
    sqlite_url: str, tmp_path: Path, clock: StandingClock
) -> None:
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    try:
        async with world_on(db, clock, tmp_path, settings=settings_for(tmp_path)):
            pass
        with pytest.raises(WrongDatabase):
            async with world_on(db, clock, tmp_path, settings=sandbox_settings(tmp_path)):
                pass
    finally:
        await db.close()
