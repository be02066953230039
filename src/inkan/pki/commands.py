"""``inkan ca``: ceremonies, authorities, lists and revocation at the command line."""

import base64
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from inkan.audit import Actor, ActorKind
from inkan.client.card import Giving
from inkan.client.software_card import SoftwareCard
from inkan.client.transcript import verify_transcript
from inkan.crypto.key_providers import KeyProvider
from inkan.crypto.path import RevocationReason
from inkan.kernel.clock import Clock, rfc3339
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.pki.model import CeremonyWrong
from inkan.pki.rules import REASONS
from inkan.pki.service import read_ceremony, thumbprint
from inkan.pki.service.ceremony_file import AnyCeremony, Ceremony
from inkan.pki.service.forest import Forest, Tree, draw, told
from inkan.pki.service.offline_store import draw_shares, make_offline, open_offline
from inkan.pki.service.rehearsal import ThrowAwayKeys
from inkan.wire.ceremony_approval import CONTENT_TYPE as APPROVAL_TYPE
from inkan.wire.ceremony_approval import CeremonyApproval, approval_bytes, file_sha256
from inkan.wire.ceremony_transcript import Transcript

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)
OPERATOR = Actor(ActorKind.OPERATOR, "console")


@click.group()
def command() -> None:
    """Certification authorities.

    Example: inkan ca init ceremony.toml
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def init(world: Any, file: Path) -> None:
    """Hold the key ceremony that FILE describes: make every authority and signer, once.

    Prints each certificate with its SHA-256 thumbprint, to be published by two independent ways.

    Example: inkan ca init ceremony.toml
    """
    ceremony = read_ceremony(file.read_text(encoding="utf-8"))
    made = world.run(lambda platform: platform.pki.hold_ceremony(ceremony))
    _print(made.made)


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--dry-run", is_flag=True, help="Rehearse with throw-away keys; nothing is stored.")
@click.option("--offline", type=_FOLDER, help="Folder of the offline key store (roots, bridge).")
@click.option("--share", "shares", type=_FILE, multiple=True, help="A custodian's share.")
@click.option("--shares-to", type=_FOLDER, help="Where the founding writes new shares.")
@click.option("--approval", "approvals", type=_FILE, multiple=True, help="A custodian's approval.")
@click.option("--transcript", type=_FILE, help="Where the signed transcript goes.")
@click.pass_obj
def ceremony(
    world: Any,
    file: Path,
    *,
    dry_run: bool,
    offline: Path | None,
    shares: tuple[Path, ...],
    shares_to: Path | None,
    approvals: tuple[Path, ...],
    transcript: Path | None,
) -> None:
    """Hold the key ceremony that FILE describes; FILE is its only input, and custodians approve it.

    A founding with --offline draws the secret of the offline key store and hands out its shares, one for each
    custodian, before anything is made. Later ceremonies open the store by as many shares as the custody says.

    Example: inkan ca ceremony nation.toml --offline offline --shares-to shares --approval a.cms --approval b.cms
    """
    data = file.read_bytes()
    asked = read_ceremony(data.decode("utf-8", errors="replace"))
    keys = _offline_keys(asked, offline, shares, shares_to, is_rehearsal=dry_run)

    async def hold(platform: Any) -> tuple[Transcript, str]:
        held = await platform.pki.hold_ceremony(
            asked,
            file=data,
            approvals=[path.read_bytes() for path in approvals],
            offline=keys,
            is_rehearsal=dry_run,
        )
        return held, await platform.pki.sign_transcript(held)

    held, signed = world.run(hold)
    if transcript is not None:
        transcript.write_text(signed + "\n", encoding="ascii")
    _print_held(held)


@command.command(name="transcript")
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
    "--ceremony",
    "held_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The ceremony file that is said to have been held.",
)
@click.option("--at", metavar="TIME", help="RFC 3339 time that is asked about; now when left out.")
@click.pass_context
def transcript_(
    context: click.Context,
    *,
    file: Path,
    anchors: tuple[Path, ...],
    held_file: Path | None,
    at: str | None,
) -> None:
    """Verify the signed transcript in FILE offline, and print what the ceremony did.

    Exit code 0: an instance below one of the anchors signed it. 1: it does not hold.

    Example: inkan ca transcript transcript.jws --anchor root.cer --ceremony nation.toml
    """
    try:
        held = verify_transcript(
            file.read_text(encoding="ascii", errors="replace"),
            [anchor.read_bytes() for anchor in anchors],
            at=parse_time(at) or Clock().wire_now(),
        )
    except InkanError as refusal:
        detail = f" {refusal.detail}." if refusal.detail else ""
        click.echo(f"Not verified: {refusal.title}.{detail} [{refusal.code}]", err=True)
        context.exit(1)
    if held_file and file_sha256(held_file.read_bytes()) != held.file_sha256:
        click.echo(f"Not verified: {held_file} is not the file that was held.", err=True)
        context.exit(1)
    click.echo(f"{held.title}: {held.kind}, {held.held_at}, file {held.file_sha256}")
    _print_held(held)


def _print_held(held: Transcript) -> None:
    if held.is_rehearsal:
        click.echo("A rehearsal: these certificates were made with throw-away keys and are gone.")
    for approver in held.approvals:
        click.echo(f"Approved by {approver.name}, {approver.unit}")
    _print(held.made)
    for name in held.revoked:
        click.echo(f"{name:12} revoked")


def _offline_keys(
    asked: AnyCeremony,
    folder: Path | None,
    shares: tuple[Path, ...],
    shares_to: Path | None,
    *,
    is_rehearsal: bool,
) -> KeyProvider | None:
    if folder is None:
        return None
    if is_rehearsal:
        return ThrowAwayKeys()
    if not isinstance(asked, Ceremony):
        return open_offline(folder, [_share(path) for path in shares])
    if asked.custody is None:
        raise CeremonyWrong("an offline key store needs a custody", where="custody")
    if shares_to is None:
        raise click.UsageError("--shares-to is needed: the shares exist nowhere else")
    drawn = draw_shares(asked.custody)
    shares_to.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number, share in enumerate(drawn, 1):
        path = shares_to / f"share-{number}.txt"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(share.reveal() + "\n")
        click.echo(f"{path}: for {asked.custody.custodian[number - 1].name}, nobody else")
    return make_offline(folder, drawn)


def _share(path: Path) -> Secret[str]:
    return Secret(path.read_text(encoding="utf-8", errors="replace"))


@command.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--card", required=True, type=_FILE, help="The custodian's card file.")
@click.option("--out", required=True, type=_FILE, help="Where the approval goes.")
@click.option("--pin", prompt="PIN of the card", hide_input=True, help="Asked for when left out.")
def approve(file: Path, *, card: Path, out: Path, pin: str) -> None:
    """Approve the ceremony FILE with a custodian's card, on the custodian's own machine.

    Shows the title and the hash of the file first; compare the hash with that of the other custodians.

    Example: inkan ca approve nation.toml --card custodian.card --out a.cms
    """
    data = file.read_bytes()
    title = read_ceremony(data.decode("utf-8", errors="replace")).title
    approval = CeremonyApproval(
        title=title, file_sha256=file_sha256(data), at=rfc3339(Clock().wire_now())
    )
    with SoftwareCard(card) as opened:
        cms = opened.sign_request(
            approval_bytes(approval),
            content_type=APPROVAL_TYPE,
            pin=Secret(pin),
            confirm=_confirm,
        )
    out.write_bytes(cms)
    click.echo(f"Wrote {out}.")


def _confirm(giving: Giving) -> str:
    click.confirm(f"Approve the ceremony '{giving.scheme}' ({giving.audience})?", abort=True)
    return ""


@command.command()
@click.option("--offline", type=_FOLDER, required=True, help="Folder of the offline key store.")
@click.option("--share", "shares", type=_FILE, multiple=True, required=True, help="A share.")
@click.pass_obj
def drill(world: Any, *, offline: Path, shares: tuple[Path, ...]) -> None:
    """Show that the shares still open the offline key store and that its keys are those of the roots.

    Best on a restored copy of the folder. The drill stands in the audit log.

    Example: inkan ca drill --offline copy --share share-1.txt --share share-3.txt
    """
    keys = open_offline(offline, [_share(path) for path in shares])
    for name in world.run(lambda platform: platform.pki.drill(keys)):
        click.echo(f"{name}: the key is there and is the certificate's.")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(world: Any, *, as_json: bool) -> None:
    """List the authorities and signers as a tree, with the thumbprints that people compare.

    Example: inkan ca list --json
    """

    async def read(platform: Any) -> Forest:
        hierarchy = platform.pki.hierarchy
        return draw(hierarchy, hierarchy.urls, crosses=hierarchy.crosses)

    forest = world.run(read)
    if as_json:
        click.echo(msgspec.json.encode({"authorities": [told(t) for t in forest.trees]}).decode())
        return
    if not forest.trees:
        click.echo("There are no authorities yet: inkan ca init FILE makes them.")
    for tree in forest.trees:
        _print_tree(tree, first="", rest="")


def _print_tree(tree: Tree, *, first: str, rest: str) -> None:
    """A certificate and, on lines of its own, all below it."""
    bar = f"{rest}{'│ ' if tree.below else '  '}"
    kind = tree.role if tree.place.value == tree.role else f"{tree.place}, {tree.role}"
    click.echo(f"{first}{tree.name}  {tree.title}  ({kind}, until {rfc3339(tree.not_after)})")
    click.echo(f"{bar}SHA-256 {thumbprint(tree.der)}")
    for place, each in enumerate(tree.below, start=1):
        is_last = place == len(tree.below)
        branch, pad = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        _print_tree(each, first=rest + branch, rest=rest + pad)


@command.command()
@click.argument("name")
@click.option("--pem", is_flag=True, help="Print PEM instead of writing DER.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File for the DER.")
@click.pass_obj
def show(world: Any, name: str, *, pem: bool, out: Path | None) -> None:
    """Give out the certificate of the authority NAME.

    Example: inkan ca show root --pem
    """

    async def read(platform: Any) -> bytes:
        der: bytes = platform.pki.hierarchy.certificate(name)
        return der

    der = world.run(read)
    if out is not None:
        out.write_bytes(der)
        click.echo(f"Wrote {out}.")
    if pem or out is None:
        click.echo(_pem(der, "CERTIFICATE"))


@command.command()
@click.argument("name")
@click.option("--shard", type=int, default=0, show_default=True, help="Shard of the list.")
@click.pass_obj
def crl(world: Any, name: str, shard: int) -> None:
    """Print the revocation list of the authority NAME as PEM, signed again when it is due.

    Example: inkan ca crl phone
    """
    click.echo(_pem(world.run(lambda platform: platform.pki.crl(name, shard)), "X509 CRL"))


@command.command()
@click.argument("certificate")
@click.option(
    "--reason",
    type=click.Choice([reason for reason, whose in REASONS.items() if "holder" in whose]),
    default=RevocationReason.UNSPECIFIED.value,
    show_default=True,
    help="RFC 5280 reason.",
)
@click.option("--invalid-since", metavar="TIME", help="Since when the key was in other hands.")
@click.pass_obj
def revoke(world: Any, certificate: str, reason: str, invalid_since: str | None) -> None:
    """Revoke the certificate with this id for ever.

    Example: inkan ca revoke crt_… --reason keyCompromise
    """

    def change(platform: Any) -> Any:
        return platform.db.transact(
            platform.pki.revoke,
            certificate,
            reason=RevocationReason(reason),
            actor=OPERATOR,
            invalid_since=parse_time(invalid_since),
        )

    done = world.run(change)
    click.echo("Revoked." if done else "It was revoked before.")


@command.command(name="revoke-authority")
@click.argument("name")
@click.option(
    "--reason",
    type=click.Choice([reason for reason, whose in REASONS.items() if "authority" in whose]),
    required=True,
    help="RFC 5280 reason.",
)
@click.pass_obj
def revoke_authority(world: Any, name: str, reason: str) -> None:
    """Revoke the issuing authority NAME for ever: it enters the root's list and issues nothing any more.

    Example: inkan ca revoke-authority phone --reason cACompromise
    """

    def change(platform: Any) -> Any:
        return platform.pki.revoke_authority(name, reason=RevocationReason(reason), actor=OPERATOR)

    click.echo("Revoked." if world.run(change) else "It was revoked before.")


def parse_time(text: str | None) -> datetime | None:
    """A time of RFC 3339 with its offset, or None for None.

    Raises:
        click.BadParameter: another text.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - refused in the next line
    if found.tzinfo is None:
        raise click.BadParameter(f"{text} is no time like 2026-11-01T09:00:00+08:00")
    return found.astimezone(UTC)


def _print(lines: Any) -> None:
    for line in lines:
        click.echo(f"{line.name:12} {line.role:10} until {line.not_after}  {line.subject}")
        click.echo(f"  SHA-256 {line.thumbprint_sha256}")


def _pem(der: bytes, label: str) -> str:
    body = base64.encodebytes(der).decode().replace("\n", "")
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])
