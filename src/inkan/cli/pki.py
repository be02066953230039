"""``inkan pki``: validate certification paths from files, with the kit alone; no instance is asked."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
import msgspec

from inkan.cli.pki_request import ValidationRequest, answer, answer_line
from inkan.crypto.validation.settings import AlgorithmCeiling
from inkan.crypto.validation.validator import Validator
from inkan.crypto.validation.verdict import Status, Verdict

# Distinct answers for scripts: proved, disproved, not enough to say.
EXIT: Final = {Status.VALID: 0, Status.INVALID: 1, Status.INDETERMINATE: 2}
_FILE: Final = click.Path(path_type=Path)


@click.group()
def command() -> None:
    """Public-key infrastructure: validate certification paths from files.

    Example: inkan pki validate --trust root.cer --cert holder.cer --intermediate ca.cer
    """


@command.command()
@click.option("--trust", type=_FILE, multiple=True, help="Trusted certificates; may be repeated.")
@click.option("--cert", type=_FILE, help="The certificate in question; further PEM blocks help.")
@click.option(
    "--intermediate", type=_FILE, multiple=True, help="Certificates for building the path."
)
@click.option("--crl", type=_FILE, multiple=True, help="Revocation lists, complete or delta.")
@click.option("--ocsp", type=_FILE, multiple=True, help="OCSP responses.")
@click.option("--policy", multiple=True, help="Acceptable policy (dotted OID); may be repeated.")
@click.option("--explicit-policy", is_flag=True, help="A policy must hold for the whole path.")
@click.option("--inhibit-mapping", is_flag=True, help="Policies are not mapped.")
@click.option("--inhibit-any", is_flag=True, help="anyPolicy in certificates counts for nothing.")
@click.option("--time", help="The time asked about (RFC 3339); now by default.")
@click.option("--strict", is_flag=True, help="Demand also what RFC 5280 only asks of issuers.")
@click.option(
    "--algorithms",
    type=click.Choice([ceiling.value for ceiling in AlgorithmCeiling]),
    default=AlgorithmCeiling.MODERN.value,
    show_default=True,
    help="Accepted signatures and keys.",
)
@click.option("--batch", type=click.File("rb"), help="Answer FILE line by line; - reads the input.")
def validate(batch: BinaryIO | None, **fields: Any) -> int:
    """Validate the path of a certificate by RFC 5280 and print the verdict as JSON.

    Files are DER or PEM. With CRLs, every certificate below the anchor has to be covered by evidence; with OCSP
    responses alone, the certificate itself; with neither, nothing is asked about revocation.

    Exit code 0: valid. 1: invalid. 2: not enough to say. With --batch each line is a JSON object with the names of
    these options as members, each answer is a line, and the exit code is 0 when every line was answered.

    Example: inkan pki validate --trust root.cer --cert holder.cer --intermediate ca.cer --crl ca.crl
    """
    if batch is not None:
        return _answer_batch(batch)
    if fields["cert"] is None or not fields["trust"]:
        raise click.UsageError("--trust and --cert are needed, or --batch.")
    lists = ("trust", "intermediate", "crl", "ocsp")
    paths: dict[str, Any] = {name: tuple(map(str, fields[name])) for name in lists}
    request = ValidationRequest(**fields | paths | {"cert": str(fields["cert"])})
    verdict = answer(Validator(), request)
    _print(verdict)
    return EXIT[verdict.status]


def _answer_batch(batch: BinaryIO) -> int:
    validator = Validator()
    for line in batch:
        if line.strip():
            _print(answer_line(validator, line))
            sys.stdout.flush()
    return 0


def _print(verdict: Verdict) -> None:
    answered: dict[str, Any] = {
        "status": verdict.status,
        "reason": verdict.reason,
        "path": verdict.path,
        "policies": verdict.policies,
    }
    if verdict.detail:
        answered["detail"] = verdict.detail
    facts = {name: _plain(value) for name, value in verdict.facts.items()}
    click.echo(msgspec.json.encode(answered | facts).decode())


def _plain(value: Any) -> Any:
    return value.astimezone(UTC) if isinstance(value, datetime) else value
