"""Sessions: what a relying party opens and reads, as values and refusals."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Gone, NotFound
from inkan.kernel.ids import ApprovalID, PersonID, SessionID, SystemID
from inkan.wire.binding import BindingLevel, Door
from inkan.wire.contents import DigestAlgorithm
from inkan.wire.forms import CONTENTS_LIMIT, Challenge, Digest, Identifier, Name
from inkan.wire.session import Outcome, SessionState

HintType = Literal["none", "person_ref", "national_id"]


class SubjectHint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom the relying party expects; compared after the approval, never before (TW-43, threat 15)."""

    type: HintType = "none"
    value: Annotated[str, msgspec.Meta(max_length=64)] = ""


class ContentOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing that is approved: its name as the person reads it and its digest."""

    id: Identifier
    name: Name
    digest: Digest
    alg: DigestAlgorithm = DigestAlgorithm.SHA_256


class SessionOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/sessions``.

    Attributes:
        challenge: base64url of 32 to 64 bytes, drawn by the relying party for this session.
        doors: doors to make at once.
        expires_in: seconds until the question ends undecided; at most 180 with a `qr` door (TW-45).
    """

    kind: Literal["identify", "approve"]
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    challenge: Challenge
    doors: Annotated[list[Door], msgspec.Meta(max_length=5)] = []
    subject_hint: SubjectHint = SubjectHint()
    binding_min: BindingLevel | None = None
    contents: Annotated[list[ContentOrder], msgspec.Meta(max_length=CONTENTS_LIMIT)] = []
    expires_in: Annotated[int, msgspec.Meta(ge=30, le=600)] = 180


class QRDoor(msgspec.Struct, frozen=True):
    """What a relying party's back end draws frames with; the secret never goes to a browser.

    Attributes:
        secret: base64url of 32 bytes.
        t: seconds since ``t0`` when this was answered; frames count on from there.
    """

    handle: str
    secret: str
    origin: str
    t0: str
    t: int
    generation: int


class Next(msgspec.Struct, frozen=True):
    """What the relying party does now."""

    action: Literal["present", "wait", "none"]
    retry_after_ms: int


class BindingView(msgspec.Struct, frozen=True):
    """How strongly the answer is tied to the asking browser, and why."""

    level: BindingLevel
    evidence: list[str]


class SubjectView(msgspec.Struct, frozen=True):
    """Who answered: the pairwise reference of this person for this system."""

    person_ref: str


class SessionView(msgspec.Struct, frozen=True):
    """The one object that poll, SSE and API show (eid-systems §4)."""

    id: str
    kind: str
    purpose: str
    state: SessionState
    outcome: Outcome | None
    reason: str | None
    next: Next
    door: Door | None
    binding: BindingView | None
    subject: SubjectView | None
    match: bool | None
    young: bool | None
    back_end: str | None
    created_at: str
    opened_at: str | None
    decided_at: str | None
    released_at: str | None
    expires_at: str
    purge_at: str
    status_now: str | None


class Created(msgspec.Struct, frozen=True):
    """The answer to ``POST /v1/sessions``."""

    session: SessionView
    doors: dict[str, QRDoor]


class Answer(msgspec.Struct, frozen=True):
    """Who answered a session of the instance's own system with yes, and when."""

    session: SessionID
    person: PersonID
    decided_at: datetime


class Session(msgspec.Struct, frozen=True):
    """One row of the sessions."""

    id: SessionID
    system: SystemID
    sector: str
    approval: ApprovalID
    kind: str
    purpose: str
    full_evidence: bool
    binding_min: BindingLevel
    hint_type: HintType
    hint: bytes | None
    body_sha256: str
    created_at: datetime
    expires_at: datetime
    purge_at: datetime
    result: dict[str, Any] | None
    receipt_payload: bytes | None
    receipt: str | None
    certificate: str | None


class SessionNotFound(NotFound):
    """Unknown, or another system's: one answer."""

    code = "session_not_found"
    title = "There is no such session"


class PurposeNotRegistered(Forbidden):
    """The system asks for what its registration does not name."""

    code = "purpose_not_registered"
    title = "This purpose is not registered for your system"


class DoorNotRegistered(Forbidden):
    """The system may not use this door, or this instance does not offer it."""

    code = "door_not_registered"
    title = "This door is not open to your system"


class LevelTooLow(Forbidden):
    """The demanded binding level cannot be reached by the door."""

    code = "level_too_low"
    title = "The binding level that is demanded cannot be reached this way"
    public = ("binding_min", "reachable")


class ReceiptNotReady(Conflict):
    """Nothing was released yet."""

    code = "receipt_not_ready"
    title = "There is no receipt yet: the session is not closed with an answer"
    public = ("state",)


class EvidenceSealed(Forbidden):
    """The purpose is registered for platform evidence: the proofs stay sealed here."""

    code = "evidence_sealed"
    title = "The evidence of this session stays sealed with the platform"


class StatementDiffers(Conflict):
    """The signed statement is not the one that was given out."""

    code = "statement_differs"
    title = "The signed statement differs from the one that was asked"
    public = ("field",)


class ProofRefused(Forbidden):
    """The signature or the assertion does not prove this phone's decision."""

    code = "proof_refused"
    title = "The proofs of this decision do not hold"
    public = ("proof",)


class SessionPurged(Gone):
    """The session was readable until ``purge_at``; its receipt stays with the relying party."""

    code = "session_purged"
    title = "This session is no longer kept"


class CertificateNotGood(Forbidden):
    """The phone's certificate for this kind is expired, suspended or revoked."""

    code = "certificate_not_good"
    title = "The certificate on this phone is not valid any more"
    public = ("reason",)
