"""The audit log in the evidence: that the platform wrote this very decision into a log that it cannot rewrite unseen.

An inclusion proof (RFC 9162 §2.1.3) leads from a leaf to a root that a head signs. It is worth something only when
the leaf is an event of this receipt, and when the head is signed by a key that the trusted root vouches for.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from inkan.client.chain import Anchors, parse_x5c, verify_chain
from inkan.client.evidence_checks import EvidenceUnfit, Proofs
from inkan.crypto import base64url, jose, oids
from inkan.crypto.certificates import Certificate
from inkan.crypto.jose import Algorithm
from inkan.crypto.merkle import leaf_hash, verify_inclusion
from inkan.kernel.errors import Unavailable
from inkan.wire.audit_log import (
    DECISION,
    HEAD_TYP,
    decision_details,
    details_digest,
    parse_event,
    parse_head,
)
from inkan.wire.evidence import EvidenceBundle
from inkan.wire.forms import parse_moment
from inkan.wire.receipt import parse_receipt

HEAD_USAGE: Final = frozenset({"digitalSignature"})
HEAD_POLICIES: Final = frozenset({oids.POLICY_AUDIT_HEAD})


class LogProofAbsent(Unavailable):
    """The evidence was fetched before a signed head covered the decision; a minute later it holds the proof."""

    code = "log_proof_absent"
    title = "The evidence holds no proof that the decision stands in the audit log"


class LogHeadTooOld(Unavailable):
    """The certificate of the head's signer had ended by then, and nothing proves that the head is older."""

    code = "log_head_too_old"
    title = "Nothing proves that the audit log was signed while its signer's certificate was valid"


class VerifiedHead(NamedTuple):
    """A head that holds the event, its root, and the chain of its signer up to the anchor."""

    at: datetime
    chain: tuple[Certificate, ...]
    root: bytes


def verify_logged(
    bundle: EvidenceBundle, receipt: bytes, proofs: Proofs, anchors: Anchors
) -> VerifiedHead:
    """Return the signed head under which the decision of this receipt stands.

    Plan:
        1. The leaf is an audit event: a decision, and of this session.
        2. Its details, opened by the salt, are those of this receipt's payload and this statement.
        3. The head is of the head's type, its payload canonical, its size that of the proof.
        4. Its signer's chain (``x5c``) leads to an anchor and held when the head was signed; key usage
           digitalSignature alone, policy "heads of the audit log".
        5. Signature of the head.
        6. The leaf stands at its index under the head's root (RFC 9162 §2.1.3.2).

    Args:
        bundle: the evidence.
        receipt: the receipt's payload, whose signature holds.
        proofs: statement and certificate of the bundle.
        anchors: trusted roots.

    Raises:
        LogProofAbsent: there is no proof.
        AuditEventMalformed, NotCanonical, JSONTooLarge, EvidenceUnfit: 1 and 2.
        JWSMalformed, JWSTooLarge, AuditHeadMalformed, NotCanonical, EvidenceUnfit: 3.
        CertificateMalformed, CertificateUntrusted, CertificateExpired, CertificateNotYetValid,
            CertificateWrongPurpose, CertificatePolicyUnmet: 4, see ``chain.verify_chain``.
        JWSSignatureWrong: 5.
        ProofRefused: 6.
    """
    inclusion = bundle.inclusion
    if inclusion is None:
        raise LogProofAbsent
    leaf = base64url.decode(inclusion.event)
    _verify_event(leaf, base64url.decode(inclusion.salt), receipt, proofs)  # 1, 2
    head = verify_head(inclusion.head_jws, inclusion.tree_size, anchors)  # 3, 4, 5
    verify_path(  # 6
        leaf, index=inclusion.index, size=inclusion.tree_size, path=inclusion.path, head=head
    )
    return head


def verify_head(head_jws: str, size: int, anchors: Anchors) -> VerifiedHead:
    """Return the head of this size that a signer under the anchors signed: 3 to 5 of :func:`verify_logged`.

    Raises:
        JWSMalformed, JWSTooLarge, AuditHeadMalformed, NotCanonical, EvidenceUnfit: 3.
        CertificateMalformed, CertificateUntrusted, CertificateExpired, CertificateNotYetValid,
            CertificateWrongPurpose, CertificatePolicyUnmet: 4.
        JWSSignatureWrong: 5.
    """
    token = jose.parse_compact(head_jws, typ=HEAD_TYP, required=("x5c",))  # 3
    head = parse_head(token.payload)
    if head.size != size:
        raise EvidenceUnfit("the head is one of another size", member="inclusion/tree_size")
    at = parse_moment(head.at)
    chain = verify_chain(  # 4
        parse_x5c(token.header["x5c"]),
        anchors,
        at=at,
        key_usage=HEAD_USAGE,
        policies=HEAD_POLICIES,
    )
    jose.verify_signature(token, chain[0].public_key, algs=(Algorithm.ES256,))  # 5
    return VerifiedHead(at, chain, base64url.decode(head.root))


def verify_path(
    leaf: bytes, *, index: int, size: int, path: Sequence[str], head: VerifiedHead
) -> None:
    """Check that the leaf stands at its index under the head's root (RFC 9162 §2.1.3.2).

    Raises:
        ProofRefused: it does not.
    """
    verify_inclusion(
        leaf_hash(leaf),
        index=index,
        size=size,
        path=[base64url.decode(node) for node in path],
        root=head.root,
    )


def verify_head_age(head: VerifiedHead, asked_at: datetime) -> None:
    """Check that at ``asked_at`` the term of no certificate of the head's chain was over.

    Raises:
        LogHeadTooOld: one had ended, and no timestamp proves that the head is older than that.
    """
    if any(asked_at > certificate.not_after for certificate in head.chain):
        raise LogHeadTooOld


def _verify_event(leaf: bytes, salt: bytes, receipt: bytes, proofs: Proofs) -> None:
    event, said = parse_event(leaf), parse_receipt(receipt)
    if event.use_case != DECISION:
        raise EvidenceUnfit("the leaf is another act than a decision", member="inclusion/event")
    if event.object != said.session:
        raise EvidenceUnfit("the leaf is of another session", member="inclusion/event")
    details = decision_details(
        receipt,
        outcome=said.outcome,
        reason=said.reason,
        statement_sha256=base64url.encode(hashlib.sha256(proofs.jws.payload).digest()),
    )
    if event.details != base64url.encode(details_digest(salt, details)):
        raise EvidenceUnfit("the leaf is of another receipt or statement", member="inclusion/salt")
