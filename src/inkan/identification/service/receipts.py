"""Receipts and evidence: signed after COMMIT, given out again as often as asked."""

import msgspec

from inkan.approvals import state_at
from inkan.audit import EventNotCovered
from inkan.crypto import base64url
from inkan.identification import store
from inkan.identification.model import EvidenceSealed, ReceiptNotReady
from inkan.identification.service.parts import EVIDENCE, Parts, find, read_session
from inkan.identification.service.records import Proofs
from inkan.kernel.ids import SystemID
from inkan.store.database import Step
from inkan.wire import evidence

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


async def sign_receipt(parts: Parts, session_id: str, payload: bytes) -> str:
    """Sign a receipt's payload and store it; when another signature was first, that one stays."""
    jws = await parts.pki.sign_receipt(payload)
    return await parts.db.transact(_store, session_id, jws)


def _store(session_id: str, jws: str) -> Step[str]:
    stored = yield store.SIGNED.run(key=session_id, new_receipt=jws)
    if stored:
        return jws
    session = read_session((yield store.BY_ID.one(key=session_id)))
    assert session is not None
    assert session.receipt is not None
    return session.receipt


async def sign_unsigned(parts: Parts) -> int:
    """Sign what a crash left unsigned, 500 receipts at a time (design §5.3 Release); returns how many.

    A receipt that is being signed this very moment may be among them: the first signature stays.
    """
    unsigned = await parts.db.scan(_unsigned)
    for session_id, payload in unsigned:
        await sign_receipt(parts, session_id, payload)
    return len(unsigned)


def _unsigned() -> Step[list[tuple[str, bytes]]]:
    rows = yield store.UNSIGNED.all()
    return [(row.id, row.receipt_payload) for row in rows]


async def receipt(parts: Parts, session_id: str, *, system: SystemID) -> str:
    """The compact JWS of a closed session; a read that comes before the signature makes it.

    Raises:
        SessionNotFound: unknown, or another system's.
        ReceiptNotReady: nothing was released.
    """
    found = await parts.db.read(find, parts, session_id, system=system)
    if found.session.receipt is not None:
        return found.session.receipt
    if found.session.receipt_payload is None:
        raise ReceiptNotReady(state=str(state_at(found.approval, parts.db.now())))
    return await sign_receipt(parts, session_id, found.session.receipt_payload)


async def evidence_bundle(parts: Parts, session_id: str, *, system: SystemID) -> bytes:
    """All that is needed to check the receipt offline, as canonical JSON.

    Raises:
        SessionNotFound, ReceiptNotReady: see :func:`receipt`; also for an outcome other than ok.
        EvidenceSealed: the purpose is registered for platform evidence (design §5.5).
    """
    jws = await receipt(parts, session_id, system=system)
    found = await parts.db.read(find, parts, session_id, system=system)
    if not found.session.full_evidence:
        raise EvidenceSealed()
    sealed, event = await parts.db.read(_sealed, session_id)
    if sealed is None:
        raise ReceiptNotReady(state=str(state_at(found.approval, parts.db.now())))
    plain = parts.sealer.open(EVIDENCE, session_id, sealed)
    proofs = msgspec.msgpack.decode(plain.reveal(), type=Proofs)
    revocation = await parts.pki.revocation_evidence(proofs.certificate)
    bundle = evidence.EvidenceBundle(
        v=1,
        receipt=jws,
        statement_jws=proofs.statement_jws,
        assertion=msgspec.convert(proofs.assertion, evidence.Assertion),
        cose_key=base64url.encode(proofs.cose_key),
        certificates=tuple(
            base64url.encode(der)
            for der in (proofs.certificate_der, *parts.pki.chain_of("phone-auth"))
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
    """The audit proof of the decision, once the log has sequenced it and signed a head over it."""
    try:
        proof = await parts.audit.inclusion(event)
    except EventNotCovered:
        return None
    return evidence.Inclusion(
        index=proof.index,
        tree_size=proof.tree_size,
        path=tuple(base64url.encode(node) for node in proof.path),
        head_jws=proof.head,
    )
