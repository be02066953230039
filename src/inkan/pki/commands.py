"""``inkan ca``: ceremonies, authorities, lists and revocation at the command line."""

import base64
from pathlib import Path
from typing import Any

import click
import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto.path import RevocationReason
from inkan.kernel.clock import rfc3339
from inkan.pki.service import read_ceremony, thumbprint
from inkan.pki.service.forest import Forest, Tree, draw

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
    _print(made)


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_(world: Any, *, as_json: bool) -> None:
    """List the authorities and signers as a tree, with the thumbprints that people compare.

    Example: inkan ca list --json
    """

    async def read(platform: Any) -> Forest:
        return draw(platform.pki.hierarchy, platform.pki.hierarchy.urls)

    forest = world.run(read)
    if as_json:
        click.echo(msgspec.json.encode({"authorities": [_told(t) for t in forest.trees]}).decode())
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


def _told(tree: Tree) -> dict[str, Any]:
    """A certificate of the picture as JSON."""
    return {
        "name": tree.name,
        "role": tree.role,
        "place": tree.place,
        "common_name": tree.title,
        "issuer": tree.issuer,
        "sha256": tree.thumbprint,
        "not_before": rfc3339(tree.not_before),
        "not_after": rfc3339(tree.not_after),
        "crl": tree.crl or None,
        "crl_shards": tree.crl_shards,
        "ocsp": tree.ocsp or None,
        "timestamps": tree.timestamps or None,
        "below": [_told(each) for each in tree.below],
    }


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
        der: bytes = platform.pki.hierarchy.get(name).certificate
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
    type=click.Choice([reason.value for reason in RevocationReason]),
    default=RevocationReason.UNSPECIFIED.value,
    show_default=True,
    help="RFC 5280 reason.",
)
@click.pass_obj
def revoke(world: Any, certificate: str, reason: str) -> None:
    """Revoke the certificate with this id for ever.

    Example: inkan ca revoke crt_… --reason keyCompromise
    """

    def change(platform: Any) -> Any:
        return platform.db.transact(
            platform.pki.revoke, certificate, reason=RevocationReason(reason), actor=OPERATOR
        )

    done = world.run(change)
    click.echo("Revoked." if done else "It was revoked before.")


def _print(lines: Any) -> None:
    for line in lines:
        click.echo(f"{line.name:12} {line.role:8} until {line.not_after}  {line.subject}")
        click.echo(f"  SHA-256 {line.thumbprint_sha256}")


def _pem(der: bytes, label: str) -> str:
    body = base64.encodebytes(der).decode().replace("\n", "")
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])
