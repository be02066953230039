"""What leaves the audit log: the event that is a leaf of its tree, the signed head, the commitment of a decision.

Whoever gets an inclusion proof (RFC 9162 §2.1.3) reads these bytes years later and far from the platform. An event
says who did what to what, in opaque ids only; names, national IDs and free text have no field here. What describes
the act besides goes in as a salted hash.
"""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from inkan.crypto import base64url, jcs
from inkan.kernel.errors import Malformed
from inkan.wire.documents import Format
from inkan.wire.forms import Bytes32, Flaw, Moment, OpaqueID, UseCase, is_moment

HEAD_TYP: Final = "inkan-audit-head+jws"
"""``typ`` of a signed head."""

DECISION: Final = "identification.session_decided"
"""The use case whose event is the leaf of a decided session; its ``object`` is the session."""

EXPIRY: Final = "identification.session_expired"
"""The use case whose event is the leaf of a session that time has ended."""

Count = Annotated[int, Meta(ge=0, le=jcs.MAX_INTEGER)]


class AuditEventMalformed(Malformed):
    """Not an audit event of version 1."""

    code = "audit_event_malformed"
    title = "The audit event does not have the required form"


class AuditHeadMalformed(Malformed):
    """Not the payload of a signed head of version 1."""

    code = "audit_head_malformed"
    title = "The signed head of the audit log does not have the required form"


class ActorKind(StrEnum):
    """Who acts. ``operator`` is somebody at the command line, ``platform`` a schedule or a reaction."""

    PERSON = "person"
    PHONE = "phone"
    SYSTEM = "system"
    STAFF = "staff"
    OPERATOR = "operator"
    PLATFORM = "platform"


class Actor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who acts, by an opaque id: ``Actor(ActorKind.PHONE, phone_id)``."""

    kind: ActorKind
    id: OpaqueID


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One act as it stands in the tree; its canonical JSON (RFC 8785) is the leaf.

    Attributes:
        v: version of this form.
        id: the event's id.
        at: microseconds since 1970 by the instance's time.
        use_case: ``feature.use_case``.
        actor: who acted.
        subject: the person that it is about, if any.
        object: the thing that it was done to, if any.
        details: base64url of :func:`details_digest`.
    """

    v: Literal[1]
    id: OpaqueID
    at: Count
    use_case: UseCase
    actor: Actor
    subject: OpaqueID | None
    object: OpaqueID | None
    details: Bytes32


class HeadPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed in a head, as canonical JSON.

    Attributes:
        v: version of this form.
        number: 0 for the first head, then without gaps.
        size: events under the head.
        root: base64url of the Merkle tree hash of the first ``size`` events (RFC 9162 §2.1.1).
        at: RFC 3339, seconds, UTC.
        previous: base64url of SHA-256 over the compact JWS of the head before, zeros for the first.
    """

    v: Literal[1]
    number: Count
    size: Count
    root: Bytes32
    at: Moment
    previous: Bytes32


def _head_flaw(head: HeadPayload) -> Flaw | None:
    return None if is_moment(head.at) else Flaw("/at", "a day that exists")


EVENT: Final = Format(Event, limit=4096, malformed=AuditEventMalformed)
HEAD: Final = Format(HeadPayload, limit=1024, malformed=AuditHeadMalformed, flaw=_head_flaw)


def parse_event(data: bytes) -> Event:
    """Return the event whose canonical bytes ``data`` is.

    Raises:
        JSONTooLarge, NotCanonical, AuditEventMalformed: see ``documents.Format.parse``.
    """
    return EVENT.parse(data)


def parse_head(data: bytes) -> HeadPayload:
    """Return the payload of a head whose canonical bytes ``data`` is; its signature is the caller's work.

    Raises:
        JSONTooLarge, NotCanonical, AuditHeadMalformed: see ``documents.Format.parse``.
    """
    return HEAD.parse(data)


def details_digest(salt: bytes, details: Mapping[str, Any]) -> bytes:
    """Return SHA-256(salt ‖ canonical JSON of the details), what an event keeps of them.

    Raises:
        NotCanonical: the details are no canonical JSON.
    """
    return hashlib.sha256(salt + jcs.canonical(details)).digest()


def decision_details(
    receipt: bytes, *, outcome: str, reason: str | None, statement_sha256: str | None
) -> dict[str, str | None]:
    """Return the details of a :data:`DECISION` event: they tie the leaf to one receipt and one statement.

    Everything in them can be told from receipt and statement, so evidence needs the salt alone to open them.

    Args:
        receipt: the receipt's payload, the bytes that are signed.
        outcome: of the decision.
        reason: code, if it did not end well.
        statement_sha256: base64url of SHA-256 over the statement bytes, if there is a statement.
    """
    return {
        "outcome": outcome,
        "reason": reason,
        "receipt_sha256": base64url.encode(hashlib.sha256(receipt).digest()),
        "statement_sha256": statement_sha256,
    }
