"""``inkan cert status``: how a certificate of this instance stood at a time."""

from typing import Any

import click

from inkan.kernel.clock import rfc3339
from inkan.pki.commands import parse_time
from inkan.pki.model import StatusAt


@click.command()
@click.argument("serial")
@click.option("--authority", metavar="NAME", help="Its issuer; any issuer when left out.")
@click.option("--at", metavar="TIME", help="RFC 3339 time that is asked about; now when left out.")
@click.pass_obj
def command(world: Any, serial: str, authority: str | None, at: str | None) -> None:
    """Say how the certificate with this SERIAL (hexadecimal) stood at a time, and every hold before it.

    Example: inkan cert status 5f3a… --at 2026-11-01T09:00:00+08:00
    """
    number, moment = serial.replace(":", "").lower().lstrip("0"), parse_time(at)

    async def read(platform: Any) -> StatusAt:
        found: StatusAt = await platform.pki.find_serial(number, authority=authority, at=moment)
        return found

    found = world.run(read)
    click.echo(f"{found.serial} of {found.authority} at {rfc3339(found.at)}: {found.standing}")
    click.echo(f"  valid from {rfc3339(found.not_before)} to {rfc3339(found.not_after)}")
    if found.revoked_at is not None:
        click.echo(f"  revoked at {rfc3339(found.revoked_at)}")
    if found.reason is not None:
        click.echo(f"  reason {found.reason}")
    if found.invalid_since is not None:
        click.echo(f"  key not the holder's alone since {rfc3339(found.invalid_since)}")
    for hold in found.holds:
        until = "now" if hold.until is None else rfc3339(hold.until)
        click.echo(f"  on hold from {rfc3339(hold.since)} until {until}")
