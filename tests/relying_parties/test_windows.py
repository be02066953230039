"""Announced load tests, and the rotation of keys."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from inkan.accounts import Role
from inkan.composition.routes import rates_of
from inkan.composition.settings import Limits
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.relying_parties import LoadWindow, SystemNotFound, WindowStep
from inkan.relying_parties.api import principal_of
from inkan.relying_parties.model.window import (
    KeysFull,
    OwnWindow,
    WindowChanged,
    WindowNotFound,
    WindowWrong,
)
from inkan.relying_parties.service.windows import rate_of
from relying_parties.applicants import Office, hire
from relying_parties.hands import System
from support.world import World

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HOUR = timedelta(hours=1)


async def announced(office: Office, **bent: Any) -> LoadWindow:
    begins_at = office.world.clock.now() + 25 * HOUR
    wanted = {
        "begins_at": begins_at,
        "ends_at": begins_at + 2 * HOUR,
        "rate": 6000,
        "by": office.developer,
        **bent,
    }
    return await office.applications.announce("tax-office", **wanted)


async def rate(office: Office, *, after: timedelta) -> int | None:
    platform = office.world.platform
    [(system, _)] = await platform.relying_parties.systems()
    at = office.world.clock.now() + after
    return await platform.db.read(rate_of, system.id, at)


@pytest.mark.req("TW-67")
async def test_only_a_confirmed_window_raises_the_rate_and_only_inside(office: Office) -> None:
    await office.completed()
    window = await announced(office)
    assert await rate(office, after=26 * HOUR) is None
    await office.applications.decide_window(
        window.id, WindowStep.CONFIRM, by=office.first, seen=window.version
    )
    inside = [25 * HOUR, 26 * HOUR, 27 * HOUR - timedelta(seconds=1)]
    assert [await rate(office, after=each) for each in inside] == [6000, 6000, 6000]
    outside = [25 * HOUR - timedelta(seconds=1), 27 * HOUR]
    assert [await rate(office, after=each) for each in outside] == [None, None]
    events = await office.world.events()
    assert "relying_parties.window_announced" in events
    assert "relying_parties.window_confirmed" in events


@pytest.mark.req("TW-67")
@on_sqlite
async def test_a_window_lifts_the_rates_of_the_systems_calls(office: Office) -> None:
    await office.completed()
    window = await announced(office, rate=12_001)
    await office.applications.decide_window(
        window.id, WindowStep.CONFIRM, by=office.first, seen=window.version
    )
    rates = rates_of(Limits(sessions_per_minute=6_000))

    async def share() -> int:
        found = await office.world.platform.relying_parties.named("tax-office")
        return rates.share(principal_of(found))

    assert await share() == 1
    office.world.clock.advance(26 * HOUR)
    assert await share() == 3
    office.world.clock.advance(2 * HOUR)
    assert await share() == 1


@on_sqlite
async def test_a_window_that_was_taken_back_raises_nothing(office: Office) -> None:
    await office.completed()
    window = await announced(office)
    confirmed = await office.applications.decide_window(
        window.id, WindowStep.CONFIRM, by=office.first, seen=window.version
    )
    await office.applications.withdraw_window(
        window.id, by=office.developer, seen=confirmed.version
    )
    assert await rate(office, after=26 * HOUR) is None


@on_sqlite
@pytest.mark.parametrize(
    ("begins", "length", "rate"),
    [
        (HOUR, HOUR, 100),
        (91 * 24 * HOUR, HOUR, 100),
        (25 * HOUR, 9 * HOUR, 100),
        (25 * HOUR, -HOUR, 100),
        (25 * HOUR, 0 * HOUR, 100),
        (25 * HOUR, HOUR, 0),
        (25 * HOUR, HOUR, 10**9),
    ],
)
async def test_what_cannot_be_announced(
    office: Office, begins: timedelta, length: timedelta, rate: int
) -> None:
    await office.completed()
    begins_at = office.world.clock.now() + begins
    with pytest.raises(WindowWrong):
        await announced(office, begins_at=begins_at, ends_at=begins_at + length, rate=rate)


@on_sqlite
async def test_who_announces_and_who_confirms(office: Office) -> None:
    await office.completed()
    accounts = office.world.platform.accounts
    other = await hire(accounts, Role.DEVELOPER, Role.OPERATOR, name="other")
    with pytest.raises(SystemNotFound):
        await announced(office, by=other)
    window = await announced(office)
    with pytest.raises(OwnWindow):
        await office.applications.decide_window(
            window.id, WindowStep.CONFIRM, by=office.developer, seen=window.version
        )
    with pytest.raises(WindowNotFound):
        await office.applications.withdraw_window(window.id, by=other, seen=window.version)


async def test_of_two_who_decide_one_wins(office: Office) -> None:
    await office.completed()
    window = await announced(office)
    outcomes = await asyncio.gather(
        office.applications.decide_window(
            window.id, WindowStep.CONFIRM, by=office.first, seen=window.version
        ),
        office.applications.decide_window(
            window.id, WindowStep.REFUSE, by=office.second, seen=window.version
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, WindowChanged) for each in outcomes) == 1


# --- keys --------------------------------------------------------------------------------------------------


async def test_a_rotation_fails_no_call(world: World) -> None:
    old = await System.registered(world)
    parties = world.platform.relying_parties
    successor = System(world, old.code)
    assert (await old.ask()).status_code == 200
    await parties.add_key(old.code, jwk.to_jwk(successor.key.public_key()))
    for each in (old, successor, old, successor):  # both hold, in any order
        assert (await each.ask()).status_code == 200
    token = await old.token()
    ended = jwk.thumbprint(old.key.public_key())
    await parties.end_key(old.code, ended, at=world.clock.now())
    world.clock.advance(timedelta(milliseconds=1))
    assert (await successor.ask()).status_code == 200
    assert (await old.ask()).status_code == 401
    assert (await old.call(token)).status_code == 404  # what was under way ends by itself
    [left] = await parties.keys_of(old.code)
    assert left.thumbprint == jwk.thumbprint(successor.key.public_key())


async def test_a_third_key_finds_no_place(world: World) -> None:
    system = await System.registered(world)
    parties = world.platform.relying_parties
    publics = [jwk.to_jwk(generate(KeySpec.P256).public_key()) for _ in range(3)]
    outcomes = await asyncio.gather(
        *(parties.add_key(system.code, public) for public in publics), return_exceptions=True
    )
    assert sum(isinstance(each, KeysFull) for each in outcomes) == 2
    assert len(await parties.keys_of(system.code)) == 2


async def test_a_suspension_holds_from_the_next_request_on(world: World) -> None:
    system = await System.registered(world)
    token = await system.token()
    assert (await system.call(token)).status_code == 404
    await world.platform.relying_parties.suspend(system.code)
    assert (await system.call(token)).status_code == 403
    assert (await system.ask()).status_code == 401
    await world.platform.relying_parties.resume(system.code)
    assert (await system.call(token)).status_code == 404
