"""A whole instance on a database of each kind, and ways to call it that no honest client offers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from identification.answers import frame_of
from identification.callers import PhoneCaller, SystemCaller, WebClient
from inkan.client import Phone
from inkan.store.database import Database
from support.clock import StandingClock
from support.world import World, world_on


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def web(world: World) -> AsyncIterator[WebClient]:
    client = WebClient(world.instance.application)
    yield client
    await client.aclose()


@pytest.fixture
async def phone(world: World) -> Phone:
    """The phone of 陳怡君."""
    return await world.bind("chen")


@pytest.fixture
def caller(web: WebClient, phone: Phone, clock: StandingClock) -> PhoneCaller:
    return PhoneCaller(web, phone, clock)


@pytest.fixture
async def system(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    """A registered system that says exactly what a test tells it to."""
    return await SystemCaller.registered(world, web, clock)


@pytest.fixture
async def made(system: SystemCaller) -> dict[str, Any]:
    return await system.created()


@pytest.fixture
async def held(made: dict[str, Any], phone: Phone):
    return await phone.open_frame(frame_of(made["doors"]["qr"]))
