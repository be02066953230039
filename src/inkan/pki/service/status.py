"""What the register says of a certificate, and every step that changes it after its issue."""

from typing import Any

from inkan.audit import Actor, Audit
from inkan.crypto.path import RevocationReason
from inkan.kernel.ids import CertificateID
from inkan.pki import store
from inkan.pki.model import (
    CertificateRevoked,
    CertificateState,
    CertificateStatus,
    CertificateUnknown,
)
from inkan.store.database import Step, Wake
from inkan.store.outbox import enqueue
from inkan.store.query import Query

LISTS_TOPIC = "pki.lists"


class Status:
    """Reads and changes the status of certificates inside upper features' transactions."""

    def __init__(self, *, audit: Audit) -> None:
        self._audit = audit

    def find(self, certificate_id: str) -> Step[CertificateStatus | None]:
        """Step: the status now, or None for an unknown id."""
        return _status((yield store.STATUS.one(key=certificate_id)))

    def hold(self, certificate_id: str) -> Step[CertificateStatus]:
        """Step: the status, its row held until COMMIT, so that no revocation comes in between (threat 12).

        Raises:
            CertificateUnknown: unknown id.
        """
        status = _status((yield store.HELD_STATUS.one(key=certificate_id)))
        if status is None:
            raise CertificateUnknown()
        return status

    def by_serial(self, authority: str, serial: str) -> Step[CertificateStatus | None]:
        """Step: the status of an authority's serial (lower-case hexadecimal), or None."""
        return _status((yield store.BY_SERIAL.one(authority=authority, serial=serial)))

    def revoke(self, certificate_id: str, *, reason: RevocationReason, actor: Actor) -> Step[bool]:
        """Step: revoke for ever; marks the list dirty and drops stored OCSP answers (design §6 Status).

        Returns:
            False when it was revoked before: nothing happens twice.
        """
        done = yield from self._change(
            store.REVOKE, "pki.certificate_revoked", certificate_id, reason=reason, actor=actor
        )
        if done:
            revoked = CertificateRevoked(certificate=done.id, owner=done.owner, reason=reason.value)
            yield from enqueue(CertificateRevoked.kind, revoked)
        return done is not None

    def suspend(self, certificate_id: str, *, actor: Actor) -> Step[bool]:
        """Step: put on hold (RFC 5280 certificateHold) until reinstated or revoked."""
        done = yield from self._change(
            store.SUSPEND,
            "pki.certificate_suspended",
            certificate_id,
            reason=RevocationReason.CERTIFICATE_HOLD,
            actor=actor,
        )
        return done is not None

    def reinstate(self, certificate_id: str, *, actor: Actor) -> Step[bool]:
        """Step: end a suspension."""
        done = yield from self._change(
            store.REINSTATE, "pki.certificate_reinstated", certificate_id, reason=None, actor=actor
        )
        return done is not None

    def _change(
        self,
        query: Query,
        use_case: str,
        certificate_id: str,
        *,
        reason: RevocationReason | None,
        actor: Actor,
    ) -> Step[Any]:
        """Change the state by compare-and-set; None when the machine has no such step."""
        row = yield store.HELD_STATUS.one(key=certificate_id)
        if row is None:
            raise CertificateUnknown()
        event = yield from self._audit.record(
            use_case,
            actor=actor,
            subject=row.owner,
            object=certificate_id,
            details={"reason": reason.value if reason else None, "from": row.state},
        )
        values = {"new_reason": reason.value} if reason else {}
        changed = yield query.run(key=certificate_id, event=event, **values)
        if not changed:
            return None
        yield store.FORGET_OCSP.run(authority=row.authority, serial=row.serial)
        yield store.MARK_DIRTY.run(
            authority=row.authority,
            shard=row.shard,
            number=0,
            dirty=True,
            der=None,
            this_update=None,
            next_update=None,
        )
        yield Wake(LISTS_TOPIC)
        return row


def _status(row: Any) -> CertificateStatus | None:
    if row is None:
        return None
    return CertificateStatus(
        id=CertificateID(row.id),
        authority=row.authority,
        serial=row.serial,
        state=CertificateState(row.state),
        reason=RevocationReason(row.reason) if row.reason else None,
        changed_at=row.changed_at,
        not_after=row.not_after,
    )
