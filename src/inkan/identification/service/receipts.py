"""Receipts and evidence, given out as often as asked."""

import msgspec

from inkan.audit import EventNotCovered
from inkan.crypto import base64url
from inkan.identification import store
from inkan.identification.model import ConsentWithdrawn, EvidenceSealed, ReceiptNotReady
from inkan.identification.service import closing
from inkan.identification.service.consenting import WITHDRAWN
from inkan.identification.service.parts import Parts, find, shown_state
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.kernel.ids import SystemID
from inkan.store.database import Step
from inkan.wire import evidence
from inkan.wire.session import Kind, SessionState

_PROFILE_OF_KIND = {
    Kind.IDENTIFY: "phone-auth",
    Kind.APPROVE: "phone-auth",
    Kind.SIGN: "phone-sign",
}

# What the bundle does not prove by itself; there the reader trusts the platform.
PLATFORM_WORDS = (
    evidence.PlatformWord.SUBJECT,
    evidence.PlatformWord.BINDING,
    evidence.PlatformWord.YOUNG,
    evidence.PlatformWord.BACK_END,
    evidence.PlatformWord.TIMES,
    evidence.PlatformWord.STATUS,
    evidence.PlatformWord.SHOWN,
)


async def receipt(parts: Parts, signer: ReceiptSigner, session_id: str, *, system: SystemID) -> str:
    """The compact JWS of a closed session; a read that comes before the signature makes it.

    Raises:
        SessionNotFound: unknown, or another system's.
        ReceiptNotReady: nothing was released.
        ConsentWithdrawn: the person took back what the receipt would give.
    """
    found = await parts.db.read(find, parts, session_id, system=system)
    if (found.session.result or {}).get(WITHDRAWN):
        raise ConsentWithdrawn()
    state = shown_state(found.session, found.approval, parts.db.now())
    if state is not SessionState.CLOSED or found.session.receipt_payload is None:
        raise ReceiptNotReady(state=str(state))
    if found.session.receipt is not None:
        return found.session.receipt
    return await signer.sign_now(session_id, found.session.receipt_payload)


async def evidence_bundle(
    parts: Parts, signer: ReceiptSigner, session_id: str, *, system: SystemID
) -> bytes:
    """All that is needed to check the receipt offline, as canonical JSON.

    Raises:
        SessionNotFound, ReceiptNotReady: see :func:`receipt`; also for an outcome other than ok.
        EvidenceSealed: the purpose is registered for platform evidence (design §5.5).
    """
    jws = await receipt(parts, signer, session_id, system=system)
    found = await parts.db.read(find, parts, session_id, system=system)
    if not found.session.full_evidence:
        raise EvidenceSealed()
    sealed, event = await parts.db.read(_sealed, session_id)
    if sealed is None:
        raise ReceiptNotReady(state=str(SessionState.CLOSED))
    proofs = closing.unseal(parts, found.session, sealed)
    revocation = await parts.pki.revocation_evidence(proofs.certificate)
    bundle = evidence.EvidenceBundle(
        v=1,
        receipt=jws,
        statement_jws=proofs.statement_jws,
        assertion=msgspec.convert(proofs.assertion, evidence.Assertion),
        cose_key=base64url.encode(proofs.cose_key),
        certificates=tuple(
            base64url.encode(der)
            for der in (
                proofs.certificate_der,
                *parts.pki.chain_of(_PROFILE_OF_KIND[Kind(found.session.kind)]),
            )
        ),
        salts=evidence.Salts(**{name: base64url.encode(s) for name, s in proofs.salts.items()}),
        revocation=evidence.Revocation(
            ocsp=tuple(base64url.encode(der) for der in revocation.ocsp),
            crls=tuple(base64url.encode(der) for der in revocation.crls),
        ),
        inclusion=await _inclusion(parts, event),
        timestamp=None,
        platform_words=PLATFORM_WORDS,
    )
    return evidence.evidence_bytes(bundle)


def _sealed(session_id: str) -> Step[tuple[bytes | None, str]]:
    row = yield store.EVIDENCE.one(key=session_id)
    return row.evidence, row.event_id


async def _inclusion(parts: Parts, event: str) -> evidence.Inclusion | None:
    """The audit proof of the decision, once the log has sequenced it and signed a head over it.

    A head without its signer's chain proves nothing to outsiders, so it is not given to them.
    """
    try:
        proof = await parts.audit.inclusion(event)
    except EventNotCovered:
        return None
    if not proof.is_certified:
        return None
    return evidence.Inclusion(
        index=proof.index,
        tree_size=proof.tree_size,
        path=tuple(base64url.encode(node) for node in proof.path),
        head_jws=proof.head,
        event=base64url.encode(proof.event),
        salt=base64url.encode(proof.salt),
    )
