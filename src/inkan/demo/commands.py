"""``inkan demo``: the test country on this machine."""

import asyncio
import logging
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
import uvloop

from inkan.demo.country import DEFAULT_PORT
from inkan.demo.supervisor import show, tell_story
from inkan.kernel.clock import Clock
from inkan.web.log import configure


@click.command()
@click.option("--script", is_flag=True, help="Run the whole story without a browser, then stop.")
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --script: write the report to this file.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="With --script: keep certificates, lists, answers, statement and receipt here.",
)
@click.option(
    "--port", type=int, default=DEFAULT_PORT, show_default=True, help="First port to use."
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the country; by default a temporary one that is removed at the end.",
)
def command(
    *, script: bool, json_file: Path | None, keep: Path | None, port: int, home: Path | None
) -> int:
    """A whole test country in one process: authorities, citizens with cards, an agency that asks.

    Example: inkan demo --script --json report.json
    """
    if home is not None and home.exists() and any(home.iterdir()):
        raise click.BadParameter("a country is founded in an empty folder", param_hint="--home")
    if not script and (json_file or keep):
        raise click.UsageError("--json and --keep belong to --script")
    # What goes wrong is told beside what the person reads, without values (see inkan.web.log).
    configure(Clock(), sink=sys.stderr.buffer, level=logging.WARNING)
    with ExitStack() as stack:
        folder = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="inkan-")))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            if not script:
                runner.run(show(folder, port=port))
                return 0
            report = runner.run(tell_story(folder, port=port, keep=keep))
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    click.echo("The whole story holds." if report.ok else "The story broke.")
    return 0 if report.ok else 1
