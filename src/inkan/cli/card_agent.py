"""``inkan card agent``: the program that lets listed web sites use the card in the reader."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

_BROWSER = click.option(
    "--browser",
    type=click.Choice(["chromium", "chrome", "firefox"]),
    default="chromium",
    show_default=True,
    help="Which browser starts it.",
)
_PROFILE = click.option(
    "--profile",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder of a Chromium that is not in its usual place.",
)


@click.group("agent")
def command() -> None:
    """The card agent beside the browser of this user.

    Example: inkan card agent install --origin https://id.example.org
    """


@command.command()
@_BROWSER
@_PROFILE
@click.option(
    "--origin", "origins", multiple=True, required=True, help="Whose pages may ask; repeat it."
)
@click.option(
    "--pinentry", default="pinentry", show_default=True, help="Program that asks for PINs."
)
@click.option(
    "--language",
    type=click.Choice(["zh-Hant", "ja", "en"]),
    default="en",
    show_default=True,
    help="Of its window.",
)
@click.option(
    "--kiosk",
    is_flag=True,
    help="This computer is a kiosk of these pages: they are told the SHA-256 of the photo in a card.",
)
def install(
    *,
    browser: str,
    profile: Path | None,
    origins: tuple[str, ...],
    pinentry: str,
    language: str,
    kiosk: bool,
) -> None:
    """Write configuration, native manifest and extension, and say where the extension is.

    Example: inkan card agent install --origin https://id.example.org --language ja
    """
    installing, settings = _module("installing"), _module("configuration")
    chosen = settings.Configuration(
        origins=origins,
        kiosks=origins if kiosk else (),
        pinentry=(pinentry,),
        language=importlib.import_module("inkan.wire.shown").Language(language),
    )
    at = installing.places(installing.Browser(browser), home=Path.home(), profile=profile)
    # The program that runs now, wherever the path of the browser points.
    start = [sys.executable, "-P", "-c", "from inkan.cli import main; main()"]
    run_it = [*start, "card", "agent", "run", "--configuration", str(at.configuration)]
    folder = installing.install(at, installing.Browser(browser), chosen, run_it)
    click.echo(f"Load the extension of this folder in the browser: {folder}")


@command.command()
@_BROWSER
@_PROFILE
def uninstall(browser: str, profile: Path | None) -> None:
    """Remove native manifest, launcher and extension; the list of origins stays.

    Example: inkan card agent uninstall
    """
    installing = _module("installing")
    installing.uninstall(
        installing.places(installing.Browser(browser), home=Path.home(), profile=profile)
    )
    click.echo("The card agent is removed from the browser.")


@command.command()
@click.option(
    "--configuration",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file that lists the origins.",
)
@click.argument("caller", nargs=-1)
def run(path: Path, caller: tuple[str, ...]) -> None:
    """Serve one page; a browser starts this, and names the extension that asks.

    Example: inkan card agent run --configuration ~/.config/inkan/card-agent.toml
    """
    if not _module("installing").callers() & set(caller):
        raise click.UsageError(
            "A browser starts this for its extension; see inkan card agent install."
        )
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Whatever prints would break the messages.
    os.dup2(2, 1)
    settings = _module("configuration").load(path)
    lock = importlib.import_module("inkan.client.durable_file").FileLock(path)
    language, program = settings.language, settings.pinentry
    dialog = _module("pinentry").Pinentry(program, language)

    def make(tell: Any) -> Any:
        return _module("commands").CardAgent(
            readers=importlib.import_module("inkan.client.pcsc").PCSC,
            dialog=dialog,
            origins=settings.origins,
            kiosks=settings.kiosks,
            lock=lock,
            tell=tell,
        )

    _module("native_host").NativeHost(source, sink, make).run()


def _module(name: str) -> Any:
    """Imported late: whoever asks for help needs no agent."""
    return importlib.import_module(f"inkan.client.card_agent.{name}")
