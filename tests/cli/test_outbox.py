"""What an operator sees of deliveries: what waits, what was given up, and a second chance."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from inkan.cli.outbox import DeadJobNotFound, command
from inkan.kernel.errors import Conflict
from inkan.store.database import Database
from inkan.store.outbox import Handler, Job, Outbox, enqueue
from support.clock import StandingClock


class Given:
    """A world whose platform has a database and nothing else."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def run(self, use: Any) -> Any:
        import asyncio

        with asyncio.Runner() as runner:
            return runner.run(self._use(use))

    async def _use(self, use: Any) -> Any:
        await self.db.open()
        try:
            return await use(self)
        finally:
            await self.db.close()


async def refuse(_: Job) -> None:
    raise Conflict


def call(world: Given, *arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments), obj=world)


def test_a_dead_letter_is_seen_and_revived(sqlite_url: str, tmp_path: Path) -> None:
    from inkan.store.connect import database

    clock = StandingClock()
    world = Given(database(sqlite_url, clock=clock))
    assert call(world, "dead").output == "No job was given up.\n"
    assert call(world, "waiting").output == "0 waiting\n"

    async def give_up(platform: Any) -> None:
        await platform.db.transact(enqueue, "identification.webhook", b"{}")
        handler = Handler(refuse, tries=1, life=timedelta(hours=24))
        await Outbox(platform.db, {"identification.webhook": handler}).run_due()

    world.run(give_up)
    (dead,) = json.loads(call(world, "dead", "--json").output)
    assert (dead["kind"], dead["error"], dead["tries"]) == ("identification.webhook", "conflict", 1)
    assert dead["id"] in call(world, "dead").output
    unknown = call(world, "revive", "job_unknown")
    assert isinstance(unknown.exception, DeadJobNotFound)
    assert call(world, "revive", dead["id"]).output == f"{dead['id']} is tried again.\n"
    assert call(world, "waiting").output.startswith("1 waiting, the oldest since 2026-04-01")
    assert json.loads(call(world, "dead", "--json").output) == []
