"""A whole instance on a database of each kind."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.store.database import Database
from relying_parties.applicants import SEAL_AUTHORITY, Office
from support.clock import StandingClock
from support.world import World, world_on


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    """An instance with its ceremony held, spoken to over HTTP in this process."""
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def office(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Office]:
    """An instance that certifies seals too, with an applicant and two officers."""
    async with world_on(database, clock, tmp_path, ceremony=SEAL_AUTHORITY) as made:
        yield await Office.opened(made)
