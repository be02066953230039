"""``inkan card``: the cards in this computer's readers: list, certificates, PIN.

Nothing is signed here: a card signs requests of the platform, in the dialog of a card program.
"""

import importlib
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from inkan.cli import card_agent, card_manage, card_serve
from inkan.kernel.sensitive import Secret

_READER = click.option("--reader", help="Name of the reader; needed when several hold a card.")
_USE = click.option(
    "--key",
    "use",
    type=click.Choice(["signature", "authentication"]),
    default="signature",
    show_default=True,
    help="Which of the card's two keys.",
)


@click.group()
def command() -> None:
    """Cards in the readers of this computer, by PC/SC.

    Example: inkan card list
    """


card_agent.command.add_command(card_serve.command)
command.add_command(card_agent.command)
command.add_command(card_manage.command)


@command.command("list")
def list_readers() -> None:
    """List the readers, and which of them hold a card.

    Example: inkan card list
    """
    for reader in _card("signature").readers():
        click.echo(f"{reader.name}: {'card' if reader.has_card else 'empty'}")


@command.command()
@_READER
@_USE
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Folder to write the certificates to, one file (DER) each.",
)
def certificates(reader: str | None, use: str, out: Path | None) -> None:
    """Show the certificate of a key, and the authorities' certificates in the card.

    Compare the SHA-256 of the self-signed one with the printed handbook and the portal.

    Example: inkan card certificates --out .
    """
    thumbprint = importlib.import_module("inkan.crypto.certificates").thumbprint
    with _opened(use, reader) as card:
        named = [("card", each.der) for each in card.certificates()]
        named += [(f"authority-{at}", der) for at, der in enumerate(card.issuer_certificates(), 1)]
    for name, der in named:
        click.echo(f"{name:12} SHA-256 {thumbprint(der).hex()}")
        if out is not None:
            (out / f"{name}.cer").write_bytes(der)


@command.group()
def pin() -> None:
    """The PINs of a card: tries left, change.

    Example: inkan card pin tries
    """


@pin.command()
@_READER
@_USE
def tries(reader: str | None, use: str) -> None:
    """Say how many wrong PINs the card still forgives; 0 means locked.

    Example: inkan card pin tries --key authentication
    """
    with _opened(use, reader) as card:
        click.echo(card.tries_left())


@pin.command()
@_READER
@_USE
@click.option("--old", prompt="PIN", hide_input=True, help="Asked for when left out.")
@click.option(
    "--new",
    prompt="New PIN",
    hide_input=True,
    confirmation_prompt=True,
    help="Asked for twice when left out.",
)
def change(reader: str | None, use: str, old: str, new: str) -> None:
    """Replace the PIN of a key; a wrong old one costs a try.

    Example: inkan card pin change
    """
    with _opened(use, reader) as card:
        card.change_pin(Secret(old), Secret(new))
    click.echo("The PIN is changed.")


def _card(use: str) -> Any:
    """Imported late: whoever asks for help needs no readers."""
    pcsc = importlib.import_module("inkan.client.pcsc")
    cards = importlib.import_module("inkan.client.piv_card")
    layout = importlib.import_module("inkan.client.piv_layout")
    return cards.PivCard(pcsc.PCSC(), layout.KeyUse(use))


def _opened(use: str, reader: str | None) -> Any:
    """The card of that reader as a context that closes it."""
    card = _card(use)
    card.open(reader)
    return closing(card)
