"""``inkan audit``: verify the log, and print its newest head to be kept elsewhere."""

import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

import click
import msgspec

from inkan.audit.model import Head, Report
from inkan.audit.service import Audit
from inkan.kernel.errors import InkanError
from inkan.store.query import Query

T = TypeVar("T")

INTACT, BROKEN, COULD_NOT_RUN = 0, 1, 2


class Platform(Protocol):
    """What this noun needs of the composed instance."""

    audit: Audit
    event_pairs: Sequence[tuple[str, Query]]


class World(Protocol):
    """What the root hands to the nouns: an instance that is composed when first asked."""

    def run(self, job: Callable[[Platform], Awaitable[T]]) -> T:
        """Compose the instance, run the job in its event loop, take the instance down."""


@click.group()
def command() -> None:
    """The audit log: verify that nothing was changed.

    Example: inkan audit verify
    """


@command.command()
@click.option(
    "--head",
    "kept",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A head that was kept outside the instance (see: inkan audit head).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def verify(context: click.Context, *, kept: Path | None, as_json: bool) -> None:
    """Recompute every event, the tree and the heads, and name the first index that does not hold.

    Ends with 0 when all is intact, 1 when something is broken, 2 when the verification could not run.

    Example: inkan audit verify --head audit-head-2026-11.jws
    """
    kept_head = kept.read_text(encoding="utf-8").strip() if kept else None
    try:
        with _progress() as progress:
            report = _world(context).run(
                lambda platform: platform.audit.verify(
                    platform.event_pairs, kept_head=kept_head, progress=progress
                )
            )
    except InkanError as refusal:
        click.echo(f"The audit log could not be verified: {refusal} [{refusal.code}]", err=True)
        context.exit(COULD_NOT_RUN)
    click.echo(_json(report) if as_json else _text(report))
    context.exit(INTACT if report.is_intact else BROKEN)


@command.command()
@click.pass_context
def head(context: click.Context) -> None:
    """Sign the present state of the log and print the head, to be kept outside the instance.

    Example: inkan audit head > audit-head-2026-11.jws
    """

    async def sign(platform: Platform) -> Head | None:
        await platform.audit.sequence_once()
        return await platform.audit.sign_head()

    signed = _world(context).run(sign)
    if signed is None:
        click.echo("The log is empty: there is nothing to sign.", err=True)
        context.exit(BROKEN)
    click.echo(signed.jws)


def _world(context: click.Context) -> World:
    world: World = context.obj
    return world


def _json(report: Report) -> str:
    members = msgspec.to_builtins(report)
    members |= {"intact": report.is_intact, "broken_at": report.broken_at}
    return msgspec.json.encode(members).decode()


def _text(report: Report) -> str:
    counted = f"{report.events} events, {report.heads} heads, {report.pending} not yet indexed"
    if report.is_intact:
        return f"Intact: {counted}."
    at = "" if report.broken_at is None else f" at index {report.broken_at}"
    lines = [f"{found.kind.value} {found.where}: {found.what}" for found in report.findings]
    return "\n".join([f"Broken{at}; verified so far: {counted}.", *lines])


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A line that counts on a terminal; nothing anywhere else."""
    if not sys.stderr.isatty():
        yield None
        return
    yield lambda done, total: click.echo(f"\r{done} of {total} events", nl=False, err=True)
    click.echo(err=True)
