"""Phones and the requests that bind, renew and revoke them, as values, events and refusals."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Gone, NotFound, Unauthenticated, Unavailable
from inkan.kernel.ids import CertificateID, EnrolmentID, PersonID, PhoneID
from inkan.schemes import Texts
from inkan.wire.binding import BackEnd


class RequestState(StrEnum):
    """Where an enrolment request stands (design §5.2).

    ``signed`` exists at a kiosk only: the card has signed, and the phone has yet to say the device number.
    """

    STARTED = "started"
    JOINED = "joined"
    PREPARED = "prepared"
    SIGNED = "signed"
    ACCEPTED = "accepted"
    ISSUED = "issued"
    REFUSED = "refused"
    EXPIRED = "expired"


class RequestStep(StrEnum):
    """What can happen to an enrolment request."""

    JOIN = "join"
    PREPARE = "prepare"
    SIGN = "sign"
    ACCEPT = "accept"
    ISSUE = "issue"
    REFUSE = "refuse"


class PhoneState(StrEnum):
    """Where a bound phone stands."""

    ISSUING = "issuing"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class PhoneCertificate(msgspec.Struct, frozen=True):
    """One certificate of a phone: what a decision is checked against.

    Attributes:
        sha256: base64url SHA-256 of the DER.
        spki: DER SubjectPublicKeyInfo.
    """

    id: CertificateID
    sha256: str
    spki: bytes
    not_after: datetime


class Phone(msgspec.Struct, frozen=True):
    """A bound phone; its id is the binding id in its certificates.

    Attributes:
        version: grows with every change; a decision holds the version it was authenticated with.
        certificates: by use (``auth``, ``sign``).
        pending: certificates of a renewal that the phone has not confirmed yet.
        parent_authority, parent_serial: the card certificate that the phone was bound with.
        sign_count, backup_eligible: of the FIDO2 credential.
    """

    id: PhoneID
    person: PersonID
    scheme: str
    slot: int
    name: str
    state: PhoneState
    version: int
    channel_jkt: str
    credential_id: bytes
    cose_key: bytes
    sign_count: int
    backup_eligible: bool
    attested: bool
    back_end: BackEnd
    certificates: dict[str, PhoneCertificate]
    pending: dict[str, PhoneCertificate]
    parent_authority: str
    parent_serial: str
    bound_at: datetime
    young_until: datetime
    asserted_at: datetime | None


class PhoneFacts(msgspec.Struct, frozen=True):
    """What the answer of a phone is judged by.

    Read when a request is authenticated; the transaction that judges holds the phone's row at this version
    (``hold``, ``hold_asserted``), so that they are the present ones there too.

    Attributes:
        jws_algs: algorithms that the scheme admits for statements.
        single_key: whether one key serves both uses.
    """

    phone: PhoneID
    person: PersonID
    version: int
    certificates: dict[str, PhoneCertificate]
    credential_id: bytes
    cose_key: bytes
    sign_count: int
    backup_eligible: bool
    attested: bool
    back_end: BackEnd
    young_until: datetime
    jws_algs: tuple[str, ...]
    single_key: bool


class PhonePrincipal(msgspec.Struct, frozen=True):
    """A bound phone that proved its channel key in this request."""

    jkt: str
    phone: PhoneID
    person: PersonID
    version: int
    scheme: str
    facts: PhoneFacts


class ChannelKey(msgspec.Struct, frozen=True):
    """A channel key that proved itself but belongs to no bound phone (a phone that is joining)."""

    jkt: str


class PreparedKey(msgspec.Struct, frozen=True):
    """One certificate key of the joining phone, its possession proved by a CSR."""

    use: str
    spki: bytes


class Prepared(msgspec.Struct, frozen=True):
    """What the phone made before the card signed: keys and a verified registration."""

    keys: list[PreparedKey]
    credential_id: bytes
    cose_key: bytes
    sign_count: int
    backup_eligible: bool
    attested: bool
    attestation_sha256: bytes


class Request(msgspec.Struct, frozen=True):
    """One enrolment request.

    Attributes:
        nonce: base64url of 32 bytes; one use, ten minutes (HCA-47).
        challenge: base64url of the registration's challenge.
        prepared: what the phone handed in, or None.
        content: canonical JSON that the card has to sign, or None.
        cms_sha256: of the accepted request; the same bytes again get the same answer.
    """

    id: EnrolmentID
    state: RequestState
    scheme: str
    nonce: str
    challenge: str
    handle: str
    secret_sha256: bytes
    terms_version: str
    phone_name: str | None
    channel_jkt: str | None
    back_end: BackEnd | None
    prepared: Prepared | None
    content: str | None
    cms_sha256: str | None
    phone: PhoneID | None
    refusal: str | None
    created_at: datetime
    expires_at: datetime
    version: int


_CLIENT_URL = r"""^(https://[a-z0-9.-]+|http://[a-z0-9.-]+\.localhost)(:[0-9]{1,5})?/[!-"$-~]*\Z"""


class CardClient(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A program beside a card reader that the enrolment page leads to.

    Attributes:
        name: in three languages.
        url: where it answers; the request and its secret are put behind its ``#``, where no server sees them.
    """

    name: Texts
    url: Annotated[str, msgspec.Meta(pattern=_CLIENT_URL, max_length=300)]


class EnrolmentNotFound(NotFound):
    """Unknown, another page's, or another phone's: one answer."""

    code = "enrolment_not_found"
    title = "There is no such enrolment request"


class EnrolmentExpired(Gone):
    """Ten minutes are over, or it was refused."""

    code = "enrolment_expired"
    title = "This enrolment request has ended; start again"


class EnrolmentOutOfOrder(Conflict):
    """The request stands elsewhere: join, prepare, sign, in this order."""

    code = "enrolment_out_of_order"
    title = "This step of the enrolment is not next"
    public = ("state",)


class NonceUsed(Conflict):
    """The request was accepted with other bytes; nothing is issued twice (threat 5)."""

    code = "nonce_used"
    title = "This enrolment request was used already"


class ContentDiffers(Forbidden):
    """The card signed another content than this request's."""

    code = "content_differs"
    title = "The card signed something else than this enrolment request"
    public = ("field",)


class KeySubstituted(Forbidden):
    """The keys under the card's signature are not the keys of the phone that joined (threat 6)."""

    code = "key_substituted"
    title = "The keys changed after the card had signed"


class KeyOutsideScheme(Forbidden):
    """The phone made a key of a kind that the scheme does not certify."""

    code = "key_outside_scheme"
    title = "The phone made a key of a kind that is not accepted"
    public = ("expected",)


class BackEndRefused(Forbidden):
    """The scheme does not allow this place for the certificate keys (TW-26)."""

    code = "back_end_refused"
    title = "This kind of key storage is not accepted; use another device or the counter"
    public = ("allowed",)


class OutsideNetwork(Forbidden):
    """Keys outside the phone are made and used inside the institution's own network only (HCA-39)."""

    code = "outside_network"
    title = "This phone's keys work only inside the institution's own network"


class PhoneKeysUnavailable(Unavailable):
    """The holder of this phone's keys cannot be asked now; nothing was signed or decided."""

    code = "phone_keys_unavailable"
    title = "The key store that holds this phone's keys cannot be reached at the moment"


class TermsOutdated(Conflict):
    """Another version of the terms holds (JPKI-07)."""

    code = "terms_outdated"
    title = "The terms have changed; read and accept the present version"
    public = ("version",)


class PersonUnknown(Forbidden):
    """The card is good, but this instance has no record of its holder."""

    code = "person_unknown"
    title = "The holder of this card is not registered here; ask at the counter"


class NoFreeSlot(Conflict):
    """Every slot of this person holds a phone (TW-29)."""

    code = "no_free_slot"
    title = "The number of phones is used up; revoke one of them first"
    public = ("slots",)


class PhoneYoung(Conflict):
    """A phone was bound within the waiting time; no further one until it is over (design §5.2 step 6)."""

    code = "phone_young"
    title = "A phone was bound a short time ago; bind the next one after the waiting time"
    public = ("until",)


class PhoneNotFound(NotFound):
    """Unknown, or another person's."""

    code = "phone_not_found"
    title = "There is no such phone"


class ChannelProofRefused(Unauthenticated):
    """The proof is good, but its key belongs to no active phone."""

    code = "channel_proof_refused"
    title = "This phone is not bound, or not any more"


class ChannelKeyTaken(Conflict):
    """The channel key or the credential belongs to another binding."""

    code = "channel_key_taken"
    title = "These keys belong to another binding; make fresh ones"


class RenewalTooEarly(Conflict):
    """Renewal opens sixty days before the end (design §5.2 step 7)."""

    code = "renewal_too_early"
    title = "It is too early to renew"
    public = ("from",)


class RenewalTooLate(Gone):
    """The term is over: bind again with the card."""

    code = "renewal_too_late"
    title = "The certificate has ended; bind the phone again with the card"


class RenewalRefused(Forbidden):
    """The card that the phone was bound with is not good any more (TW-33)."""

    code = "renewal_refused"
    title = "The card has expired or was revoked; the phone cannot be renewed without a new one"
    public = ("card",)


class RenewalUnknown(Conflict):
    """No renewal with this nonce is under way on this phone, or its time is over."""

    code = "renewal_unknown"
    title = "This renewal is not under way; begin again"


class RenewalProofRefused(Forbidden):
    """The old key's signature or the assertion does not prove the renewal."""

    code = "renewal_proof_refused"
    title = "The proofs of this renewal do not hold"
    public = ("proof",)


class AssertionUnknown(Conflict):
    """No challenge is open on this phone."""

    code = "assertion_unknown"
    title = "There is no open challenge; ask for one"
