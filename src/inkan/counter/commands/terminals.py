"""``inkan counter terminal``: the computers whose card programs take commands."""

from pathlib import Path
from typing import Any

import click
import msgspec

from inkan.counter.commands.world import World
from inkan.counter.model import TerminalKeysMalformed
from inkan.kernel.clock import rfc3339


@click.group()
def terminal() -> None:
    """Terminals: the computers of counters whose card programs take commands.

    Example: inkan counter terminal list
    """


@terminal.command()
@click.argument("office")
@click.argument("keys", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="File for the configuration that is installed at the terminal.",
)
@click.pass_obj
def add(world: World, office: str, keys: Path, out: Path) -> None:
    """Register the terminal of OFFICE whose public KEYS (JWK set) `inkan card manage keys` printed there.

    Example: inkan counter terminal add chiyoda-1 terminal-public.json --out manager.json
    """
    try:
        public = msgspec.json.decode(keys.read_bytes(), type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise TerminalKeysMalformed(where=str(keys)) from None
    configuration = world.run(lambda platform: platform.counter.terminals.add(office, public))
    out.write_bytes(msgspec.json.format(msgspec.json.encode(configuration)) + b"\n")
    click.echo(f"Registered {configuration['terminal']}; install {out} there.")


@terminal.command()
@click.argument("id_", metavar="TERMINAL")
@click.pass_obj
def end(world: World, id_: str) -> None:
    """Take TERMINAL out of service: it gets no command, and no answer of it counts.

    Example: inkan counter terminal end term_…
    """
    world.run(lambda platform: platform.counter.terminals.end(id_))
    click.echo(f"{id_} is out of service.")


@terminal.command("list")
@click.pass_obj
def list_(world: World) -> None:
    """List the terminals in service.

    Example: inkan counter terminal list
    """
    for each in world.run(lambda platform: platform.counter.terminals.terminals()):
        click.echo(f"{each.id}  {each.office}  since {rfc3339(each.created_at)}")
