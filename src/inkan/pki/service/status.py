"""What the register says of a certificate, and every step that changes it after its issue."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from inkan.audit import Actor, Audit
from inkan.crypto.crl_encoding import encode_entry, encode_removal
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
from inkan.pki.rules import AT_ONCE, MACHINE, verify_reason
from inkan.store.database import MOMENT, Step, Wake
from inkan.store.outbox import enqueue
from inkan.store.query import Query

LISTS_TOPIC = "pki.lists"
LIST_JOB = "pki.list"

_QUERIES: Mapping[CertificateStep, Query] = {
    CertificateStep.REVOKE: store.REVOKE,
    CertificateStep.SUSPEND: store.SUSPEND,
    CertificateStep.REINSTATE: store.REINSTATE,
}


class ListJob(msgspec.Struct, frozen=True):
    """The job :data:`LIST_JOB`: sign this list now."""

    authority: str
    shard: int


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

    def revoke(
        self,
        certificate_id: str,
        *,
        reason: RevocationReason,
        actor: Actor,
        invalid_since: datetime | None = None,
    ) -> Step[bool]:
        """Step: revoke for ever; marks the list dirty and drops stored OCSP answers (design §6 Status).

        ``invalid_since`` is said in the list when the key was in other hands before (RFC 5280 §5.3.2).

        Returns:
            False when it was revoked before: nothing happens twice.

        Raises:
            CertificateUnknown: unknown id.
            ReasonRefused: not a reason for which a holder's certificate is revoked.
        """
        verify_reason(reason, "holder")
        done = yield from self._change(
            CertificateStep.REVOKE,
            "pki.certificate_revoked",
            certificate_id,
            reason=reason,
            actor=actor,
            invalid_since=invalid_since,
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
        invalid_since: datetime | None = None,
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
        moment = yield MOMENT
        yield store.INSERT_CHANGE.run(
            event_id=event,
            certificate=certificate_id,
            at=moment,
            step=step.value,
            reason=reason.value if reason else None,
            invalid_since=invalid_since,
        )
        yield store.FORGET_OCSP.run(authority=row.authority, serial=row.serial)
        listing = Listing(row.authority, row.shard, row.serial, row.not_after)
        yield from enter(listing, reason, at=moment, invalid_since=invalid_since)
        return row


class Listing(NamedTuple):
    """Where a certificate stands in the lists of its authority, and until when."""

    authority: str
    shard: int
    serial: str
    not_after: datetime


def enter(
    listing: Listing,
    reason: RevocationReason | None,
    *,
    at: datetime,
    invalid_since: datetime | None = None,
) -> Step[None]:
    """Step: write what the lists will say of a certificate from now on; no reason takes it off its hold."""
    moment = at.replace(microsecond=0)
    serial = int(listing.serial, 16)
    if reason is None:
        entry = encode_removal(serial, at=moment)
    else:
        entry = encode_entry(serial, at=moment, reason=reason, invalid_since=invalid_since)
    yield store.STORE_REVOKED.run(
        authority=listing.authority,
        shard=listing.shard,
        serial=listing.serial,
        removed=reason is None,
        entry=entry,
        reason=reason.value if reason else None,
        changed_at=at,
        keep_until=max(listing.not_after, at),
    )
    yield store.MARK_DIRTY.run(
        authority=listing.authority,
        shard=listing.shard,
        number=0,
        dirty=True,
        der=None,
        this_update=None,
        next_update=None,
    )
    if reason in AT_ONCE:
        job = ListJob(authority=listing.authority, shard=listing.shard)
        yield from enqueue(LIST_JOB, job, key=f"{LIST_JOB}:{listing.authority}:{listing.shard}")
    yield Wake(LISTS_TOPIC)


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
