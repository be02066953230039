"""``inkan verify``: check a receipt offline."""

from datetime import datetime
from pathlib import Path

import click

from inkan.client.receipt_report import Report, Result, Verdict
from inkan.client.verifier import verify_receipt

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
