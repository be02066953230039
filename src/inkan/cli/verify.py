"""``inkan verify``: check a receipt, or the proof of a use, offline."""

from datetime import datetime
from pathlib import Path

import click

from inkan.client.receipt_report import Report, Result, Verdict
from inkan.client.use_checks import VerifiedUse, verify_use
from inkan.client.verifier import verify_receipt
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError

# Distinct answers for scripts: proved, disproved, not enough to say.
EXIT = {Verdict.VALID: 0, Verdict.INVALID: 1, Verdict.INDETERMINATE: 2}
MARKS = {
    Result.PASSED: ("ok", "green"),
    Result.FAILED: ("FAILED", "red"),
    Result.UNKNOWN: ("?", "yellow"),
    Result.UNPROVED: ("-", None),
}
LOGGED = {True: "proved", False: "the platform's word"}


@click.group()
def command() -> None:
    """Check what a platform signed, with nothing but its root certificate.

    Example: inkan verify receipt receipt.jws --anchor root.cer
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--anchor",
    "anchors",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    required=True,
    help="Root certificate (DER) whose thumbprint you compared; may be repeated.",
)
@click.option(
    "--evidence",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Evidence bundle (JSON) of the session.",
)
@click.option(
    "--at",
    type=click.DateTime(formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%SZ"]),
    help="The time asked about (RFC 3339); by default the moment of the release.",
)
def receipt(
    file: Path, anchors: tuple[Path, ...], evidence: Path | None, at: datetime | None
) -> int:
    """Verify the receipt in FILE, and with evidence the person's approval behind it.

    Exit code 0: valid. 1: invalid. 2: not enough to say.

    Example: inkan verify receipt receipt.jws --anchor root.cer --evidence evidence.json
    """
    report = verify_receipt(
        file.read_text(encoding="ascii", errors="replace").strip(),
        [anchor.read_bytes() for anchor in anchors],
        evidence=evidence.read_bytes() if evidence else None,
        at=at,
    )
    _print(report)
    return EXIT[report.verdict]


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option(
    "--anchor",
    "anchors",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    required=True,
    help="Root certificate (DER) whose thumbprint you compared; may be repeated.",
)
def use(file: Path, anchors: tuple[Path, ...]) -> int:
    """Verify the proof in FILE that a use stands in the platform's audit log.

    Exit code 0: proved. 1: not proved.

    Example: inkan verify use inkan-use.json --anchor root.cer
    """
    try:
        found = verify_use(file.read_bytes(), [anchor.read_bytes() for anchor in anchors])
    except InkanError as refusal:
        click.echo(f"Not proved: {refusal} [{refusal.code}]", err=True)
        return 1
    _print_use(found)
    return 0


def _print_use(found: VerifiedUse) -> None:
    record = found.record
    who = f"{record.relying_party} ({record.domain})" if record.relying_party else "erased"
    click.echo(f"The use of {record.at} stands in the audit log.")
    click.echo(f"  session      {record.session or 'erased'}")
    click.echo(f"  result       {record.outcome}{f', {record.reason}' if record.reason else ''}")
    click.echo(f"  head signed  {rfc3339(found.head_at)}")
    if found.receipt_sha256:
        click.echo(f"  receipt      SHA-256 {found.receipt_sha256}")
    click.echo("This rests on the platform's word:")
    click.echo(f"  - that {who} asked, unless it shows that receipt")
    if not found.is_opened:
        click.echo("  - the result")


def _print(report: Report) -> None:
    for check in report.checks:
        mark, color = MARKS[check.result]
        detail = f"  ({check.detail})" if check.detail else ""
        click.echo(
            f"{click.style(f'{mark:>6}', fg=color)}  {check.number:>2}. {check.name}{detail}"
        )
    click.echo(f"The receipt is {report.verdict}.")
    click.echo(f"In the audit log: {LOGGED[report.is_logged]}.")
    if report.trust:
        click.echo("This rests on the platform's word:")
        for sentence in report.trust:
            click.echo(f"  - {sentence}")
