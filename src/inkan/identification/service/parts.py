"""What the use cases of sessions share: the features below, and the secrets that are derived for a session."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from inkan.approvals import Approval, Approvals, is_releasable, state_at
from inkan.attributes import Attributes
from inkan.audit import Audit
from inkan.crypto import base64url
from inkan.crypto.aead import hmac_sha256
from inkan.enrolment import Enrolment
from inkan.identification import store
from inkan.identification.model import Next, QRDoor, Session, SessionNotFound, Terms
from inkan.identification.rules import (
    CODE_DIGITS,
    ENUMERABLE_HINTS,
    FINAL,
    PUSHED,
    Leader,
    Opening,
    way_of,
)
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import ApprovalID, SessionID, SystemID
from inkan.kernel.sensitive import Secret
from inkan.notices import Notices
from inkan.people import People
from inkan.pki import PKI, CertificateState, CertificateStatus
from inkan.relying_parties import RelyingParties
from inkan.signing import Signing
from inkan.store.database import Database, Step
from inkan.store.sealing import SealedColumn, Sealer
from inkan.wire.binding import BindingLevel
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome, SessionState

EVIDENCE = SealedColumn("identification_session", "evidence")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The dependencies of every use case of this feature."""

    db: Database
    audit: Audit
    sealer: Sealer
    approvals: Approvals
    enrolment: Enrolment
    people: People
    pki: PKI
    notices: Notices
    relying_parties: RelyingParties
    attributes: Attributes
    signing: Signing
    issuer: str
    wallet_origin: str
    qr_master: Secret[bytes]

    def qr_secret(self, approval: Approval) -> Secret[bytes]:
        """The 32-byte secret of the present QR generation; derived, so that nothing is stored and nothing leaks."""
        message = f"inkan-qr-secret-v1\x00{approval.id}\x00{approval.generation}".encode()
        return Secret(hmac_sha256(self.qr_master, message))

    def body_mac(self, body: bytes) -> str:
        """The keyed hash by which the body of a creating request is known again.

        A plain hash would give a typed national ID back to whoever tries all numbers (design §5.4).
        """
        return base64url.encode(hmac_sha256(self.qr_master, b"inkan-idempotency-v1\x00" + body))

    def code(self, approval_id: str) -> str:
        """The six digits of a pushed session: the same for each sending, known to nobody without the key."""
        message = f"inkan-push-code-v1\x00{approval_id}".encode()
        drawn = int.from_bytes(hmac_sha256(self.qr_master, message))
        return str(drawn % 10**CODE_DIGITS).zfill(CODE_DIGITS)

    def return_code(self, approval: Approval, *, by: Leader) -> str:
        """What the browser brings back for this answer: base64url of 32 bytes, bound to the signed statement.

        It tells who led the browser back.
        """
        message = (
            f"inkan-return-v1\x00{by}\x00{approval.id}\x00{approval.statement_sha256}".encode()
        )
        return base64url.encode(hmac_sha256(self.qr_master, message))

    def browser_of(self, system: SystemID, browser: str) -> str:
        """A relying party's name for a browser, blinded for this system alone."""
        message = f"inkan-browser-v1\x00{system}\x00{browser}".encode()
        return base64url.encode(hmac_sha256(self.qr_master, message))

    def qr_door(self, approval: Approval, now: datetime) -> QRDoor:
        """What the relying party's back end draws the frames of the present generation with."""
        assert approval.handle is not None
        assert approval.qr_t0 is not None
        return QRDoor(
            handle=approval.handle,
            secret=base64url.encode(self.qr_secret(approval).reveal()),
            origin=self.wallet_origin,
            t0=rfc3339(approval.qr_t0),
            t=qr_seconds(approval, now),
            generation=approval.generation,
        )


class Found(msgspec.Struct, frozen=True):
    """A session and its approval, read together."""

    session: Session
    approval: Approval


def qr_seconds(approval: Approval, now: datetime) -> int:
    """Whole seconds since the QR generation began, by the platform's clock."""
    assert approval.qr_t0 is not None
    return int((now - approval.qr_t0).total_seconds())


def find(parts: Parts, session_id: str, *, system: SystemID) -> Step[Found]:
    """Step: a system's session and its approval.

    Raises:
        SessionNotFound: unknown, or another system's: the same work and the same answer.
    """
    session = read_session((yield store.BY_ID.one(key=session_id)))
    if session is None or session.system != system:
        raise SessionNotFound()
    approval = yield from parts.approvals.get(session.approval)
    if approval.state is SessionState.CLOSED and session.result is None:
        # The answer came between the two reads, which share no snapshot: the other half is there now.
        session = read_session((yield store.BY_ID.one(key=session_id)))
        if session is None:
            raise SessionNotFound()
    return Found(session=session, approval=approval)


def find_by_approval(approval: Approval) -> Step[Session]:
    """Step: the session that an approval answers.

    Raises:
        SessionNotFound: purged meanwhile.
    """
    session = read_session((yield store.BY_APPROVAL.one(key=approval.id)))
    if session is None:
        raise SessionNotFound()
    return session


def read_session(row: Any) -> Session | None:
    """The session of a row, or None."""
    if row is None:
        return None
    return Session(
        id=SessionID(row.id),
        system=SystemID(row.system),
        sector=row.sector,
        approval=ApprovalID(row.approval),
        kind=row.kind,
        purpose=row.purpose,
        full_evidence=row.full_evidence,
        binding_min=BindingLevel(row.binding_min),
        hint_type=row.hint_type,
        hint=row.hint,
        terms=msgspec.convert(row.terms, Terms),
        page=row.page,
        page_browser=row.page_browser,
        is_withdrawn=row.is_withdrawn,
        body_sha256=row.body_sha256,
        created_at=row.created_at,
        expires_at=row.expires_at,
        purge_at=row.purge_at,
        result=row.result,
        receipt_payload=row.receipt_payload,
        receipt=row.receipt,
        certificate=row.certificate,
    )


def is_veiled(session: Session, approval: Approval) -> bool:
    """Whether the relying party must not see what became of the push that named a person (design §5.4).

    Unknown, unbound, refusing and mistyping persons look alike. Whoever opened it by scan or link was not named
    by the asker's page, so nothing is given away then.
    """
    return (
        session.hint_type in ENUMERABLE_HINTS
        and way_of(Opening.PUSH, session.terms.doors) is not None
        and (approval.door is None or approval.door in PUSHED)
    )


def shown_state(session: Session, approval: Approval, now: datetime) -> SessionState:
    """The state that the relying party reads: of a veiled session only its good end, its cancellation and time."""
    state = state_at(approval, now)
    if not is_veiled(session, approval) or state is SessionState.CANCELLED:
        return state
    if session.is_withdrawn:
        return SessionState.CANCELLED
    if state is SessionState.CLOSED and approval.outcome is Outcome.OK:
        return state
    return SessionState.EXPIRED if approval.expires_at <= now else SessionState.PRESENTED


def next_step(session: Session, approval: Approval, now: datetime) -> Next:
    """What the relying party does now: draw a fresh code, wait, redeem, or nothing."""
    state = shown_state(session, approval, now)
    if state in FINAL:
        return Next(action="none", retry_after_ms=0)
    if state is SessionState.DECIDED:
        return Next(action="redeem", retry_after_ms=0)
    is_free = state is SessionState.OPENED and is_releasable(approval, now)
    if state is SessionState.CREATED or is_free:
        return Next(action="present", retry_after_ms=0)
    return Next(action="wait", retry_after_ms=1000)


def topic(session: SessionID | str) -> str:
    """The bus topic that is called after every change of a session."""
    return f"session:{session}"


def certificate_flaw(status: CertificateStatus, *, now: datetime) -> Reason | None:
    """Why a certificate answers nothing now (HCA-40), or None when it is good."""
    if status.state is CertificateState.VALID:
        return Reason.CERT_EXPIRED if status.not_after < now else None
    return _FLAWS.get(status.state, Reason.STATUS_UNAVAILABLE)


_FLAWS = {
    CertificateState.REVOKED: Reason.CERT_REVOKED,
    CertificateState.SUSPENDED: Reason.CERT_SUSPENDED,
}
