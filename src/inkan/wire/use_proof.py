"""The proof of one use: what a person downloads to show, without the platform, that a use stands in the audit log.

The inclusion proof (RFC 9162 §2.1.3) leads from the event of the use to a signed head. The record beside it is what
the person read; the event holds its session, moment and person, and commits to its outcome and to the receipt.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.kernel.errors import Malformed
from inkan.wire.audit_log import Count
from inkan.wire.documents import Format
from inkan.wire.evidence import CompactJWS
from inkan.wire.forms import (
    Blob,
    Bytes16,
    Bytes32,
    Domain,
    Flaw,
    Identifier,
    Moment,
    Name,
    OpaqueID,
    is_moment,
)
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome

USE_PROOF_LIMIT: Final = 512 * 1024
_PATH_LIMIT: Final = 64


class UseProofMalformed(Malformed):
    """Not a proof of a use of version 1."""

    code = "use_proof_malformed"
    title = "The proof of the use does not have the required form"


class UsedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The record as the person read it; what was erased is null.

    Attributes:
        session: of the relying party; it is the event's object.
        relying_party, domain: who asked, on the platform's word.
    """

    id: OpaqueID
    at: Moment
    session: Identifier | None
    relying_party: Name | None
    domain: Domain | None
    outcome: Outcome
    reason: Reason | None


class LoggedDetails(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the event commits to besides its ids, opened by the salt.

    Attributes:
        receipt_sha256: base64url of SHA-256 over the receipt's payload, which the relying party keeps.
        statement_sha256: the same over the statement that the phone signed; null for a refusal.
    """

    outcome: Outcome
    reason: Reason | None
    receipt_sha256: Bytes32
    statement_sha256: Bytes32 | None


class UseProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Everything about one use; absent is null.

    Attributes:
        v: version of the format.
        record: what the person read.
        details: with ``salt`` they open the event's details; null where the person may not know all of them.
        event: the leaf's bytes, see ``audit_log.Event``.
        index: position of the leaf, from 0.
        tree_size: events under the head.
        path: sibling hashes from the leaf upwards.
        head_jws: compact JWS of the head, with its signer's chain in ``x5c``.
    """

    v: Literal[1]
    record: UsedRecord
    details: LoggedDetails | None
    salt: Bytes16 | None
    event: Blob
    index: Count
    tree_size: Count
    path: Annotated[tuple[Bytes32, ...], Meta(max_length=_PATH_LIMIT)]
    head_jws: CompactJWS


def _flaw(proof: UseProof) -> Flaw | None:
    if not is_moment(proof.record.at):
        return Flaw("/record/at", "a day that exists")
    if proof.index >= proof.tree_size:
        return Flaw("/index", "an index inside the tree")
    if (proof.details is None) != (proof.salt is None):
        return Flaw("/salt", "a salt beside the details, and neither without the other")
    return None


USE_PROOF: Final = Format(UseProof, limit=USE_PROOF_LIMIT, malformed=UseProofMalformed, flaw=_flaw)


def use_proof_bytes(proof: UseProof) -> bytes:
    """Return the proof as canonical JSON, the form in which the platform hands it out.

    Raises:
        UseProofMalformed: a member has a value that the format does not admit.
    """
    return USE_PROOF.encode(proof)


def parse_use_proof(data: bytes) -> UseProof:
    """Return the proof whose canonical bytes ``data`` is; nothing in it is verified.

    Raises:
        JSONTooLarge, NotCanonical, UseProofMalformed: see ``documents.Format.parse``.
    """
    return USE_PROOF.parse(data)
