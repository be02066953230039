"""``inkan kiosk``: the secret of a new kiosk, at the command line."""

import hashlib

import click

from inkan.crypto import base64url
from inkan.enrolment.model.kiosk import KioskKind
from inkan.kernel.ids import random_bytes

_SECRET_BYTES = 32


@click.group()
def command() -> None:
    """Kiosks: managed terminals at which phones are bound with a card.

    Example: inkan kiosk secret station-1
    """


@command.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice([each.value for each in KioskKind]),
    default=KioskKind.READER.value,
    show_default=True,
    help="A multi-function copier, or a card reader with a screen.",
)
def secret(*, name: str, kind: str) -> None:
    """Draw the secret of the kiosk NAME: what to type into it once, and its table of the settings.

    The secret is shown here and kept nowhere; the settings hold its hash.

    Example: inkan kiosk secret station-1 --kind reader
    """
    drawn = random_bytes(_SECRET_BYTES)
    click.echo(f"Type at the kiosk, once:  {name}  {base64url.encode(drawn)}")
    click.echo("Put into the settings:")
    click.echo("[[enrolment.kiosks]]")
    click.echo(f'name = "{name}"')
    click.echo(f'kind = "{kind}"')
    click.echo('place = { en = "", ja = "", zh-Hant = "" }')
    click.echo(f'secret_sha256 = "{base64url.encode(hashlib.sha256(drawn).digest())}"')
