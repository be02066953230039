"""``inkan tsa``: have a file stamped, and verify what a time-stamp says of it."""

import hashlib
from datetime import datetime, timedelta
from pathlib import Path

import click

from inkan.client.http import SyncTransport
from inkan.client.timestamps import VerifiedTimestamp, stamp, verify_timestamp
from inkan.crypto.tsp import ImprintDigest
from inkan.crypto.tsp_token import parse_token

EXISTING = click.Path(path_type=Path, dir_okay=False, exists=True)
ENDING = ".tst"


@click.group()
def command() -> None:
    """Time-stamps (RFC 3161).

    Example: inkan tsa stamp contract.pdf --url https://id.example/tsa
    """


@command.command(name="stamp")
@click.argument("file", type=EXISTING)
@click.option("--url", required=True, help="Address of the time-stamping authority.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the token; by default FILE with .tst added.",
)
@click.option(
    "--digest",
    type=click.Choice([digest.value for digest in ImprintDigest]),
    default=ImprintDigest.SHA256.value,
    show_default=True,
    help="By which the file is hashed; only the hash leaves this machine.",
)
def stamp_(file: Path, url: str, out: Path | None, digest: str) -> None:
    """Have FILE stamped and write the token beside it.

    Example: inkan tsa stamp contract.pdf --url https://id.example/tsa
    """
    chosen = ImprintDigest(digest)
    with SyncTransport() as transport:
        token = transport.run(stamp(url, imprint_of(file, chosen), digest=chosen))
    target = out or file.with_name(file.name + ENDING)
    target.write_bytes(token)
    click.echo(f"{target}: stamped at {_moment(parse_token(token).info.at)}")


@command.command()
@click.argument("file", type=EXISTING)
@click.argument("token", type=EXISTING)
@click.option(
    "--anchor",
    "anchors",
    type=EXISTING,
    multiple=True,
    required=True,
    help="Root certificate (DER) whose thumbprint you compared; may be repeated.",
)
@click.option("--policy", help="Time-stamp policy that is demanded, as a dotted OID.")
@click.option(
    "--certificate",
    "certificates",
    type=EXISTING,
    multiple=True,
    help="Certificate (DER) that the token does not enclose; may be repeated.",
)
@click.option(
    "--crl",
    "crls",
    type=EXISTING,
    multiple=True,
    help="Revocation list (DER) of an authority of the path; may be repeated.",
)
def verify(
    file: Path,
    token: Path,
    *,
    anchors: tuple[Path, ...],
    policy: str | None,
    certificates: tuple[Path, ...],
    crls: tuple[Path, ...],
) -> None:
    """Verify that TOKEN is a time-stamp of FILE, with nothing but trusted roots.

    Example: inkan tsa verify contract.pdf contract.pdf.tst --anchor root.cer
    """
    data = token.read_bytes()
    digest = parse_token(data).info.digest
    verified = verify_timestamp(
        data,
        imprint_of(file, digest),
        [each.read_bytes() for each in anchors],
        digest=digest,
        policy=policy,
        certificates=[each.read_bytes() for each in certificates],
        crls=[each.read_bytes() for each in crls],
    )
    _print(verified)


def imprint_of(file: Path, digest: ImprintDigest) -> bytes:
    """The digest of a file of any size."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, digest.value).digest()


def _print(verified: VerifiedTimestamp) -> None:
    info = verified.info
    within = (info.accuracy or timedelta(0)).total_seconds()
    click.echo(f"The file existed at {_moment(info.at)}, within {within:g} s.")
    click.echo(f"  policy    {info.policy}")
    click.echo(f"  serial    {info.serial:x}")
    click.echo(f"  authority {verified.authority_sha256.hex(':').upper()}")
    if not verified.revocation_checked:
        click.echo("  Whether the authority's certificate was revoked was not checked: no --crl.")


def _moment(moment: datetime) -> str:
    """RFC 3339 in UTC to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
