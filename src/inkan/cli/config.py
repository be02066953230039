"""``inkan config``: check and show the settings of an instance."""

from typing import Any

import click
import msgspec

from inkan.composition.settings import Settings

SECRET_KEYS = frozenset({"passphrase"})


@click.group()
def command() -> None:
    """The settings of an instance.

    Example: inkan config check
    """


@command.command()
@click.pass_obj
def check(world: Any) -> None:
    """Read the settings and say whether an instance could start with them.

    Example: inkan --settings inkan.toml config check
    """
    world.settings()
    click.echo("The settings are usable.")


@command.command()
@click.pass_obj
def show(world: Any) -> None:
    """Print every setting in force; secrets are left out.

    Example: inkan config show
    """
    for name, value in flat(world.settings()):
        click.echo(f"{name} = {value}")


def flat(settings: Settings) -> list[tuple[str, str]]:
    """Every setting as ``section.key`` and its JSON value, secrets replaced."""
    rows = []
    for name, value in msgspec.to_builtins(settings).items():
        members = value.items() if isinstance(value, dict) else [("", value)]
        for key, leaf in members:
            full = f"{name}.{key}" if key else name
            shown = (
                '"(hidden)"' if key in SECRET_KEYS and leaf else msgspec.json.encode(leaf).decode()
            )
            rows.append((full, shown))
    return rows
