"""``inkan config``: check and show the settings of an instance."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

from inkan.composition.settings import Settings


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
            shown = SHOWN[full](leaf) if full in SHOWN else leaf
            rows.append((full, msgspec.json.encode(shown).decode()))
    return rows


def _hidden(value: str) -> str:
    return "(hidden)" if value else ""


def _without_password(url: str) -> str:
    """A database URL as it may be shown: no password, and no parameters, which may hold one."""
    if not url:
        return ""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{parts.scheme}://{user}{':(hidden)' if colon else ''}{at}{host}{parts.path}"


SHOWN: Mapping[str, Callable[[str], str]] = {
    "keys.passphrase": _hidden,
    "token.pin": _hidden,
    "database.url": _without_password,
}
