"""Certification authorities and certificates, as values, events and refusals."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from inkan.crypto.certificate_view import HolderFacts
from inkan.crypto.path import RevocationReason
from inkan.kernel.errors import Conflict, Forbidden, InkanError, Malformed, NotFound, Unavailable
from inkan.kernel.ids import CertificateID
from inkan.kernel.sensitive import Personal

FOREIGN = "foreign."


class Role(StrEnum):
    """What an authority or signer of the hierarchy does."""

    ROOT = "root"
    BRIDGE = "bridge"
    ISSUING = "issuing"
    OCSP = "ocsp"
    RECEIPT = "receipt"
    AUDIT_HEAD = "audit-head"
    TSA = "tsa"


class CertificateState(StrEnum):
    """Where a certificate stands in its issue and its life (design §5.2 step 5)."""

    RESERVED = "reserved"
    INTENDED = "intended"
    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    REFUSED = "refused"


class CertificateStep(StrEnum):
    """What can happen to a certificate."""

    INTEND = "intend"
    SIGN = "sign"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    REVOKE = "revoke"


class SubjectName(msgspec.Struct, frozen=True):
    """A subject: the name as registered and the random number that finds the person; no national ID."""

    common_name: Personal[str]
    serial_number: str
    country: str = "TW"


class CertificateOrder(msgspec.Struct, frozen=True):
    """What is to be certified.

    Attributes:
        order_key: names the order for ever; the same key is the same certificate (idempotency).
        owner: opaque id of whoever holds the key (a phone, a card); a key belongs to one owner for ever.
        spki: DER SubjectPublicKeyInfo, strength checked by the caller's parser and again here.
        not_after: last valid second.
        binding: content of the binding extension, or None.
        holder: facts about a natural person, or None.
    """

    order_key: str
    profile: str
    owner: str
    subject: SubjectName
    spki: bytes
    not_after: datetime
    binding: bytes | None = None
    holder: HolderFacts | None = None


class Authority(msgspec.Struct, frozen=True):
    """One certificate of the hierarchy that signs something.

    Attributes:
        chain: DER certificates from this one up to, and with, the root.
        crl_shards: property of this generation of the key; it never changes.
        is_offline: whether the key lies in the offline key store, which is open during ceremonies only.
        successor: the authority that took over the profiles, or None.
    """

    name: str
    role: Role
    certificate: bytes
    chain: tuple[bytes, ...]
    key_label: str
    parent: str
    profiles: tuple[str, ...]
    crl_shards: int
    not_after: datetime
    is_offline: bool = False
    successor: str | None = None
    revoked_at: datetime | None = None


class CrossCertificate(msgspec.Struct, frozen=True):
    """A certificate of one authority for the key of another one, or of another domain's.

    Attributes:
        name: ``issuer-to-subject``.
        subject: an authority of this instance, or the name that the other domain goes by here.
        is_link: between two keys of one root (RFC 4210 §4.4).
    """

    name: str
    issuer: str
    subject: str
    certificate: bytes
    is_link: bool
    not_after: datetime


class ForeignAuthority(msgspec.Struct, frozen=True):
    """A card authority that others run, as the operator of this instance trusts it.

    Attributes:
        authority: its certificates and the one profile of its cards; :data:`FOREIGN` begins its name, so
            that no authority of a ceremony has the same.
        policies: certificate policies (dotted OIDs) of its cards, one of which a card must assert.
        origins: web origins (``scheme://host[:port]``) at which its status may be asked; an address in a
            certificate that has another origin is not called.
    """

    authority: Authority
    policies: frozenset[str]
    origins: frozenset[str]


class IssuedCertificate(msgspec.Struct, frozen=True):
    """A certificate that was issued and stored.

    Attributes:
        der: the certificate.
        chain: DER of the issuer and upwards, without the root.
    """

    id: CertificateID
    authority: str
    profile: str
    serial: str
    state: CertificateState
    not_before: datetime
    not_after: datetime
    der: bytes
    chain: tuple[bytes, ...]


class CertificateStatus(msgspec.Struct, frozen=True):
    """What the register says of a certificate now."""

    id: CertificateID
    authority: str
    serial: str
    state: CertificateState
    reason: RevocationReason | None
    changed_at: datetime
    not_after: datetime


class Standing(StrEnum):
    """How a certificate stood at some time; revoked goes before expired."""

    NOT_YET_VALID = "not_yet_valid"
    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"


class Hold(msgspec.Struct, frozen=True):
    """A time on hold; ``until`` is None while it lasts."""

    since: datetime
    until: datetime | None


class StatusAt(msgspec.Struct, frozen=True, kw_only=True):
    """What the register says of a certificate at a time, and of its past until then; holds stand oldest first.

    ``reason`` is of the revocation or of the hold that lasts, ``invalid_since`` RFC 5280's invalidity date.
    """

    authority: str
    serial: str
    at: datetime
    standing: Standing
    not_before: datetime
    not_after: datetime
    revoked_at: datetime | None = None
    reason: RevocationReason | None = None
    invalid_since: datetime | None = None
    holds: tuple[Hold, ...] = ()


class CardState(StrEnum):
    """The answer of a card's status source."""

    GOOD = "good"
    REVOKED = "revoked"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


class CardStatus(msgspec.Struct, frozen=True):
    """The status of a card certificate at its source.

    Attributes:
        reason: of a revocation or a hold.
        at: when the source was asked.
        since: when the card ended (revoked, on hold or expired), or None for a good one.
    """

    state: CardState
    reason: RevocationReason | None
    at: datetime
    since: datetime | None = None


class CardRequest(msgspec.Struct, frozen=True):
    """A CMS request that a card signed, verified in full.

    Attributes:
        content: the bytes that were signed.
        subject_serial: finds the person.
        authority: name of the card's issuer in this instance.
        serial: hexadecimal serial of the card certificate.
        certificate: DER of the card certificate.
    """

    content: bytes
    cms_sha256: str
    subject_serial: str
    authority: str
    serial: str
    certificate: bytes
    not_after: datetime


class RevocationEvidence(msgspec.Struct, frozen=True):
    """What an offline verifier needs to judge a certificate: DER answers and lists."""

    ocsp: tuple[bytes, ...]
    crls: tuple[bytes, ...]


class CertificateRevoked(msgspec.Struct, frozen=True):
    """A certificate stopped being good: revoked, or on hold (``certificateHold``)."""

    kind: ClassVar[str] = "pki.certificate_revoked"
    certificate: str
    owner: str
    reason: str


class AuthorityUnknown(NotFound):
    """No authority has this name."""

    code = "authority_unknown"
    title = "There is no certification authority of this name"


class CertificateUnknown(NotFound):
    """No certificate has this id."""

    code = "certificate_unknown"
    title = "There is no such certificate"


class CeremonyDone(Conflict):
    """The authorities exist; a second ceremony would orphan every certificate."""

    code = "ceremony_done"
    title = "The certification authorities of this instance exist already"


class CeremonyWrong(Malformed):
    """The ceremony file does not describe a hierarchy."""

    code = "ceremony_wrong"
    title = "The ceremony file is not usable"
    public = ("where", "expected")


class CeremonyNotApproved(Forbidden):
    """Too few custodians approved this very file, or one who did is none."""

    code = "ceremony_not_approved"
    title = "The key ceremony is not approved by enough custodians"
    public = ("needed", "given")


class KeyOffline(Unavailable):
    """The authority's key is in the offline key store, which is open during ceremonies only."""

    code = "key_offline"
    title = "The key of this authority is offline"


class ProfileWrong(InkanError):
    """A profile asks for more than the ceilings in code allow."""

    code = "profile_wrong"
    title = "A certificate profile breaks a ceiling"


class OrderOutsideProfile(Forbidden):
    """The order asks for what the profile does not hold."""

    code = "order_outside_profile"
    title = "The certificate that is asked for does not fit its profile"
    public = ("field",)


class KeyShared(Conflict):
    """This public key is already certified for somebody else."""

    code = "key_shared"
    title = "This key already belongs to another certificate holder"


class LintRefused(InkanError):
    """The twin of the certificate has a lint error; nothing was signed."""

    code = "lint_refused"
    title = "The certificate would break its profile and was not signed"
    public = ("findings",)


class TwinDiffers(InkanError):
    """The signed bytes are not those that were linted and logged; the signature was thrown away."""

    code = "twin_differs"
    title = "The certificate differs from the one that was checked and was not issued"


class KeyDiffers(Unavailable):
    """The key provider holds another key under the label than the one that the authority's certificate certifies."""

    code = "key_differs"
    title = "The key of an authority is not the one in its certificate"
    public = ("authority",)


class CertificateNotIssued(Unavailable):
    """The issue has not finished; asking again finishes it."""

    code = "certificate_not_issued"
    title = "The certificate is still being issued"


class StatusUnavailable(Unavailable):
    """The source of the card's status cannot be asked: nothing is accepted (fail closed)."""

    code = "status_unavailable"
    title = "The status of the card cannot be checked at the moment; try again later"


class CardUntrusted(Forbidden):
    """The card's certificate does not lead to a trusted authority, or the signature does not hold."""

    code = "card_untrusted"
    title = "This card was not issued by a trusted authority"


class CardExpired(Forbidden):
    """The card's certificate is outside its term."""

    code = "card_expired"
    title = "The certificate on this card has expired"


class CardRevoked(Forbidden):
    """The card's certificate was revoked or is suspended."""

    code = "card_revoked"
    title = "The certificate on this card was revoked"


class CardWrongPurpose(Forbidden):
    """The card's certificate is not one that may sign requests."""

    code = "card_wrong_purpose"
    title = "This certificate may not sign such a request"


class CardRequestMalformed(Malformed):
    """The bytes are no CMS request of the expected type."""

    code = "card_request_malformed"
    title = "The signed request is not well formed"
