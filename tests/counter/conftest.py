"""An instance with two offices on a database of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from counter.desk import Desk, desk_in
from inkan.store.database import Database
from support.clock import StandingClock
from support.world import World, world_on


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    """An instance with its ceremony held."""
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def desk(world: World) -> Desk:
    """An office with two clerks on duty, and one of its residents."""
    return await desk_in(world)
