"""What the register says of a certificate, and every step that changes it after its issue."""

from collections.abc import Mapping
from typing import Any

from inkan.audit import Actor, Audit
from inkan.crypto.path import RevocationReason
from inkan.kernel.ids import CertificateID
from inkan.pki import store
from inkan.pki.model import (
    CertificateRevoked,
    CertificateState,
    CertificateStatus,
    CertificateStep,
    CertificateUnknown,
)
from inkan.pki.rules import MACHINE
from inkan.store.database import Step, Wake
from inkan.store.outbox import enqueue
from inkan.store.query import Query

LISTS_TOPIC = "pki.lists"

_QUERIES: Mapping[CertificateStep, Query] = {
    CertificateStep.REVOKE: store.REVOKE,
    CertificateStep.SUSPEND: store.SUSPEND,
    CertificateStep.REINSTATE: store.REINSTATE,
}


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
            CertificateStep.REVOKE,
            "pki.certificate_revoked",
            certificate_id,
            reason=reason,
            actor=actor,
        )
        if done:
            yield from _tell(done, reason)
        return done is not None

    def revoke_all(self, owner: str, *, reason: RevocationReason, actor: Actor) -> Step[int]:
        """Step: revoke every certificate of an owner, those still being issued included; returns how many."""
        living = yield store.LIVING_OF.all(owner=owner)
        done = 0
        for row in living:
            done += yield from self.revoke(row.id, reason=reason, actor=actor)
        return done

    def suspend(self, certificate_id: str, *, actor: Actor) -> Step[bool]:
        """Step: put on hold (RFC 5280 certificateHold) until reinstated or revoked."""
        reason = RevocationReason.CERTIFICATE_HOLD
        done = yield from self._change(
            CertificateStep.SUSPEND,
            "pki.certificate_suspended",
            certificate_id,
            reason=reason,
            actor=actor,
        )
        if done:
            yield from _tell(done, reason)
        return done is not None

    def suspend_all(self, owner: str, *, actor: Actor) -> Step[int]:
        """Step: put every certificate of an owner on hold; what is not signed yet never will be.

        Returns:
            How many certificates changed.
        """
        living = yield store.LIVING_OF.all(owner=owner)
        done = 0
        for row in living:
            if row.state == CertificateState.VALID:
                done += yield from self.suspend(row.id, actor=actor)
            elif row.state != CertificateState.SUSPENDED:
                ended = RevocationReason.CESSATION_OF_OPERATION
                done += yield from self.revoke(row.id, reason=ended, actor=actor)
        return done

    def reinstate(self, certificate_id: str, *, actor: Actor) -> Step[bool]:
        """Step: end a suspension."""
        done = yield from self._change(
            CertificateStep.REINSTATE,
            "pki.certificate_reinstated",
            certificate_id,
            reason=None,
            actor=actor,
        )
        return done is not None

    def _change(
        self,
        step: CertificateStep,
        use_case: str,
        certificate_id: str,
        *,
        reason: RevocationReason | None,
        actor: Actor,
    ) -> Step[Any]:
        """Change the state by compare-and-set; None, and no event, when the machine has no such step."""
        row = yield store.CHANGING_STATUS.one(key=certificate_id)
        if row is None:
            raise CertificateUnknown()
        if row.state not in MACHINE.before(step):
            return None
        event = yield from self._audit.record(
            use_case,
            actor=actor,
            subject=row.owner,
            object=certificate_id,
            details={"reason": reason.value if reason else None, "from": row.state},
        )
        values = {"new_reason": reason.value} if reason else {}
        yield _QUERIES[step].run(key=certificate_id, event=event, **values)
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


def _tell(row: Any, reason: RevocationReason) -> Step[None]:
    revoked = CertificateRevoked(certificate=row.id, owner=row.owner, reason=reason.value)
    yield from enqueue(CertificateRevoked.kind, revoked)


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
