"""``inkan card agent serve``: the card agent over loopback, for browsers that cannot have the extension."""

import importlib
from pathlib import Path
from typing import Any

import click

PORT = 24797


@click.command("serve")
@click.option(
    "--configuration",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The file that lists the origins.",
)
@click.option(
    "--manage",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="At a counter: folder of the manage program's files; its commands are answered as well.",
)
@click.option("--port", type=int, default=PORT, show_default=True, help="On 127.0.0.1.")
def command(path: Path, folder: Path | None, port: int) -> None:
    """Serve the pages of this user's browsers on 127.0.0.1, and show the secret that a page asks for.

    Every start has a secret of its own. The extension (`inkan card agent install`) is the better way where it can be had.

    Example: inkan card agent serve --configuration ~/.config/inkan/card-agent.toml
    """
    settings = _module("card_agent.configuration").load(path)
    lock = _module("durable_file").FileLock
    readers = _module("pcsc").PCSC
    dialog = _module("card_agent.pinentry").Pinentry(settings.pinentry, settings.language)
    manage = None if folder is None else _manager(folder, settings)

    def make() -> Any:
        use = _module("card_agent.commands").CardAgent(
            readers=readers,
            dialog=dialog,
            origins=settings.origins,
            kiosks=settings.kiosks,
            lock=lock(path),
        )
        if manage is None:
            return use
        return _module("card_manager.commands").BothCommands(use, manage)

    agent = _module("card_agent.loopback").LoopbackAgent(make, origins=settings.origins, port=port)
    try:
        click.echo(f"The card agent listens on {agent.address}.")
        click.echo(f"Type this into the page when it asks: {agent.secret.reveal()}")
        agent.serve()
    except KeyboardInterrupt:
        click.echo("The card agent has ended.")


def _manager(folder: Path, settings: Any) -> Any:
    opening = _module("card_manager.opening")
    return opening.open_manager(folder, dialog=opening.dialog_of(settings))


def _module(name: str) -> Any:
    """Imported late: whoever asks for help needs no agent."""
    return importlib.import_module(f"inkan.client.{name}")
