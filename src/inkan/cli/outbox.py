"""``inkan outbox``: what waits to be delivered, and what was given up, at the command line."""

import json
from collections.abc import Sequence
from typing import Any

import click

from inkan.kernel.clock import rfc3339
from inkan.store.outbox import DeadJobNotFound, dead_jobs, depth, revive


@click.group()
def command() -> None:
    """What follows transactions: webhooks, mail, lists; and what was given up.

    Example: inkan outbox dead
    """


@command.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def dead(world: Any, *, limit: int, as_json: bool) -> None:
    """List the jobs that used up their tries, the oldest first.

    Example: inkan outbox dead --limit 20
    """
    rows: Sequence[Any] = world.run(lambda platform: platform.db.read(dead_jobs, limit=limit))
    found = [
        {
            "id": row.id,
            "kind": row.kind,
            "tries": row.tries,
            "error": row.error,
            "died_at": rfc3339(row.died_at),
        }
        for row in rows
    ]
    if as_json:
        click.echo(json.dumps(found))
        return
    for job in found:
        click.echo("{id}  {died_at}  {kind:28} {tries:>3}  {error}".format(**job))
    if not found:
        click.echo("No job was given up.")


@command.command(name="revive")
@click.argument("job")
@click.pass_obj
def revive_(world: Any, job: str) -> None:
    """Give the dead JOB all its tries again.

    Example: inkan outbox revive job_6vq3vb3m2c7g4kq1h8d0y5tzja
    """
    if not world.run(lambda platform: platform.db.transact(revive, job)):
        raise DeadJobNotFound(job)
    click.echo(f"{job} is tried again.")


@command.command()
@click.pass_obj
def waiting(world: Any) -> None:
    """Show how many jobs wait, and since when the oldest does.

    Example: inkan outbox waiting
    """
    row: Any = world.run(lambda platform: platform.db.read(depth))
    since = f", the oldest since {rfc3339(row.oldest)}" if row.waiting else ""
    click.echo(f"{row.waiting} waiting{since}")
