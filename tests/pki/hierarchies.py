"""A hierarchy of every shape as rows of the register: several roots, a bridge, cross-certificates, a link."""

from inkan.pki import store
from inkan.pki.model import Authority, Role
from inkan.store.database import Database, Step
from support import pki


def row(
    name: str, made: pki.Authority | pki.Issued, role: Role = Role.ISSUING, *, shards: int = 1
) -> Authority:
    """A row of the register for a certificate of the test PKI."""
    der = made.certificate.der
    return Authority(
        name=name,
        role=role,
        certificate=der,
        chain=(der,),
        key_label=name,
        parent=name,
        profiles=(),
        crl_shards=shards,
        not_after=made.certificate.not_after,
    )


def across() -> list[Authority]:
    """Root A with an old and a new key, root B, and a bridge between them; an issuing authority below each root."""
    old, new = pki.Authority.root("Root A"), pki.Authority.root("Root A")
    other, bridge = pki.Authority.root("Root B"), pki.Authority.root("Bridge")
    cards, phones = new.subordinate("Card CA"), other.subordinate("Phone CA")
    return [
        row("a-to-bridge", new.subordinate("Bridge", key=bridge.key)),
        row("bridge", bridge, Role.ROOT),
        row("bridge-to-a", bridge.subordinate("Root A", key=new.key)),
        row("bridge-to-b", bridge.subordinate("Root B", key=other.key)),
        row("cards", cards, shards=16),
        row("cards-ocsp", cards.responder(), Role.OCSP, shards=0),
        row("link", old.subordinate("Root A", key=new.key)),
        row("phones", phones),
        row("root-a", new, Role.ROOT),
        row("root-a-old", old, Role.ROOT),
        row("root-b", other, Role.ROOT),
    ]


def shuffled_circle() -> list[Authority]:
    """Two authorities that certify each other and are signed by nobody else."""
    first, second = pki.Authority.root("First"), pki.Authority.root("Second")
    return [
        row("first", second.subordinate("First", key=first.key)),
        row("second", first.subordinate("Second", key=second.key)),
    ]


async def add(database: Database, authorities: list[Authority]) -> None:
    """Put rows into the register, as a later ceremony would."""
    await database.transact(_insert, authorities)


def _insert(authorities: list[Authority]) -> Step[None]:
    for each in authorities:
        yield store.INSERT_AUTHORITY.run(
            name=each.name,
            role=each.role.value,
            certificate=each.certificate,
            key_label=each.key_label,
            parent=each.parent,
            profiles=[],
            crl_shards=each.crl_shards,
            not_after=each.not_after,
            is_offline=False,
            successor=None,
            event_id="evt_test",
        )
