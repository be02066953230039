"""``inkan card manage``: the card program of a counter's terminal."""

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import click

_FOLDER = click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=lambda: Path.home() / ".config" / "inkan" / "manage",
    show_default="~/.config/inkan/manage",
    help="Where this terminal's keys and configuration lie.",
)
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


@click.group("manage")
def command() -> None:
    """The card program of a counter: makes, writes and unlocks cards as the platform commands it.

    Example: inkan card manage keys > terminal-public.json
    """


@command.command()
@_FOLDER
def keys(folder: Path) -> None:
    """Make this terminal's two keys and print their public halves, which the platform registers.

    Example: inkan card manage keys > terminal-public.json
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = _module("card_manager.configuration").TerminalKeys.generate()
    made.write(folder / _module("card_manager.opening").KEYS)
    msgspec = importlib.import_module("msgspec")
    click.echo(msgspec.json.encode(made.public()).decode())


@command.command()
@_FOLDER
@_BROWSER
@_PROFILE
@click.argument("configuration", type=click.Path(path_type=Path, dir_okay=False, exists=True))
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
def install(
    *,
    folder: Path,
    browser: str,
    profile: Path | None,
    configuration: Path,
    pinentry: str,
    language: str,
) -> None:
    """Pin CONFIGURATION, which `inkan counter terminal add` wrote, and let the browser start the program.

    The extension is that of the card agent: `inkan card agent install` for the same origin.

    Example: inkan card manage install manager.json --language ja
    """
    opening, installing = _module("card_manager.opening"), _module("card_agent.installing")
    pinned = _module("card_manager.configuration").read_configuration(configuration)
    _module("card_manager.configuration").TerminalKeys.read(folder / opening.KEYS)
    settings = _module("card_agent.configuration")
    chosen = settings.Configuration(
        origins=(pinned.origin,),
        pinentry=(pinentry,),
        language=importlib.import_module("inkan.wire.shown").Language(language),
    )
    replace = _module("durable_file").replace_file
    replace(folder / opening.CONFIGURATION, configuration.read_bytes())
    replace(folder / opening.DIALOG, settings.text(chosen).encode())
    at = installing.places(installing.Browser(browser), home=Path.home(), profile=profile)
    # The program that runs now, wherever the path of the browser points.
    start = [sys.executable, "-P", "-c", "from inkan.cli import main; main()"]
    run_it = [*start, "card", "manage", "run", "--folder", str(folder.absolute())]
    installing.write_host(at, installing.Browser(browser), installing.MANAGE_HOST, run_it)
    click.echo(f"The card program serves {pinned.origin} as {pinned.terminal}.")


@command.command()
@_BROWSER
@_PROFILE
def uninstall(browser: str, profile: Path | None) -> None:
    """Take the card program from the browser; keys and configuration stay.

    Example: inkan card manage uninstall
    """
    installing = _module("card_agent.installing")
    at = installing.places(installing.Browser(browser), home=Path.home(), profile=profile)
    for path in (at.hosts / f"{installing.MANAGE_HOST}.json", at.data / installing.MANAGE_HOST):
        path.unlink(missing_ok=True)
    click.echo("The card program is removed from the browser.")


@command.command()
@_FOLDER
@click.argument("caller", nargs=-1)
def run(folder: Path, caller: tuple[str, ...]) -> None:
    """Serve one page; a browser starts this, and names the extension that asks.

    Example: inkan card manage run --folder ~/.config/inkan/manage
    """
    if not _module("card_agent.installing").callers() & set(caller):
        raise click.UsageError(
            "A browser starts this for its extension; see inkan card manage install."
        )
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    # Whatever prints would break the messages.
    os.dup2(2, 1)
    opening, host = _module("card_manager.opening"), _module("card_agent.native_host")
    settings = _module("card_agent.configuration").load(folder / opening.DIALOG)
    limit = _module("card_manager.messages").LIMIT

    def make(tell: Any) -> Any:
        return opening.open_manager(folder, dialog=opening.dialog_of(settings), tell=tell)

    host.NativeHost(source, sink, make, limit=limit).run()


def _module(name: str) -> Any:
    """Imported late: whoever asks for help needs no card program."""
    return importlib.import_module(f"inkan.client.{name}")
