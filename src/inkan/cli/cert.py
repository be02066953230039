"""``inkan cert``: what a certificate says, at the command line and without an instance.

The file is read in this process: whoever calls the command chose the file, and nobody else waits for it.
"""

import importlib
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from inkan.crypto.certificate_file import FILE_LIMIT
from inkan.crypto.certificate_view import CertificateView, Line, NamePart
from inkan.crypto.serial_numbers import show_serial
from inkan.kernel.clock import rfc3339

_WIDTH = 30


class _Certificates(click.Group):
    """``show`` needs no instance, so the platform is imported only for ``status``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "status"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name != "status":
            return super().get_command(ctx, cmd_name)
        status: click.Command = importlib.import_module("inkan.cli.cert_status").command
        return status


@click.group(cls=_Certificates)
def command() -> None:
    """Certificates: what a file says, and how a certificate of this instance stood at any time.

    Example: inkan cert show card.cer
    """


@command.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with every field.")
@click.option("--detail", is_flag=True, help="Print every field and extension, not only the seven.")
def show(file: Any, *, as_json: bool, detail: bool) -> None:
    """Show what the certificate in FILE says: DER, PEM or base64; - reads standard input.

    Nothing is verified: anybody can write anything into a certificate.

    Example: inkan cert show card.cer --detail
    """
    reader = importlib.import_module("inkan.crypto.workers.certificate_reader")
    view: CertificateView = reader.read_certificate(file.read(FILE_LIMIT + 1))
    if as_json:
        click.echo(msgspec.json.encode(_told(view)).decode())
        return
    if view.count > 1:
        click.echo(f"The file holds {view.count} certificates; this is the first.", err=True)
    for line in [*_basic(view), *(_detail(view) if detail else ())]:
        click.echo(line)


def _row(term: str, value: str) -> str:
    return f"{term:{_WIDTH}} {value}".rstrip()


def _basic(view: CertificateView) -> Iterator[str]:
    """The seven facts (JPKI-14), and by what a certificate is known."""
    holder = view.holder
    yield _row("Name", holder.name or "-")
    yield _row("Date of birth", holder.birth_date.isoformat() if holder.birth_date else "-")
    yield _row("Sex", holder.sex.value if holder.sex else "-")
    yield _row("Address", holder.address or "-")
    yield _row("Date of issue", rfc3339(view.not_before))
    yield _row("Last valid second", rfc3339(view.not_after))
    yield _row("Issuer", view.issuer_name)
    yield _row("Serial number", show_serial(view.serial))
    yield _row("SHA-256", view.sha256)


def _detail(view: CertificateView) -> Iterator[str]:
    yield from ("", _row("Version", view.version))
    yield _row("Signature algorithm", view.signature_algorithm)
    yield from _titled("Holder", map(_part, view.subject))
    yield from _titled("Issuer", map(_part, view.issuer))
    yield from _titled("Public key", map(_line, view.key))
    for extension in view.extensions:
        critical = ", critical" if extension.critical else ""
        title = f"{extension.name or 'Unknown extension'} ({extension.oid}{critical})"
        yield from _titled(title, map(_line, extension.lines))
    yield from ("", _row("Signature", view.signature))


def _titled(title: str, rows: Iterator[str]) -> Iterator[str]:
    yield from ("", title)
    yield from (f"  {row}" for row in rows)


def _part(part: NamePart) -> str:
    return _row(part.term or part.oid, part.value)


def _line(line: Line) -> str:
    words = ", ".join(line.words)
    value = f"{line.value} ({words})" if line.value and words else line.value or words
    return _row(line.term, value) if line.term else value


def _told(view: CertificateView) -> dict[str, Any]:
    """Every field as JSON; times as RFC 3339, the certificate itself left out."""
    told: dict[str, Any] = msgspec.to_builtins(view)
    del told["der"]
    return told | {
        "not_before": rfc3339(view.not_before),
        "not_after": rfc3339(view.not_after),
    }
