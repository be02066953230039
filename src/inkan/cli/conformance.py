"""``inkan conformance``: serve the hostile platform of the kit and play it against a relying party's test endpoint."""

import asyncio
import binascii
import json
import re
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, ActorKind
from inkan.cli.world import World
from inkan.client.durable_file import read_file, replace_file
from inkan.client.http import AsyncTransport
from inkan.conformance.api import application
from inkan.conformance.model import Finding, Item, ReportKeyWrong
from inkan.conformance.rules import KIT_VERSION, PATHS, ROWS
from inkan.conformance.service import (
    HostilePlatform,
    KitRoot,
    Run,
    TestEndpoint,
    items_of,
    origin_of,
    p256,
    signed_report,
)
from inkan.kernel.clock import Clock
from inkan.web.server import Server

DEFAULT_ISSUER: Final = "http://hostile.localhost:8499"
DEFAULT_HOME: Final = Path("conformance")
OPERATOR: Final = Actor(ActorKind.OPERATOR, "console")
LANGUAGES: Final = ("en", "zh-Hant", "ja")
Played = tuple[str, list[Finding]]
"""The code of the system that was attacked, and what came of each attack."""
_PEM: Final = re.compile(
    rb"-----BEGIN PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+?)-----END PRIVATE KEY-----\s*"
)

_home = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=DEFAULT_HOME,
    show_default=True,
    help="Folder of the kit: its root and the root's key.",
)
_lang = click.option(
    "--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Of the titles."
)
_issuer = click.option(
    "--issuer",
    default=DEFAULT_ISSUER,
    show_default=True,
    help="Address under which the relying party reaches the kit's platform.",
)


@click.group()
def command() -> None:
    """Play a hostile platform, browsers and phones against a relying party's test endpoint.

    Example: inkan conformance run --rp http://taxoffice.localhost:8481/conformance
    """


@command.command()
@_lang
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def items(lang: str, *, as_json: bool) -> None:
    """List the attacks, and what a relying party has to do about each.

    Example: inkan conformance items --lang ja
    """
    if as_json:
        rows = [_told(item, lang) | {"refusal": row.refusal} for item, row in ROWS.items()]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for item, row in ROWS.items():
        threats = ", ".join(map(str, row.threats))
        click.echo(f"{item:22} {row.title(lang)}  (threats {threats})\n{'':22} {row.refusal}")


@command.command()
@_home
@_issuer
def prepare(home: Path, issuer: str) -> None:
    """Make the kit's root, and say what the relying party's test instance is configured with.

    Example: inkan conformance prepare --home conformance
    """
    KitRoot.prepared(home, Clock())
    click.echo(
        f"Configure a test instance of the relying party, and nothing else, with\n"
        f"    issuer  {issuer}\n"
        f"    root    {home / 'root.cer'}\n"
        f"and let it offer {', '.join(PATHS)} below one address."
    )


@command.command()
@click.option("--rp", required=True, help="Address of the relying party's test endpoint.")
@_home
@_issuer
@click.option(
    "--listen", default="127.0.0.1", show_default=True, help="Where the platform listens."
)
@click.option("--port", type=click.IntRange(1, 65535), help="Its port; the issuer's by default.")
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Private P-256 key (PKCS #8, PEM or DER) that signs the report; the sandbox's own by default.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the signed report goes; none by default.",
)
@click.option(
    "--item",
    "only",
    type=click.Choice([str(item) for item in Item]),
    multiple=True,
    help="Only these.",
)
@_lang
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def run(
    world: World,
    *,
    rp: str,
    home: Path,
    issuer: str,
    listen: str,
    port: int | None,
    key: Path | None,
    out: Path | None,
    only: tuple[str, ...],
    lang: str,
    as_json: bool,
) -> int:
    """Attack the relying party behind --rp, one item after the other.

    Exit code 0: every attack was refused. 1: one was not, or a legal run did not succeed. A report is of all items.
    Without --key the sandbox instance that this is run on signs it, and the system goes on to production by it; under
    another key it is for its owner alone.

    Example: inkan conformance run --rp http://taxoffice.localhost:8481/conformance --out report.jws
    """
    if key is not None and out is None:
        raise click.UsageError("--key needs --out")
    if out is not None and only:
        raise click.UsageError("a report is of all items")
    signer = _read_key(key) if key else None
    clock = Clock()
    root = KitRoot.kept(home, clock)
    chosen = tuple(map(Item, only)) or tuple(Item)
    parts = urlsplit(origin_of(issuer))
    port = port or parts.port or (443 if parts.scheme == "https" else 80)
    platform = HostilePlatform(issuer, root, clock, domain=urlsplit(rp).hostname or "")
    show = _keep_quiet if as_json else _show
    play = partial(_play, platform, rp, (listen, port), chosen, lambda finding: show(finding, lang))
    if out is not None and signer is None:
        system, findings, jws = world.run(partial(_played_on, play=play))
        replace_file(out, jws.encode("ascii"))
    else:
        system, findings = asyncio.run(play())
        if out is not None and signer is not None:
            replace_file(out, signed_report(system, findings, signer, clock=clock).encode("ascii"))
    _summary(system, findings, lang, as_json=as_json)
    return 0 if all(finding.passed for finding in findings) else 1


async def _played_on(
    instance: Any, play: Callable[..., Awaitable[Played]]
) -> tuple[str, list[Finding], str]:
    """Play, and let the instance sign what was played here; findings come from nowhere else.

    Raises:
        ReportElsewhere, SystemNotFound: before the first attack.
    """
    applications = instance.applications
    system, findings = await play(admit=applications.admit_report)
    jws: str = await applications.sign_report(
        system, items_of(findings), kit_version=KIT_VERSION, actor=OPERATOR
    )
    return system, findings, jws


async def _admit_all(_: str) -> None:
    """Whoever signs with a key of its own may attack whom it likes."""


async def _play(
    platform: HostilePlatform,
    rp: str,
    address: tuple[str, int],
    chosen: tuple[Item, ...],
    show: Callable[[Finding], None],
    *,
    admit: Callable[[str], Awaitable[None]] = _admit_all,
) -> Played:
    host, port = address
    findings = []
    async with (
        Server(application(platform), host=host, port=port).running(grace_s=1.0),
        AsyncTransport() as transport,
    ):
        played = Run(platform, TestEndpoint(rp, transport))
        about = await played.about()
        await admit(about.system)
        async for finding in played.findings(chosen):
            show(finding)
            findings.append(finding)
    return about.system, findings


def _show(finding: Finding, lang: str) -> None:
    mark = click.style("ok    ", fg="green") if finding.passed else click.style("FAILED", fg="red")
    click.echo(f"{mark} {finding.item:22} {ROWS[finding.item].title(lang)}")
    if finding.detail:
        click.echo(f"       {finding.detail}")


def _keep_quiet(_: Finding, __: str) -> None:
    """JSON stands alone."""


def _summary(system: str, findings: list[Finding], lang: str, *, as_json: bool) -> None:
    refused = sum(finding.passed for finding in findings)
    if not as_json:
        click.echo(f"{system}: {refused} of {len(findings)} attacks refused.")
        return
    told = {
        "system": system,
        "kit_version": KIT_VERSION,
        "passed": refused == len(findings),
        "items": [_told(f.item, lang) | {"passed": f.passed, "detail": f.detail} for f in findings],
    }
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


def _told(item: Item, lang: str) -> dict[str, object]:
    row = ROWS[item]
    return {"id": str(item), "title": row.title(lang), "threats": list(row.threats)}


def _read_key(file: Path) -> EllipticCurvePrivateKey:
    """The key of a file.

    Raises:
        ReportKeyWrong: no private P-256 key in PKCS #8.
    """
    data = read_file(file)
    found = _PEM.fullmatch(data.strip() + b"\n")
    try:
        return p256(binascii.a2b_base64(found[1]) if found else data)
    except binascii.Error:
        raise ReportKeyWrong("no PEM") from None
