"""``inkan systems``: the register of relying parties' systems at the command line."""

import json
from pathlib import Path
from typing import Any

import click
import msgspec

from inkan.audit import Actor, ActorKind
from inkan.kernel.clock import rfc3339
from inkan.relying_parties.model import RegistrationWrong, SystemRegistration
from inkan.relying_parties.model.application import ConformanceMissing, ExportUntrusted
from inkan.relying_parties.model.export import ExporterFile
from inkan.relying_parties.rules import EXPORT_LIMIT
from inkan.wire.forms import parse_moment

OPERATOR = Actor(ActorKind.OPERATOR, "console")


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


@command.command()
@click.argument("code")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="The signed report of the conformance kit.",
)
@click.option("--to", "audience", required=True, help="Origin of the instance that takes it in.")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where the export is written.",
)
@click.pass_obj
def export(world: Any, code: str, *, report: Path, audience: str, out: Path) -> None:
    """Write the signed export of the reviewed system CODE, for production.

    Two officers have approved its application, and the conformance kit found nothing. It can be imported once,
    within 72 hours.

    Example: inkan systems export tax-office --report report.jws --to https://id.example -o tax-office.jws
    """
    told = _read(report, ConformanceMissing)
    jws = world.run(
        lambda platform: platform.applications.export(
            code, report=told, audience=audience, actor=OPERATOR
        )
    )
    out.write_text(jws + "\n", encoding="ascii")
    click.echo(f"Exported {code} to {out}.")


@command.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def import_(world: Any, file: Path) -> None:
    """Take in the signed export FILE; the system is active from then on.

    Example: inkan systems import tax-office.jws
    """
    jws = _read(file, ExportUntrusted)
    system = world.run(lambda platform: platform.applications.take_in(jws, actor=OPERATOR))
    click.echo(f"Registered {system.code} as {system.id}.")


@command.command()
@click.pass_obj
def exporter(world: Any) -> None:
    """Print what production has to know of this sandbox: its origin, and its keys for exports and reports.

    Example: inkan systems exporter > sandbox.json
    """

    async def described(platform: Any) -> ExporterFile:
        found: ExporterFile = platform.applications.exporter()
        return found

    click.echo(msgspec.json.encode(world.run(described)).decode())


@command.command()
@click.argument("code")
@click.pass_obj
def secret(world: Any, code: str) -> None:
    """Draw a new client secret for the system CODE and print it, this once; the one before ends at once.

    The system is an OpenID client that proves itself by a secret (docs/relying-parties/openid-registration.md).

    Example: inkan systems secret tax-office
    """
    drawn = world.run(lambda platform: platform.relying_parties.draw_secret(code, actor=OPERATOR))
    click.echo(drawn)


@command.group()
def keys() -> None:
    """Keys of systems: two of each at most, so that a rotation has an overlap.

    Example: inkan systems keys list tax-office
    """


@keys.command(name="add")
@click.argument("code")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def add_key(world: Any, code: str, file: Path) -> None:
    """Give the system CODE one more key, the public JWK in FILE; both hold until the old one is ended.

    Example: inkan systems keys add tax-office new.jwk
    """
    try:
        public = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as wrong:
        raise RegistrationWrong(str(wrong), where=str(file)) from None
    thumbprint = world.run(
        lambda platform: platform.relying_parties.add_key(code, public, actor=OPERATOR)
    )
    click.echo(f"{code} has the key {thumbprint}.")


@keys.command(name="end")
@click.argument("code")
@click.argument("thumbprint")
@click.option("--at", help="When it ends, as 2026-11-21T22:55:04Z; now when left out.")
@click.pass_obj
def end_key(world: Any, code: str, thumbprint: str, *, at: str | None) -> None:
    """Let the key THUMBPRINT of the system CODE prove nothing any more.

    Example: inkan systems keys end tax-office 0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I
    """
    moment = None if at is None else parse_moment(at)
    world.run(
        lambda platform: platform.relying_parties.end_key(
            code, thumbprint, at=moment or platform.clock.now(), actor=OPERATOR
        )
    )
    click.echo(f"The key {thumbprint} of {code} ends.")


@keys.command(name="list")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_keys(world: Any, code: str, *, as_json: bool) -> None:
    """List the keys that prove the system CODE now: thumbprint, since when, until when.

    Example: inkan systems keys list tax-office
    """
    found = world.run(lambda platform: platform.relying_parties.keys_of(code))
    rows = [
        {
            "thumbprint": each.thumbprint,
            "added_at": rfc3339(each.added_at),
            "ends_at": None if each.ends_at is None else rfc3339(each.ends_at),
        }
        for each in found
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(f"{row['thumbprint']}  {row['added_at']}  {row['ends_at'] or 'no end set'}")


def _read(file: Path, refusal: type[ConformanceMissing | ExportUntrusted]) -> str:
    """A compact JWS from a file.

    Raises:
        ConformanceMissing, ExportUntrusted: too large, or no text.
    """
    data = file.read_bytes()
    if len(data) > EXPORT_LIMIT or not data.isascii():
        raise refusal(f"{file} is no signed file")
    return data.decode("ascii").strip()


@command.command()
@click.argument("organisation")
@click.option("--basis", required=True, help="The provision of law, one line.")
@click.option("--until", required=True, help="The last moment, RFC 3339 in UTC.")
@click.pass_obj
def entitle(world: Any, organisation: str, *, basis: str, until: str) -> None:
    """Note that ORGANISATION may use My Numbers by law; every other one is refused.

    Example: inkan systems entitle pension-office --basis "Article 9" --until 2031-03-31T14:59:59Z
    """
    end = parse_moment(until)
    world.run(
        lambda platform: platform.relying_parties.entitlements.grant(
            organisation, basis=basis, until=end, actor=OPERATOR
        )
    )
    click.echo(f"{organisation} may use My Numbers until {rfc3339(end)}.")


@command.command()
@click.argument("organisation")
@click.pass_obj
def disentitle(world: Any, organisation: str) -> None:
    """End the entitlement of ORGANISATION to use My Numbers, now.

    Example: inkan systems disentitle pension-office
    """
    world.run(
        lambda platform: platform.relying_parties.entitlements.withdraw(
            organisation, actor=OPERATOR
        )
    )
    click.echo(f"{organisation} may not use My Numbers any more.")


@command.command()
@click.pass_obj
def entitlements(world: Any) -> None:
    """List who may use My Numbers, on what basis and until when.

    Example: inkan systems entitlements
    """
    for each in world.run(lambda platform: platform.relying_parties.entitlements.all()):
        end = each.ended_at or each.until
        click.echo(f"{each.organisation:24} {rfc3339(end)} {each.basis}")
