"""A whole instance on a database of each kind, browsers before it and phones beside it."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from inkan.client import Phone
from inkan.store.database import Database
from portal.browsers import Browser
from support.clock import StandingClock
from support.world import World, world_on


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def phone(world: World) -> Phone:
    """The phone of 陳怡君."""
    return await world.bind("chen")


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.instance.application)


@pytest.fixture
def another(world: World) -> Callable[[], Browser]:
    """Further browsers, elsewhere."""
    return lambda: Browser(world.instance.application, address="198.51.100.9")
