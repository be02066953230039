"""``inkan signer``: the process that holds the keys of authorities, and its journal."""

import asyncio
import signal
from typing import Any

import click

from inkan.composition.signer import JOURNAL_FILE, signing_process
from inkan.crypto.remote.journal import read_journal


@click.group()
def command() -> None:
    """The signer process of an instance, with settings of its own.

    Example: inkan --settings signer.toml signer run
    """


@command.command()
@click.option("--ceremony", is_flag=True, help="Admit new authorities: while officers stand by.")
@click.pass_obj
def run(world: Any, *, ceremony: bool) -> None:
    """Hold the keys and sign what the policy admits, until SIGINT or SIGTERM.

    Example: inkan --settings signer.toml signer run
    """
    asyncio.run(_run(world.settings(), ceremony=ceremony))


async def _run(settings: Any, *, ceremony: bool) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with signing_process(settings, ceremony=ceremony) as path:
        mode = " A ceremony is open." if ceremony else ""
        click.echo(f"The signer answers on {path}.{mode}")
        await stop.wait()
        click.echo("Stopping.")


@command.command()
@click.pass_obj
def journal(world: Any) -> None:
    """Check the signer's journal and print it: every key made, every use of a CA key.

    Example: inkan --settings signer.toml signer journal
    """
    count = 0
    for line, _ in read_journal(world.settings().home_path / JOURNAL_FILE):
        click.echo(f"{line.number:8} {line.at} {line.event:9} {line.label} {line.sha256}")
        count += 1
    click.echo(f"{count} lines, unbroken.")
