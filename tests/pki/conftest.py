"""A whole instance on a database of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.store.database import Database
from support.clock import StandingClock
from support.world import World, world_on


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    """An instance with its ceremony held, spoken to over HTTP in this process."""
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def nation(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    """An instance whose authorities have 1,024 shards each."""
    async with world_on(database, clock, tmp_path, shards=1024) as made:
        yield made
