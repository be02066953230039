"""The end of authorities and of entries: an authority that is revoked, an entry that no list will hold any more."""

from datetime import datetime
from typing import Any

from inkan.audit import Actor, Audit
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.path import RevocationReason
from inkan.kernel.clock import EPOCH
from inkan.pki import store
from inkan.pki.model import AuthorityUnknown, CrossCertificate, Role
from inkan.pki.rules import COMMIT_DELAY, MirrorKind, verify_reason
from inkan.pki.service.hierarchy import AUTHORITIES_TOPIC, Hierarchy
from inkan.pki.service.status import Listing, enter
from inkan.store.database import MOMENT, Step, Wake


class Retirement:
    """Revokes authorities."""

    def __init__(self, *, audit: Audit, hierarchy: Hierarchy) -> None:
        self._audit = audit
        self._hierarchy = hierarchy

    def revoke(self, name: str, *, reason: RevocationReason, actor: Actor) -> Step[bool]:
        """Step: see :meth:`inkan.pki.PKI.revoke_authority`; also for a cross-certificate by its name."""
        for cross in self._hierarchy.crosses:
            if cross.name == name:
                return (yield from self._revoke_cross(cross, reason, actor))
        authority = self._hierarchy.get(name)
        if authority.role is not Role.ISSUING:
            raise AuthorityUnknown()
        verify_reason(reason, "authority")
        held = yield store.HELD_AUTHORITY.one(name=name)
        if held.revoked_at is not None:
            return False
        event = yield from self._audit.record(
            "pki.authority_revoked", actor=actor, object=name, details={"reason": reason.value}
        )
        yield store.REVOKE_AUTHORITY.run(name=name, event=event)
        moment = yield MOMENT
        serial = f"{parse_certificate(authority.certificate).serial:x}"
        listing = Listing(authority.parent, 0, serial, authority.not_after)
        yield from enter(listing, reason, at=moment)
        yield Wake(AUTHORITIES_TOPIC)
        return True

    def _revoke_cross(
        self, cross: CrossCertificate, reason: RevocationReason, actor: Actor
    ) -> Step[bool]:
        verify_reason(reason, "authority")
        moment = yield MOMENT
        yield from self._audit.record(
            "pki.cross_certificate_revoked",
            actor=actor,
            object=cross.issuer,
            details={"name": cross.name, "reason": reason.value},
        )
        serial = f"{parse_certificate(cross.certificate).serial:x}"
        yield from enter(Listing(cross.issuer, 0, serial, cross.not_after), reason, at=moment)
        return True


def purge() -> Step[None]:
    """Step: drop the entries that stood in one list of each kind after their certificate's term (RFC 5280 §3.3)."""
    moment = yield MOMENT
    listed: dict[str, datetime] = {}
    for row in (yield store.CRLS.all()):
        if row.listed or row.dirty:
            at = row.this_update or EPOCH
            listed[row.authority] = min(at, listed.get(row.authority, at))
    bases = {row.authority: row for row in (yield store.MIRRORS.all()) if _is_base(row)}
    for authority, at in listed.items():
        base = bases.get(authority)
        yield store.PURGE_REVOKED.run(
            authority=authority,
            listed_until=at if base is None else min(at, base.this_update),
            removed_until=(moment if base is None else base.read_at) - COMMIT_DELAY,
        )


def _is_base(row: Any) -> bool:
    return bool(row.kind == MirrorKind.BASE and row.number)
