"""Runs the test country: for people to look at, or for the story to be told in."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import click

from inkan.apps.showcase.card_desk import DeskCard, ReaderPages, card_desk
from inkan.apps.showcase.tax_office import tax_office
from inkan.demo.card_programs import card_programs
from inkan.demo.country import Country, Tell, card_desk_origin, country, keep_quiet
from inkan.demo.library import library_of
from inkan.demo.sandbox import RETURN_URL, sandbox
from inkan.demo.steps import StepReport, StoryReport
from inkan.demo.story import Story
from inkan.demo.town import town_hall_of, town_hall_origin
from inkan.demo.welcome import welcome
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.web.app import Application
from inkan.web.server import Server


async def tell_story(folder: Path, *, port: int, keep: Path | None) -> StoryReport:
    """Found a country, tell the story, print each step as it ends."""
    async with country(folder, port=port, tell=progress()) as founded:
        return await Story(founded, keep=keep, tell=_print).run()


async def show(folder: Path, *, port: int) -> None:
    """Found a country, open the tax office, print what to try, and run until told to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with (
        country(folder, port=port, tell=progress()) as founded,
        opened(founded) as text,
    ):
        click.echo(text)
        beside = asyncio.create_task(_show_sandbox(founded, folder / "sandbox", port + 2))
        await stop.wait()
        click.echo("Stopping.")
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)


@asynccontextmanager
async def opened(founded: Country) -> AsyncIterator[str]:
    """Open the tax office, the card desk, the reading room and the town hall; gives what a newcomer reads."""
    port = founded.instance.platform.settings.server.port
    office = tax_office(
        origin=founded.office_origin,
        credentials=founded.credentials,
        anchors=founded.anchors,
        clock=founded.clock,
    )
    async with (
        card_programs(founded, origins=(town_hall_origin(port),)) as reader,
        Server(office, port=port + 1).running(),
        Server(desk_of(founded, reader), port=port + 3).running(),
        Server(await library_of(founded), port=port + 4).running(),
        Server(town_hall_of(founded), port=port + 5).running(),
    ):
        yield welcome(founded, port=port)


def desk_of(founded: Country, reader: ReaderPages | None = None) -> Application:
    """The card desk of the country, with the card of every citizen on it."""
    port = founded.instance.platform.settings.server.port
    return card_desk(
        origin=card_desk_origin(port),
        platform=founded.platform_origin,
        cards=[
            DeskCard(key=key, holder=each.part.name, card=each.card)
            for key, each in founded.citizens.items()
        ],
        clock=founded.clock,
        reader=reader,
    )


async def _show_sandbox(founded: Country, folder: Path, port: int) -> None:
    """Found the sandbox once the country runs, so that nobody waits for it; a country without it is one, too."""
    try:
        async with sandbox(folder, port=port, key=founded.credentials.key) as credentials:
            click.echo(
                f"The sandbox runs, too; its system code is all it asks for:\n\n"
                f"    {credentials.issuer}/sandbox   ({credentials.code})\n\n"
                f"Every door is open there; browsers come back to {RETURN_URL}.\n"
            )
            await asyncio.Event().wait()
    except InkanError as refused:
        click.echo(f"The sandbox does not run: {refused.title}.", err=True)


def progress() -> Tell:
    """Says on a terminal what is being done and for how long it has been; nothing anywhere else."""
    if not sys.stderr.isatty():
        return keep_quiet
    clock = Clock()
    started = clock.monotonic()

    def tell(what: str) -> None:
        click.echo(f"{clock.monotonic() - started:6.1f} s  {what}", err=True)

    return tell


def _print(step: StepReport) -> None:
    mark = (
        click.style("ok    ", fg="green")
        if step.outcome == "ok"
        else click.style("FAILED", fg="red")
    )
    click.echo(f"{mark} {step.name:48} {step.door:10} {step.ms:8.1f} ms  {step.binding}".rstrip())
    for check in step.checks:
        click.echo(f"         {check}")
