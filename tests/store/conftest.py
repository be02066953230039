"""A database of each kind that also holds the tables of ``support.things``."""

import pytest

from inkan.store.database import Database
from support import things
from support.tables import create_tables


@pytest.fixture
async def db(database_url: str, database: Database) -> Database:
    """Migrated, open, with the tables of ``support.things``: the test runs once for each kind."""
    await create_tables(database_url, things.metadata)
    return database
