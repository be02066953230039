"""A whole instance on SQLite, to be walked over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.store.connect import database as database_of
from support.clock import StandingClock
from support.world import World, world_on


@pytest.fixture
async def world(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    """An instance with its ceremony held; the walks ask nothing that depends on the kind of database."""
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with world_on(db, clock, tmp_path) as made:
        yield made
    await db.close()
