"""A phone decides: approve with both proofs, or refuse and report with the channel key alone.

Numbered plan of an approval (design §5.3):

1. the JWS is one compact statement JWS; its payload is the statement's bytes as received;
2. the approval is one that this phone has open; the same bytes again get the stored answer;
3. the bytes are canonical and a statement of version 1;
4. every member but ``phone_nonce`` equals the draft's;
5. proof 1: the JWS under the phone's certificate key of this kind, algorithm by the scheme;
6. proof 2: the WebAuthn assertion over the statement's challenge, with user verification;
7. one transaction: the phone is still as it was authenticated, its certificate is good, the expected
   person is this one, the level demanded is reached; then exactly one compare-and-set to the answer,
   the usage record, the receipt's payload and the audit event;
8. after COMMIT: the waiters are called, the phone hears its answer, and the receipt goes to the signer.
"""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from inkan.approvals import (
    Approval,
    ApprovalEnded,
    ApprovalNotFound,
    Decision,
    DecisionConflict,
    Opener,
    state_at,
)
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url, jose, webauthn
from inkan.crypto.keys import load_public
from inkan.enrolment import PhoneFacts, PhonePrincipal
from inkan.identification import store
from inkan.identification.model import ProofRefused, Session, StatementDiffers
from inkan.identification.service import records
from inkan.identification.service.opening import USE_OF_KIND
from inkan.identification.service.parts import (
    EVIDENCE,
    Parts,
    certificate_flaw,
    find_by_approval,
    topic,
)
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.kernel.ids import random_bytes
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire import audit_log, receipt, statement
from inkan.wire.binding import Evidence, Stage, highest_reachable
from inkan.wire.reasons import Reason
from inkan.wire.session import Kind, Outcome, SessionState

X5T = "x5t#S256"


class Decided(msgspec.Struct, frozen=True):
    """What the phone hears: that its answer was taken, never how the relying party judged it."""

    state: str
    outcome: str


class AssertionParts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A WebAuthn assertion as the phone sends it, each part base64url."""

    credential_id: str
    client_data_json: str
    authenticator_data: str
    signature: str


class _Answer(msgspec.Struct, frozen=True):
    """A verified approval on its way into the database."""

    statement_sha256: str
    draft: statement.Draft
    sign_count: int
    proofs: records.Proofs


class _Released(msgspec.Struct, frozen=True):
    """What a decision releases: the receipt's payload, what the session shows of it, the proofs of an approval."""

    payload: bytes
    result: dict[str, Any]
    proofs: records.Proofs | None


_ACCEPTED = Decided(state="decided", outcome="ok")


async def approve(
    parts: Parts,
    receipts: ReceiptSigner,
    phone: PhonePrincipal,
    approval_id: str,
    *,
    jws: str,
    assertion: AssertionParts,
) -> Decided:
    """Take a phone's approval; see the plan of this module.

    Raises:
        JWSMalformed, StatementMalformed, NotCanonical: 1 and 3.
        ApprovalNotFound, ApprovalEnded, DecisionConflict: 2.
        StatementDiffers: 4, with the member's name.
        ProofRefused: 5 or 6.
    """
    token = jose.parse_compact(  # 1
        jws, typ=statement.STATEMENT_TYP, required=(X5T,), limit=2 * statement.STATEMENT_LIMIT
    )
    digest = base64url.encode(hashlib.sha256(token.payload).digest())
    approval, der = await parts.db.read(_read, parts, phone, approval_id)
    if approval.state in (SessionState.DECIDED, SessionState.CLOSED):  # 2
        return _repeated(approval, digest)
    _still_open(approval, parts.db.now())
    signed = statement.parse_statement(token.payload)  # 3
    draft = statement.parse_draft((approval.draft or "").encode())
    field = statement.difference(draft, signed)  # 4
    if field is not None:
        raise StatementDiffers(field=field)
    facts = phone.facts
    certificate = facts.certificates[USE_OF_KIND[draft.kind]]
    _verify_signature(token, facts, spki=certificate.spki, sha256=certificate.sha256)  # 5
    sign_count = _verify_assertion(parts, assertion, facts, token.payload)  # 6
    proofs = records.Proofs(
        statement_jws=jws,
        payload=token.payload,
        assertion=msgspec.structs.asdict(assertion),
        cose_key=facts.cose_key,
        certificate=certificate.id,
        certificate_der=der,
        salts={name: random_bytes(receipt.SALT_SIZE) for name in records.COMMITTED},
    )
    answer = _Answer(statement_sha256=digest, draft=draft, sign_count=sign_count, proofs=proofs)
    try:
        payload = await parts.db.transact(_approve, parts, phone, approval, answer)  # 7
    except DecisionConflict:
        # A parallel request was first; when it brought these very bytes, it spoke for this one too.
        return _repeated(await parts.db.read(parts.approvals.get, approval_id), digest)
    receipts.take(draft.session, payload)  # 8
    return _ACCEPTED


def _read(parts: Parts, phone: PhonePrincipal, approval_id: str) -> Step[tuple[Approval, bytes]]:
    approval = yield from parts.approvals.find(approval_id)
    if approval is None or approval.phone != phone.phone:
        raise ApprovalNotFound()
    certificate = phone.facts.certificates[USE_OF_KIND[Kind(approval.question.kind)]]
    der = yield from parts.pki.certificate_der(certificate.id)
    return approval, der


def _repeated(approval: Approval, digest: str) -> Decided:
    if approval.statement_sha256 == digest:
        return _ACCEPTED
    raise DecisionConflict()


def _still_open(approval: Approval, now: datetime) -> None:
    state = state_at(approval, now)
    if state is not SessionState.OPENED:
        raise ApprovalEnded(state=str(state))


def _verify_signature(
    token: jose.UnverifiedJWS, facts: PhoneFacts, *, spki: bytes, sha256: str
) -> None:
    if token.header[X5T] != sha256:
        raise ProofRefused("another certificate than the draft names", proof="statement")
    try:
        jose.verify_signature(
            token, load_public(spki), algs=[jose.Algorithm(alg) for alg in facts.jws_algs]
        )
    except jose.JWSSignatureWrong as wrong:
        raise ProofRefused(str(wrong), proof="statement") from None


def _verify_assertion(
    parts: Parts, assertion: AssertionParts, facts: PhoneFacts, payload: bytes
) -> int:
    received = webauthn.Assertion(
        credential_id=base64url.decode(assertion.credential_id),
        client_data_json=base64url.decode(assertion.client_data_json),
        authenticator_data=base64url.decode(assertion.authenticator_data),
        signature=base64url.decode(assertion.signature),
    )
    known = webauthn.KnownCredential(
        id=facts.credential_id,
        cose_key=facts.cose_key,
        backup_eligible=facts.backup_eligible,
        sign_count=facts.sign_count,
    )
    try:
        result = webauthn.verify_assertion(
            received,
            known=known,
            challenge=statement.statement_challenge(payload),
            origin=parts.wallet_origin,
            rp_id=parts.enrolment.rp_id,
        )
    except webauthn.AssertionRefused as refused:
        raise ProofRefused(str(refused), proof="assertion") from None
    return result.sign_count


def _approve(
    parts: Parts, phone: PhonePrincipal, approval: Approval, answer: _Answer
) -> Step[bytes]:
    moment = yield MOMENT
    held = yield from parts.enrolment.hold_asserted(phone, sign_count=answer.sign_count)
    if not held:
        raise ApprovalNotFound()
    session = yield from find_by_approval(approval)
    reason = yield from _flaw(parts, session, phone.facts, answer.draft, now=moment)
    outcome = Outcome.FAILED if reason else Outcome.OK
    return (
        yield from _close(
            parts, session, approval, phone, outcome=outcome, reason=reason, answer=answer
        )
    )


def _flaw(
    parts: Parts, session: Session, facts: PhoneFacts, draft: statement.Draft, *, now: datetime
) -> Step[Reason | None]:
    """Why a well-proved approval still does not end well, or None."""
    certificate = facts.certificates[USE_OF_KIND[draft.kind]]
    status = yield from parts.pki.hold_status(certificate.id)
    reason = certificate_flaw(status, now=now)
    if reason is not None:
        return reason
    matches = yield from _matches(parts, session, facts)
    if not matches:
        return Reason.SUBJECT_MISMATCH
    reached = highest_reachable(draft.door, stage=Stage.RELEASED, excluded=frozenset(Evidence))
    return Reason.LEVEL_TOO_LOW if reached < session.binding_min else None


def _matches(parts: Parts, session: Session, facts: PhoneFacts) -> Step[bool]:
    """Whether the person is the expected one (TW-43)."""
    match session.hint_type:
        case "none":
            return True
        case "national_id":
            return (yield from parts.people.matches(facts.person, session.hint))
        case "person_ref":
            reference = records.person_ref(parts, session, facts.person)
            return hashlib.sha256(reference.encode()).digest() == session.hint


async def refuse(
    parts: Parts, receipts: ReceiptSigner, phone: PhonePrincipal, approval_id: str, *, report: bool
) -> Decided:
    """The person says no, or reports that somebody else started this; the channel key is enough.

    Raises:
        ApprovalNotFound: not opened on this phone.
        ApprovalEnded, DecisionConflict: over, or approved before.
    """
    session_id, payload = await parts.db.transact(_refuse, parts, phone, approval_id, report=report)
    if payload is not None:
        receipts.take(session_id, payload)
    return Decided(state="decided", outcome=Outcome.REFUSED)


def _refuse(
    parts: Parts, phone: PhonePrincipal, approval_id: str, *, report: bool
) -> Step[tuple[str, bytes | None]]:
    reason = Reason.USER_REPORTED_FRAUD if report else Reason.USER_REFUSED
    moment = yield MOMENT
    approval = yield from parts.approvals.find(approval_id)
    held = yield from parts.enrolment.hold(phone)
    if approval is None or approval.phone != phone.phone or not held:
        raise ApprovalNotFound()
    if approval.outcome is Outcome.REFUSED:
        return approval.question.session, None
    if approval.outcome is not None:
        raise DecisionConflict()
    _still_open(approval, moment)
    session = yield from find_by_approval(approval)
    payload = yield from _close(
        parts, session, approval, phone, outcome=Outcome.REFUSED, reason=reason, answer=None
    )
    return session.id, payload


def _close(
    parts: Parts,
    session: Session,
    approval: Approval,
    phone: PhonePrincipal,
    *,
    outcome: Outcome,
    reason: Reason | None,
    answer: _Answer | None,
) -> Step[bytes]:
    """Write the answer and release it: state, usage record, receipt payload, audit, in one transaction.

    The audit event commits to the receipt's payload, so the payload comes first.
    """
    opener = Opener(phone=phone.phone, person=phone.person)
    decision = Decision(
        outcome=outcome,
        reason=reason,
        statement_sha256=answer.statement_sha256 if answer else None,
        release=True,
    )
    moment = yield MOMENT
    closed = parts.approvals.decided(approval, decision=decision, at=moment)
    facts = phone.facts if answer else None
    released = _release(parts, session, closed, facts, answer)
    event = yield from parts.audit.record(
        audit_log.DECISION,
        actor=Actor(ActorKind.PHONE, phone.phone),
        subject=phone.person,
        object=session.id,
        details=audit_log.decision_details(
            released.payload,
            outcome=str(outcome),
            reason=str(reason) if reason else None,
            statement_sha256=decision.statement_sha256,
        ),
    )
    yield from parts.approvals.decide(approval, opener=opener, decision=decision, event=event)
    yield from parts.approvals.note_use(
        opener=opener, outcome=outcome, detail=records.usage(closed), event=event
    )
    yield from _finish(parts, session, released, event=event)
    return released.payload


def _release(
    parts: Parts,
    session: Session,
    closed: Approval,
    facts: PhoneFacts | None,
    answer: _Answer | None,
) -> _Released:
    proofs = answer.proofs if answer and closed.outcome is Outcome.OK else None
    draft = answer.draft if answer else statement.parse_draft((closed.draft or "").encode())
    payload, result = records.receipt_payload(
        parts, session, closed, draft=draft, facts=facts, proofs=proofs
    )
    return _Released(payload=payload, result=result, proofs=proofs)


def _finish(parts: Parts, session: Session, released: _Released, *, event: str) -> Step[None]:
    proofs = released.proofs
    sealed = None
    if proofs is not None:
        sealed = parts.sealer.seal(EVIDENCE, session.id, msgspec.msgpack.encode(proofs))
    yield store.FINISH.run(
        key=session.id,
        new_result=released.result,
        new_certificate=proofs.certificate if proofs else None,
        new_receipt_payload=released.payload,
        new_evidence=sealed,
        event=event,
    )
    yield Wake(topic(session.id))
