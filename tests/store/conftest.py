"""Databases that also hold the tables of ``support.things``, and a receiver of jobs."""

from collections.abc import AsyncIterator

import pytest

from inkan.store.connect import sqlite_path
from inkan.store.database import Database
from inkan.store.postgresql import PostgreSQLDatabase
from support import things
from support.clock import StandingClock
from support.receiver import Receiver
from support.tables import create_tables
from support.writer_bench import Bench


@pytest.fixture
async def db(database_url: str, database: Database) -> Database:
    """Migrated, open, with the tables of ``support.things``: the test runs once for each kind."""
    await create_tables(database_url, things.metadata)
    return database


@pytest.fixture
async def bench(sqlite_url: str, clock: StandingClock) -> AsyncIterator[Bench]:
    """An open SQLite database whose writer can be held, observed and made to fail."""
    await create_tables(sqlite_url, things.metadata)
    bench = Bench(sqlite_path(sqlite_url), clock)
    await bench.db.open()
    yield bench
    bench.plant = lambda _: None
    await bench.db.close()


@pytest.fixture
async def server(postgresql_url: str, clock: StandingClock) -> AsyncIterator[PostgreSQLDatabase]:
    """An open PostgreSQL database."""
    await create_tables(postgresql_url, things.metadata)
    db = PostgreSQLDatabase(postgresql_url, clock=clock)
    await db.open()
    yield db
    await db.close()


@pytest.fixture
def receiver() -> Receiver:
    """Takes jobs; refuses or waits as a test asks."""
    return Receiver()
