"""Fixtures for all tests: a clock that stands, and a migrated database of each kind."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.store import migrate
from inkan.store.connect import database as database_of
from inkan.store.database import Database
from support.clock import StandingClock

pytest.register_assert_rewrite("support.asgi", "support.walks")

pytest_plugins = [
    "support.browser",
    "support.folders",
    "support.garbage",
    "support.keyring",
    "support.ledger",
    "support.loopback",
    "support.postgres",
    "support.profile",
    "support.strictness",
    "support.vpcd",
]


def pytest_configure(config: pytest.Config) -> None:
    """The marker of the OpenID provider's behaviour table."""
    config.addinivalue_line("markers", "behaviour(id): row of tests/federation/behaviours.toml")


@pytest.fixture
def clock() -> StandingClock:
    """Stands at ``support.clock.START`` until moved: ``advance`` (the instance) or ``tick`` (true time)."""
    return StandingClock()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file, to be copied and never opened."""
    path = tmp_path_factory.mktemp("template") / "inkan.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty database in a file."""
    return f"sqlite:///{shutil.copy(sqlite_template, tmp_path / 'inkan.db')}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: the test runs once for each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
async def database(database_url: str, clock: StandingClock) -> AsyncIterator[Database]:
    """A migrated, empty, open database: the test runs once for each kind."""
    db = database_of(database_url, clock=clock)
    await db.open()
    yield db
    await db.close()
