"""``inkan attributes``: what an authority or issuer says of a person, at the command line."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from inkan.attributes.model import AttributeValueWrong, Source, SourceKind
from inkan.audit import Actor, ActorKind
from inkan.kernel.ids import PersonID
from inkan.schemes import LevelOfAssurance
from inkan.wire.forms import parse_moment

_OPERATOR = Actor(ActorKind.OPERATOR, "registry")
_PERSON = click.argument("person")
_CODE = click.argument("code")
_SOURCE = click.option(
    "--source", required=True, help="authority:CODE or issuer:CODE, who says so."
)


@click.group()
def command() -> None:
    """Attributes of persons: what authorities and issuers say.

    Example: inkan attributes list ps_…
    """


@command.command()
@_PERSON
@_CODE
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_SOURCE
@click.option("--level", type=click.IntRange(1, 4), required=True, help="Level of the source.")
@click.option("--until", help="When the source's word ends (RFC 3339, UTC).")
@click.pass_obj
def record(
    world: Any,
    *,
    person: str,
    code: str,
    file: Path,
    source: str,
    level: int,
    until: str | None,
) -> None:
    """Record the attribute CODE of PERSON as FILE (a JSON value) says it.

    The value comes from a file and not from the command line, which other users of the machine can read.

    Example: inkan attributes record ps_… address address.json --source authority:moi --level 3
    """
    try:
        value = msgspec.json.decode(file.read_bytes())
    except msgspec.MsgspecError:
        raise AttributeValueWrong(where=str(file), expected="a JSON value") from None
    said, ends = _source(source), _until(until)
    world.run(
        lambda platform: platform.attributes.record(
            PersonID(person),
            code,
            value,
            source=said,
            level=LevelOfAssurance(level),
            valid_until=ends,
            actor=_OPERATOR,
        )
    )
    click.echo(f"Recorded {code}, as {said.text} says.")


@command.command()
@_PERSON
@_CODE
@_SOURCE
@click.pass_obj
def withdraw(world: Any, person: str, code: str, source: str) -> None:
    """Forget what a source recorded.

    Example: inkan attributes withdraw ps_… address --source authority:moi
    """
    said = _source(source)
    world.run(
        lambda platform: platform.attributes.withdraw(
            PersonID(person), code, source=said, actor=_OPERATOR
        )
    )
    click.echo(f"Forgot {code}, as {said.text} said.")


@command.command(name="list")
@_PERSON
@click.pass_obj
def list_(world: Any, person: str) -> None:
    """List what is recorded of a person, masked.

    Example: inkan attributes list ps_…
    """
    for each in world.run(lambda platform: platform.attributes.masked(PersonID(person))):
        shown = json.dumps(each.value, ensure_ascii=False)
        click.echo(f"{each.code:20} level {each.level:d}  {each.source:24} {shown}")


def _source(text: str) -> Source:
    kind, _, name = text.partition(":")
    try:
        return Source(SourceKind(kind), name)
    except ValueError:
        raise AttributeValueWrong(
            where="source", expected="authority:CODE or issuer:CODE"
        ) from None


def _until(text: str | None) -> datetime | None:
    return parse_moment(text) if text else None
