"""``inkan counter resident``: the register of residents as an operator brings it."""

from datetime import date
from pathlib import Path

import click
import msgspec

from inkan.counter.commands.world import OPERATOR, World
from inkan.counter.model import CounterEntryMalformed
from inkan.crypto.certificate_view import Sex
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Personal
from inkan.people import new_identity


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One resident as a file says it."""

    name: str
    birth_date: date
    national_id: str
    sex: Sex
    address: str
    municipality: str

    def __repr__(self) -> str:
        """Nothing: a traceback must show no name."""
        return "<entry>"


@click.group()
def resident() -> None:
    """Who lives where.

    Example: inkan counter resident record resident.json
    """


@resident.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def record(world: World, file: Path) -> None:
    """Record the resident of FILE, new or known; what differs from before ends their card at once.

    FILE is JSON with name, birth_date, national_id, sex (male, female, unstated), address and municipality. It is a
    file because other users of the machine can read a command line.

    Example: inkan counter resident record resident.json
    """
    try:
        entry = msgspec.json.decode(file.read_bytes(), type=_Entry)
    except msgspec.MsgspecError:
        raise CounterEntryMalformed(where=str(file)) from None
    identity = new_identity(
        name=entry.name,
        birth_date=entry.birth_date,
        national_id=parse_national_id(entry.national_id),
    )
    recorded = world.run(
        lambda platform: platform.counter.residents.register(
            identity, entry.sex, Personal(entry.address), entry.municipality, actor=OPERATOR
        )
    )
    click.echo(f"{recorded.person} lives in {recorded.municipality}.")
