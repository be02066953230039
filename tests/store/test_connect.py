"""Databases by URL."""

from pathlib import Path

import pytest

from inkan.store.bus import Bus
from inkan.store.connect import StoreURLMalformed, database
from inkan.store.postgresql import PostgreSQLDatabase
from inkan.store.sqlite import SQLiteDatabase
from support.clock import StandingClock


@pytest.mark.parametrize(
    ("url", "path"),
    [("sqlite:///inkan.db", "inkan.db"), ("sqlite:////var/lib/inkan.db", "/var/lib/inkan.db")],
)
def test_a_file(url: str, path: str, clock: StandingClock) -> None:
    bus = Bus()
    db = database(url, clock=clock, bus=bus)
    assert isinstance(db, SQLiteDatabase)
    assert (db.path, db.clock, db.bus) == (Path(path), clock, bus)


def test_a_server(clock: StandingClock) -> None:
    db = database("postgresql://user:secret@host/name", clock=clock)
    assert isinstance(db, PostgreSQLDatabase)
    assert "secret" not in repr(db)


@pytest.mark.parametrize(
    "url", ["", "inkan.db", "sqlite://inkan.db", "mysql://host/x", "postgresql+psycopg://host/x"]
)
def test_nothing_else(url: str, clock: StandingClock) -> None:
    with pytest.raises(StoreURLMalformed):
        database(url, clock=clock)
