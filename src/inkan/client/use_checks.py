"""The proof of one use, checked offline: the use that a person read stands in the platform's audit log.

It shows that the platform wrote this event, of this session at this second, into a log that it cannot rewrite
unseen. That the event is the person's and who asked rest on the platform's word, unless the relying party shows the
receipt whose hash stands in the details.
"""

from datetime import UTC, datetime
from typing import Final

import msgspec

from inkan.client.chain import Anchors
from inkan.client.log_checks import verify_head, verify_path
from inkan.crypto import base64url
from inkan.kernel.clock import from_microseconds, rfc3339
from inkan.kernel.errors import Malformed
from inkan.wire.audit_log import (
    DECISION,
    EXPIRY,
    Event,
    details_digest,
    parse_event,
)
from inkan.wire.use_proof import UsedRecord, UseProof, parse_use_proof

USES: Final = frozenset({DECISION, EXPIRY})


class UseProofUnfit(Malformed):
    """The parts of the proof are not of one use."""

    code = "use_proof_unfit"
    title = "The proof does not belong to this use"
    public = ("member",)


class VerifiedUse(msgspec.Struct, frozen=True):
    """A use that stands in the log.

    Attributes:
        record: what the person read.
        is_opened: whether outcome, receipt and statement are proved too, not only session and second.
        head_at: when the head over it was signed.
        receipt_sha256: of the receipt's payload, where opened.
    """

    record: UsedRecord
    is_opened: bool
    head_at: datetime
    receipt_sha256: str | None


def verify_use(data: bytes, anchors: Anchors) -> VerifiedUse:
    """Return the use whose proof ``data`` is.

    Plan:
        1. The proof is canonical and of version 1, its leaf an audit event.
        2. The event is the end of a session: of the record's session, in the record's second.
        3. Where the details are there, the salt opens the event's with them, and they say the record's outcome.
        4. The head is of the proof's size, its signer's chain leads to an anchor, its signature holds.
        5. The leaf stands at its index under the head's root (RFC 9162 §2.1.3.2).

    Args:
        data: canonical JSON, see ``wire.use_proof``.
        anchors: trusted roots, DER.

    Raises:
        JSONTooLarge, NotCanonical, UseProofMalformed, AuditEventMalformed: 1.
        UseProofUnfit: 2 or 3, with the member's name.
        JWSMalformed, AuditHeadMalformed, EvidenceUnfit, JWSSignatureWrong: 4.
        CertificateMalformed, CertificateUntrusted, CertificateExpired, CertificateNotYetValid,
            CertificateWrongPurpose, CertificatePolicyUnmet: 4.
        ProofRefused: 5.
    """
    proof = parse_use_proof(data)  # 1
    leaf = base64url.decode(proof.event)
    event = parse_event(leaf)
    _verify_record(proof.record, event)  # 2
    _verify_details(proof, event)  # 3
    head = verify_head(proof.head_jws, proof.tree_size, anchors)  # 4
    verify_path(leaf, index=proof.index, size=proof.tree_size, path=proof.path, head=head)  # 5
    return VerifiedUse(
        record=proof.record,
        is_opened=proof.details is not None,
        head_at=head.at.astimezone(UTC),
        receipt_sha256=proof.details.receipt_sha256 if proof.details else None,
    )


def _verify_record(record: UsedRecord, event: Event) -> None:
    if event.use_case not in USES:
        raise UseProofUnfit(member="event/use_case")
    if record.session is not None and event.object != record.session:
        raise UseProofUnfit(member="record/session")
    if rfc3339(from_microseconds(event.at)) != record.at:
        raise UseProofUnfit(member="record/at")


def _verify_details(proof: UseProof, event: Event) -> None:
    if proof.details is None or proof.salt is None:
        return
    details = msgspec.to_builtins(proof.details)
    digest = details_digest(base64url.decode(proof.salt), details)
    if base64url.encode(digest) != event.details:
        raise UseProofUnfit(member="details")
    if proof.details.outcome != proof.record.outcome:
        raise UseProofUnfit(member="record/outcome")
    if proof.details.reason != proof.record.reason:
        raise UseProofUnfit(member="record/reason")
