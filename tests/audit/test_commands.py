"""``inkan audit`` at the command line: what it prints and how it ends."""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from audit.acts import act, new_audit
from inkan.audit import Audit
from inkan.audit.commands import command
from inkan.store.connect import database as database_of
from inkan.store.connect import sqlite_path
from inkan.store.database import StoreDamaged
from support.clock import StandingClock

T = TypeVar("T")


class Platform:
    """What the root composes, as far as this noun looks."""

    event_pairs: tuple[()] = ()

    def __init__(self, audit: Audit) -> None:
        self.audit = audit


class World:
    """One database, composed anew for each run."""

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, job: Callable[[Any], Awaitable[T]]) -> T:
        return asyncio.run(self._run(job))

    async def _run(self, job: Callable[[Any], Awaitable[T]]) -> T:
        database = database_of(self.url, clock=StandingClock())
        await database.open()
        try:
            return await job(Platform(new_audit(database)))
        finally:
            await database.close()

    def write(self, count: int) -> None:
        async def job(platform: Platform) -> None:
            for number in range(count):
                await platform.audit._db.transact(act, platform.audit, number)
            await platform.audit.work()

        self.run(job)


@pytest.fixture
def world(sqlite_url: str) -> World:
    return World(sqlite_url)


def inkan_audit(world: object, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, obj=world)


def test_an_intact_log_ends_with_0(world: World) -> None:
    world.write(3)
    result = inkan_audit(world, "verify")
    assert (result.exit_code, result.stdout) == (
        0,
        "Intact: 3 events, 1 heads, 0 not yet indexed.\n",
    )


def test_a_broken_log_ends_with_1_and_names_the_index(world: World) -> None:
    world.write(3)
    connection = sqlite3.connect(sqlite_path(world.url))
    connection.execute("UPDATE audit_event SET subject = 'ps_another' WHERE position = 1")
    connection.commit()
    connection.close()
    result = inkan_audit(world, "verify")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].startswith("Broken at index 1;")
    assert "event 1: the event was changed" in result.stdout
    found = json.loads(inkan_audit(world, "verify", "--json").stdout)
    assert (found["intact"], found["broken_at"]) == (False, 1)
    assert found["findings"][0]["kind"] == "event"


def test_what_could_not_run_ends_with_2() -> None:
    class Broken:
        def run(self, job: object) -> None:
            raise StoreDamaged("no such disk")

    result = inkan_audit(Broken(), "verify")
    assert result.exit_code == 2
    assert "no such disk [store_damaged]" in result.stderr


def test_a_head_is_printed_kept_and_compared(world: World, tmp_path: Path) -> None:
    world.write(3)
    kept = tmp_path / "head.jws"
    printed = inkan_audit(world, "head")
    assert printed.exit_code == 0
    kept.write_text(printed.stdout)
    assert inkan_audit(world, "verify", "--head", str(kept)).exit_code == 0
    kept.write_text("nonsense")
    assert inkan_audit(world, "verify", "--head", str(kept)).exit_code == 2


def test_an_empty_log_has_no_head(world: World) -> None:
    result = inkan_audit(world, "head")
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"], ["head", "--help"]])
def test_help_has_an_example(arguments: list[str]) -> None:
    result = inkan_audit(None, *arguments)
    assert result.exit_code == 0
    assert "Example: inkan audit" in result.stdout
