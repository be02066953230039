"""``inkan openid``: the provider's signing keys at the command line."""

from typing import Any

import click

from inkan.kernel.clock import rfc3339


@click.group()
def command() -> None:
    """The OpenID provider: the keys that sign its tokens.

    Example: inkan openid keys
    """


@command.command()
@click.pass_obj
def keys(world: Any) -> None:
    """List the keys that stand in the JWKS.

    Example: inkan openid keys
    """
    for key in world.run(lambda platform: platform.openid.tokens.keys.listed()):
        ends = f"until {rfc3339(key.ends_at)}" if key.ends_at else "no end"
        click.echo(f"{key.alg:6} {key.kid}  signs from {rfc3339(key.signs_from)}, {ends}")


@command.command(name="rotate-keys")
@click.option(
    "--compromised",
    is_flag=True,
    help="Believe nothing any more that the keys before have signed.",
)
@click.pass_obj
def rotate_keys(world: Any, *, compromised: bool) -> None:
    """Make a new signing key of each algorithm.

    It is published now and signs in an hour; the key before stays in the JWKS for a day after that. With
    --compromised it signs at once, and every token that was signed before is refused.

    Example: inkan openid rotate-keys
    """
    for kid in world.run(
        lambda platform: platform.openid.tokens.keys.rotate(compromised=compromised)
    ):
        click.echo(f"Made {kid}.")
