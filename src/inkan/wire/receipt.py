"""The receipt: the platform's signed record of one released session.

Its payload is written in the release transaction and never changes; the signature (compact JWS, ES256, type
``inkan-receipt+jws``, the signer's chain without the root in ``x5c``) is made after the commit. Everybody can
check it without an account. It says as much as the relying party may know: with ``evidence: platform`` a
pairwise reference and commitments that can be opened later, never a name.
"""

import hashlib
import hmac
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from inkan.crypto import base64url, jcs
from inkan.kernel.errors import Malformed
from inkan.wire.binding import BackEnd, BindingLevel, Evidence, StatementDoor, level_of
from inkan.wire.contents import Content, contents_flaw
from inkan.wire.documents import Format
from inkan.wire.forms import (
    CLAIMS_LIMIT,
    CONTENTS_LIMIT,
    TEXT_LIMIT,
    Bytes32,
    Challenge,
    Code,
    Flaw,
    Identifier,
    Issuer,
    Moment,
    Reference,
    is_moment,
)
from inkan.wire.reasons import Reason
from inkan.wire.session import EvidenceMode, Kind, Outcome
from inkan.wire.statement import RelyingPartyView

RECEIPT_TYP: Final = "inkan-receipt+jws"
RECEIPT_ALG: Final = "ES256"
RECEIPT_LIMIT: Final = 256 * 1024
SALT_SIZE: Final = 32
_CLAIM_MEMBERS_LIMIT: Final = 100

UserVerification = Literal["biometric", "pin", "undisclosed"]


class ReceiptMalformed(Malformed):
    """Not a receipt of version 1, or one that contradicts itself."""

    code = "receipt_malformed"
    title = "The receipt does not have the required form"


class CommitmentMismatch(Malformed):
    """A commitment of a receipt was not made over these bytes with this salt."""

    code = "commitment_mismatch"
    title = "The evidence does not belong to this receipt"


class Subject(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who answered, by the reference that this relying party alone knows the person under."""

    person_ref: Reference


class Binding(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The binding level reached and the evidence for it, sorted by name."""

    level: BindingLevel
    evidence: Annotated[tuple[Evidence, ...], Meta(max_length=len(Evidence))]


class KeyBackEnd(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the certificate keys are kept; *declared* by the phone unless attested.

    Attributes:
        kind: see :class:`~inkan.wire.binding.BackEnd`.
        attested: whether an attestation proves it.
        synced: whether the passkey may be copied to other devices of the person (backup eligible).
    """

    kind: BackEnd
    attested: bool
    synced: bool


class Commitments(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """SHA-256(salt ‖ bytes) of each proof; a salt of 32 random bytes opens it later, and only it.

    Attributes:
        statement: over the statement bytes.
        certificate: over the phone certificate (DER).
        assertion: over :func:`inkan.wire.evidence.assertion_bytes`.
    """

    statement: Bytes32
    certificate: Bytes32
    assertion: Bytes32


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The payload of a receipt. Absent is null; no member is left out.

    Attributes:
        v: version of the format.
        iss: issuer URL of the platform.
        session, system, relying_party, purpose, challenge, contents: as in the statement.
        kind: what was asked.
        outcome: how it ended.
        reason: why it did not end well; null exactly for ``ok``.
        subject: who answered; null unless ``ok``.
        claims: attributes given, code to value; empty unless ``ok``.
        door: how the session was opened; null if it never was.
        binding: level reached.
        young: whether the phone's binding was younger than the scheme's waiting time; null if no phone
            answered (so also the next three).
        back_end: where the phone keeps its certificate keys.
        single_key: whether one key serves both `auth` and `sign`.
        user_verification: how the person was verified; phones mostly do not tell.
        evidence: what the relying party gets beside the receipt.
        commitments: to the sealed evidence; null unless ``ok``.
        decided_at: when the person decided, or when it was decided without.
        released_at: when the result was released.
        status_at: when phone and certificate were last checked; null if none answered.
    """

    v: Literal[1]
    iss: Issuer
    session: Identifier
    kind: Kind
    system: Identifier
    relying_party: RelyingPartyView
    purpose: Code
    outcome: Outcome
    reason: Reason | None
    subject: Subject | None
    claims: Annotated[dict[Code, Any], Meta(max_length=CLAIMS_LIMIT)]
    challenge: Challenge
    contents: Annotated[tuple[Content, ...], Meta(max_length=CONTENTS_LIMIT)]
    door: StatementDoor | None
    binding: Binding
    young: bool | None
    back_end: KeyBackEnd | None
    single_key: bool | None
    user_verification: UserVerification | None
    evidence: EvidenceMode
    commitments: Commitments | None
    decided_at: Moment
    released_at: Moment
    status_at: Moment | None


# Members that only a phone's answer can fill: all of them for `ok`. A refusal gives no subject and no
# commitments whatever was seen, so that a receipt never identifies who said no.
_ANSWER: Final = ("door", "young", "back_end", "single_key", "user_verification", "status_at")
_IDENTITY: Final = ("subject", "commitments")


def _flaw(receipt: Receipt) -> Flaw | None:
    return (
        _times_flaw(receipt)
        or _outcome_flaw(receipt)
        or _evidence_flaw(receipt)
        or _claims_flaw(receipt)
        or contents_flaw(receipt.kind, receipt.contents)
    )


def _times_flaw(receipt: Receipt) -> Flaw | None:
    for name in ("decided_at", "released_at", "status_at"):
        value = getattr(receipt, name)
        if value is not None and not is_moment(value):
            return Flaw(f"/{name}", "a day that exists")
    # Each moment has one spelling, so the order of the texts is the order of the times.
    if receipt.released_at < receipt.decided_at:
        return Flaw("/released_at", "not before decided_at")
    return None


def _outcome_flaw(receipt: Receipt) -> Flaw | None:
    if receipt.outcome == Outcome.OK:
        missing = [name for name in (*_IDENTITY, *_ANSWER) if getattr(receipt, name) is None]
        if receipt.reason is not None:
            return Flaw("/reason", "null for the outcome ok")
        return Flaw(f"/{missing[0]}", "a value for the outcome ok") if missing else None
    if receipt.reason is None:
        return Flaw("/reason", "a reason unless the outcome is ok")
    given = [name for name in _IDENTITY if getattr(receipt, name) is not None]
    if given:
        return Flaw(f"/{given[0]}", "null unless the outcome is ok")
    return Flaw("/claims", "empty unless the outcome is ok") if receipt.claims else None


def _evidence_flaw(receipt: Receipt) -> Flaw | None:
    if receipt.kind == Kind.SIGN and receipt.evidence != EvidenceMode.FULL:
        return Flaw("/evidence", "full for a signature")
    names = list(receipt.binding.evidence)
    if names != sorted(set(names)):
        return Flaw("/binding/evidence", "sorted names, none twice")
    return None


def _claims_flaw(receipt: Receipt) -> Flaw | None:
    for name, value in receipt.claims.items():
        if not _is_claim_value(value, 0):
            return Flaw(
                f"/claims/{name}", "short texts, whole numbers, booleans, lists and objects"
            )
    return None


def _is_claim_value(value: Any, depth: int) -> bool:
    """Whether a claim stays inside canonical JSON and its limits; two bytes per level must not cost a stack."""
    if isinstance(value, str):
        return len(value) <= TEXT_LIMIT
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int):
        return abs(value) <= jcs.MAX_INTEGER
    if depth >= jcs.MAX_DEPTH - 3 or not isinstance(value, list | dict):
        return False
    if len(value) > _CLAIM_MEMBERS_LIMIT:
        return False
    if isinstance(value, list):
        return all(_is_claim_value(item, depth + 1) for item in value)
    return all(
        len(name) <= 64 and name.isascii() and _is_claim_value(item, depth + 1)
        for name, item in value.items()
    )


RECEIPT: Final = Format(Receipt, limit=RECEIPT_LIMIT, malformed=ReceiptMalformed, flaw=_flaw)


def receipt_bytes(receipt: Receipt) -> bytes:
    """Return the canonical payload that the receipt signer signs.

    Raises:
        ReceiptMalformed: a member has a value that the format does not admit, the receipt contradicts
            itself, or it claims a binding level that its evidence does not reach.
    """
    data = RECEIPT.encode(receipt)
    binding = receipt.binding
    reached = BindingLevel.NONE
    if receipt.door is not None:
        reached = level_of(receipt.door, binding.evidence)
    # Checked where receipts are made and not where they are read: the table may gain rows, a receipt stays.
    if binding.level != reached:
        raise ReceiptMalformed(where="/binding/level", expected=str(reached))
    return data


def parse_receipt(data: bytes) -> Receipt:
    """Return the receipt whose canonical payload ``data`` is (at most 256 KiB). The signature is not checked here.

    Raises:
        JSONTooLarge: more bytes; nothing was parsed.
        ReceiptMalformed: not JSON, a wrong member, or a receipt that contradicts itself.
        NotCanonical: another spelling.
    """
    return RECEIPT.parse(data)


def commit(salt: bytes, data: bytes) -> str:
    """Return the commitment SHA-256(salt ‖ data), base64url; the salt is 32 random bytes for it alone."""
    if len(salt) != SALT_SIZE:
        raise CommitmentMismatch(where="/salts", expected=f"a salt of {SALT_SIZE} bytes")
    return base64url.encode(hashlib.sha256(salt + data).digest())


def verify_commitment(commitment: str, *, salt: bytes, data: bytes) -> bytes:
    """Return ``data`` if ``salt`` opens the commitment over it.

    Raises:
        CommitmentMismatch: other bytes, another salt, or a salt of another length.
    """
    if not hmac.compare_digest(commitment, commit(salt, data)):
        raise CommitmentMismatch(where="/commitments", expected="the commitment of these bytes")
    return data
