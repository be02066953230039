"""``inkan systems``: the register of relying parties' systems at the command line."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from inkan.relying_parties.model import RegistrationWrong, SystemRegistration


@click.group()
def command() -> None:
    """Relying parties' systems.

    Example: inkan systems add tax-office.json
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def add(world: Any, file: Path) -> None:
    """Register the system that FILE (JSON) describes.

    Example: inkan systems add tax-office.json
    """
    try:
        registration = msgspec.json.decode(file.read_bytes(), type=SystemRegistration)
    except msgspec.MsgspecError as wrong:
        raise RegistrationWrong(str(wrong), where=str(file)) from None
    system = world.run(lambda platform: platform.relying_parties.register(registration))
    click.echo(f"Registered {system.code} as {system.id}.")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(world: Any, *, as_json: bool) -> None:
    """List the systems and their state.

    Example: inkan systems list
    """
    rows = world.run(lambda platform: platform.relying_parties.systems())
    if as_json:
        listed = [{"code": s.code, "name": s.name, "state": state} for s, state in rows]
        click.echo(json.dumps(listed, ensure_ascii=False))
        return
    for system, state in rows:
        click.echo(f"{system.code:24} {state:10} {system.name}")


@command.command()
@click.argument("code")
@click.pass_obj
def suspend(world: Any, code: str) -> None:
    """Refuse every request of the system CODE from now on.

    Example: inkan systems suspend tax-office
    """
    world.run(lambda platform: platform.relying_parties.suspend(code))
    click.echo(f"{code} is suspended.")


@command.command()
@click.argument("code")
@click.pass_obj
def resume(world: Any, code: str) -> None:
    """End the suspension of the system CODE.

    Example: inkan systems resume tax-office
    """
    world.run(lambda platform: platform.relying_parties.resume(code))
    click.echo(f"{code} is active.")
