"""What an approval is: one question on one phone and its answer, as values and refusals."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import msgspec

from inkan.kernel.errors import Conflict, Gone, NotFound
from inkan.kernel.ids import ApprovalID, PersonID, PhoneID
from inkan.wire.binding import Evidence, StatementDoor
from inkan.wire.session import Outcome, SessionState


class ApprovalStep(StrEnum):
    """What can happen to an approval (design §5.3)."""

    PRESENT = "present"
    OPEN = "open"
    REOPEN = "reopen"
    DECIDE = "decide"
    STRENGTHEN = "strengthen"
    RELEASE = "release"
    FAIL = "fail"
    CANCEL = "cancel"
    EXPIRE = "expire"


class RelyingPartyName(msgspec.Struct, frozen=True):
    """The asker as registered: what the person reads, never what the request says of itself."""

    id: str
    name: str
    domain: str


class Question(msgspec.Struct, frozen=True):
    """Everything the platform fixes before it knows which phone will answer.

    Attributes:
        iss: issuer of the platform.
        purpose_text: what for, per language (keys ``en``, ``ja``, ``zh-Hant``).
        challenge: base64url of 32 to 64 bytes that the relying party drew.
        full_evidence: whether name and certificate are given to the asker (design §5.5).
        return_origin: where the browser or app goes back to, if the session awaits a return.
    """

    iss: str
    kind: Literal["identify", "approve", "sign"]
    session: str
    system: str
    relying_party: RelyingPartyName
    purpose: str
    purpose_text: dict[str, str]
    challenge: str
    claims: list[str] = []
    contents: list[dict[str, Any]] = []
    return_origin: str | None = None
    full_evidence: bool = False


class Approval(msgspec.Struct, frozen=True):
    """One row, as the steps and reads hand it out.

    Attributes:
        state: the stored state; ask :func:`inkan.approvals.rules.state_at` for the one that holds now.
        door: the way by which the phone opened it.
        handle: finds it by a scanned frame, ``link`` by an address; both change when it is taken back.
        generation: number of the present QR secret; 0 before the door is made.
        evidence: what was seen of the tie to the asking browser when it was opened, and what came after it.
        code_tries: wrong codes typed so far.
        redeem_until: when an answer that awaits its return is no longer given out.
        draft: canonical JSON of the draft that the opener received.
        version: grows with every step; the ETag of reads.
    """

    id: ApprovalID
    state: SessionState
    outcome: Outcome | None
    reason: str | None
    door: StatementDoor | None
    handle: str | None
    link: str | None
    generation: int
    qr_t0: datetime | None
    question: Question
    draft: str | None
    phone: PhoneID | None
    person: PersonID | None
    evidence: tuple[Evidence, ...]
    code_tries: int
    opened_at: datetime | None
    statement_sha256: str | None
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    redeem_until: datetime | None
    released_at: datetime | None
    version: int


class UsageRecord(msgspec.Struct, frozen=True):
    """One use as the person reads it (TW-38, DOC-06).

    Attributes:
        phone: id of the phone that answered.
        event_id: the audit event under which the use stands in the log.
        detail: None once it was erased.
        reported_at: when the person said that they did not start it; None while they have not.
        logged: the details that the audit event commits to; None where they say more than the person may read.
    """

    id: str
    at: datetime
    phone: str
    outcome: str
    event_id: str
    detail: dict[str, Any] | None
    reported_at: datetime | None = None
    logged: dict[str, Any] | None = None


class ReportedUse(msgspec.Struct, frozen=True):
    """A use of which its person said "I did not start this", for staff; whose it is stays an opaque id."""

    record: UsageRecord
    person: PersonID


class UsageResult(StrEnum):
    """By what a person picks records: the outcomes, and what they reported."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    BLOCKED = "blocked"
    REPORTED = "reported"


class UsageFilter(msgspec.Struct, frozen=True):
    """Which records of a person are read; all of them by default.

    Attributes:
        system: only uses that this relying party's system asked for.
        result: only uses that ended so.
    """

    system: str | None = None
    result: UsageResult | None = None


class RecordNotFound(NotFound):
    """No such usage record, or another person's: one answer."""

    code = "record_not_found"
    title = "There is no such usage record"


class ApprovalNotFound(NotFound):
    """No such approval, or not one of this phone's."""

    code = "approval_not_found"
    title = "There is no such request on this phone"


class ApprovalEnded(Gone):
    """Expired, cancelled, refused or answered: there is nothing left to decide."""

    code = "approval_ended"
    title = "This request has ended; ask the service to start again"
    public = ("state",)


class OpenedElsewhere(Conflict):
    """Another phone opened it first; only its opener may decide."""

    code = "opened_elsewhere"
    title = "This request is already opened on another phone"


class DecisionConflict(Conflict):
    """Other bytes were decided already; the first decision stands."""

    code = "decision_conflict"
    title = "This request was already answered differently"


class ApprovalMoved(Conflict):
    """Another step of the same phone came in between."""

    code = "approval_moved"
    title = "This request changed meanwhile; read it again"
