"""Sessions: what a relying party opens and reads, as values and refusals."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec

from inkan.kernel.ids import ApprovalID, PersonID, SessionID, SystemID
from inkan.wire.binding import BindingLevel, Door, StatementDoor
from inkan.wire.contents import DigestAlgorithm
from inkan.wire.forms import (
    CLAIMS_LIMIT,
    CONTENTS_LIMIT,
    Bytes32,
    Challenge,
    Code,
    Digest,
    Identifier,
    MaybePhoneName,
    Name,
)
from inkan.wire.session import Outcome, SessionState

HintType = Literal["none", "person_ref", "phone_ref", "national_id"]


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


class Return(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the browser or app comes back to, and what it must bring (RFC 7636 §4.2, method S256).

    Attributes:
        url: one of the system's registered addresses, letter by letter.
        binding: base64url of SHA-256 over the verifier, which stays in the browser or app that began.
    """

    url: Annotated[str, msgspec.Meta(max_length=500)]
    binding: Bytes32


class SessionOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/sessions``.

    Attributes:
        challenge: base64url of 32 to 64 bytes, drawn by the relying party for this session.
        doors: doors to make at once.
        phone_name: to which of the person's phones a push goes (TW-48); to all of them when empty.
        return_: for doors that come back; the answer is withheld until it is redeemed.
        browser: base64url of 32 bytes by which the relying party knows this browser again; the platform
            keeps it blinded, and only after an answer that came back to it.
        claims: codes of attributes that are asked for.
        documents: ids of registered documents that are approved or signed, instead of ``contents``.
        batch: id of a registered batch, instead of both.
        notify: id of a registered webhook that is told of every change.
        expires_in: seconds until the question ends undecided; at most 180 with doors other than `push`.
    """

    kind: Literal["identify", "approve", "sign"]
    purpose: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    challenge: Challenge
    doors: Annotated[list[Door], msgspec.Meta(max_length=5)] = []
    subject_hint: SubjectHint = SubjectHint()
    binding_min: BindingLevel | None = None
    contents: Annotated[list[ContentOrder], msgspec.Meta(max_length=CONTENTS_LIMIT)] = []
    documents: Annotated[list[Identifier], msgspec.Meta(max_length=CONTENTS_LIMIT)] = []
    batch: Identifier | None = None
    phone_name: MaybePhoneName = ""
    return_: Return | None = msgspec.field(name="return", default=None)
    browser: Bytes32 | None = None
    claims: Annotated[list[Code], msgspec.Meta(max_length=CLAIMS_LIMIT)] = []
    notify: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    expires_in: Annotated[int, msgspec.Meta(ge=30, le=600)] = 180


class Redemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST …/redeem``.

    Attributes:
        verifier: base64url of the 32 bytes that the browser or app kept.
        return_code: what came back with it; null where nothing comes back from the phone.
    """

    verifier: Bytes32
    return_code: Bytes32 | None = None


class Terms(msgspec.Struct, frozen=True):
    """What was agreed when the session was made; one column, read with it.

    Attributes:
        browser: keyed hash of the relying party's name for the browser, of this system alone.
        webhook: registered address that is told of changes.
        phone_name: as it is compared, see :func:`inkan.identification.rules.comparable`.
        way: what was chosen on the redirect page, and when.
        is_hint_typed: the expected person was typed on the redirect page, not named by the relying party.
        omit_missing: an attribute that is not there is left out; else the answer fails without it (TW-68).
        is_followed: a feature above is told of the end by :class:`SessionEnded`.
    """

    doors: list[Door] = []
    return_url: str | None = None
    return_binding: str | None = None
    browser: str | None = None
    webhook: str | None = None
    phone_name: str = ""
    claims: list[str] = []
    tap_only: bool = False
    way: str | None = None
    way_at: datetime | None = None
    is_hint_typed: bool = False
    omit_missing: bool = False
    is_followed: bool = False


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


class PushDoor(msgspec.Struct, frozen=True):
    """What the asking page shows after a push was sent, whoever it may have reached.

    Attributes:
        code: six digits that the person types into the phone; null under the policy `tap_only`.
        resend_after_s: seconds after which the page may offer to send again (TW-49).
    """

    code: str | None
    resend_after_s: int


class AddressDoor(msgspec.Struct, frozen=True):
    """An address to open: of the wallet, or of the redirect page."""

    url: str


DoorView = QRDoor | PushDoor | AddressDoor
DOOR_VIEWS: Final[Mapping[Door, type[DoorView]]] = {
    Door.QR: QRDoor,
    Door.PUSH: PushDoor,
    Door.WEB_LINK: AddressDoor,
    Door.REDIRECT: AddressDoor,
    Door.APP_LINK: AddressDoor,
}


class Next(msgspec.Struct, frozen=True):
    """What the relying party does now."""

    action: Literal["present", "wait", "redeem", "none"]
    retry_after_ms: int


class BindingView(msgspec.Struct, frozen=True):
    """How strongly the answer is tied to the asking browser, and why."""

    level: BindingLevel
    evidence: list[str]


class SubjectView(msgspec.Struct, frozen=True):
    """Who answered: the pairwise references of this person and this phone for this system."""

    person_ref: str
    phone_ref: str


class SessionView(msgspec.Struct, frozen=True):
    """The one object that poll, SSE and API show (eid-systems §4).

    Attributes:
        back_end: where the phone says that it keeps its certificate keys.
        attested: whether an attestation proves the model of its authenticator, with a passkey that cannot be copied.
    """

    id: str
    kind: str
    purpose: str
    state: SessionState
    outcome: Outcome | None
    reason: str | None
    next: Next
    door: StatementDoor | None
    binding: BindingView | None
    subject: SubjectView | None
    claims: dict[str, Any]
    match: bool | None
    young: bool | None
    back_end: str | None
    attested: bool | None
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
    doors: dict[Door, Any]


class SessionEnded(msgspec.Struct, frozen=True):
    """A session that is followed shows its end to whoever may read it; behind the veil that is its expiry."""

    kind: ClassVar[str] = "identification.session_ended"
    session: SessionID
    system: SystemID


class Answer(msgspec.Struct, frozen=True):
    """Who answered a session of the instance's own system with yes, and when."""

    session: SessionID
    person: PersonID
    decided_at: datetime


class ConsentTakenBack(msgspec.Struct, frozen=True):
    """A person took back the consent by which a session gave attributes."""

    kind: ClassVar[str] = "identification.consent_taken_back"
    session: SessionID


class Session(msgspec.Struct, frozen=True):
    """One row of the sessions.

    Attributes:
        page: handle of the redirect page, ``page_browser`` the hash of the cookie of the browser that began.
        is_withdrawn: the relying party took it back after a phone had ended it unseen (design §5.4).
    """

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
    terms: Terms
    page: str | None
    page_browser: str | None
    is_withdrawn: bool
    body_sha256: str
    created_at: datetime
    expires_at: datetime
    purge_at: datetime
    result: dict[str, Any] | None
    receipt_payload: bytes | None
    receipt: str | None
    certificate: str | None
