"""A phone approves, with both proofs; how it refuses stands in ``refusing``.

Numbered plan of an approval (design §5.3):

1. the JWS is one compact statement JWS; its payload is the statement's bytes as received, or they come bare;
2. the approval is one that this phone has open; the same bytes again get the stored answer;
3. the bytes are canonical and a statement of version 1;
4. every member but ``phone_nonce`` equals the draft's;
5. proof 1: the JWS under the phone's certificate key of this kind, algorithm by the scheme;
6. proof 2: the WebAuthn assertion over the statement's challenge, with user verification; of a phone whose keys
   lie with the platform (back end B) it comes first, and the holder of the keys makes proof 1 for it;
7. one transaction: the phone is still as it was authenticated, its certificate is good, the expected
   person is this one, the level demanded can be reached; then exactly one compare-and-set to the answer.
   Without a return to await, or when it does not end well, usage record, receipt's payload and audit event
   go with it; else the proofs are sealed away until the answer is redeemed;
8. after COMMIT: the waiters are called, the phone hears its answer and where its browser goes back to, and
   the receipt goes to the signer.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Any

import msgspec

from inkan.approvals import (
    REDEEM_LIFE,
    Approval,
    ApprovalEnded,
    ApprovalNotFound,
    Decision,
    DecisionConflict,
    Opener,
    state_at,
)
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.enrolment import PhoneFacts, PhonePrincipal
from inkan.identification import store
from inkan.identification.model import Session, StatementDiffers
from inkan.identification.service import announcing, claiming, closing, proving, records
from inkan.identification.service.opening import certificate_of
from inkan.identification.service.parts import (
    Parts,
    certificate_flaw,
    find_by_approval,
    is_veiled,
)
from inkan.identification.service.proving import AssertionParts, Unsigned
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.identification.service.returning import return_url
from inkan.kernel.ids import random_bytes
from inkan.signing import refusal
from inkan.store.database import MOMENT, Step
from inkan.wire import receipt, statement
from inkan.wire.binding import Stage, highest_reachable
from inkan.wire.reasons import Reason
from inkan.wire.session import Kind, Outcome, SessionState


class Decided(msgspec.Struct, frozen=True):
    """What the phone hears: that its answer was taken, never how the relying party judged it.

    Attributes:
        return_url: the address that the phone opens now, for doors that come back from it; else null.
    """

    state: str
    outcome: str
    return_url: str | None = None


class _Answer(msgspec.Struct, frozen=True):
    """A verified approval on its way into the database."""

    statement_sha256: str
    draft: statement.Draft
    sign_count: int
    proofs: records.Proofs


class Written(msgspec.Struct, frozen=True):
    """What a decision left behind: the receipt's payload unless it awaits its return, and where that leads.

    Attributes:
        veiled_until: when the relying party reads an end that it must not know more of.
    """

    session: str
    payload: bytes | None
    return_url: str | None
    veiled_until: datetime | None


async def approve(
    parts: Parts,
    receipts: ReceiptSigner,
    phone: PhonePrincipal,
    approval_id: str,
    *,
    jws: str | Unsigned,
    assertion: AssertionParts,
) -> Decided:
    """Take a phone's approval, its statement signed by the phone or to be signed; see the plan of this module.

    Raises:
        JWSMalformed, StatementMalformed, NotCanonical: 1 and 3.
        ApprovalNotFound, ApprovalEnded, DecisionConflict: 2.
        StatementDiffers: 4, with the member's name.
        ProofRefused: 5 or 6.
        BackEndRefused, OutsideNetwork, ActivationRefused, ActivationUsed, PhoneKeysUnavailable: 6 of an unsigned one.
    """
    received = proving.read(jws)  # 1
    digest = base64url.encode(hashlib.sha256(received.payload).digest())
    approval, der = await parts.db.read(_read, parts, phone, approval_id)
    if approval.outcome is not None:  # 2
        return await _repeated(parts, approval, digest)
    still_open(approval, parts.db.now())
    signed = statement.parse_statement(received.payload)  # 3
    draft = statement.parse_draft((approval.draft or "").encode())
    field = statement.difference(draft, signed)  # 4
    if field is not None:
        raise StatementDiffers(field=field)
    facts = phone.facts
    certificate = certificate_of(facts, draft.kind)
    signed_jws, sign_count = await proving.prove(
        parts, received, assertion, facts, certificate
    )  # 5, 6
    proofs = records.Proofs(
        statement_jws=signed_jws,
        payload=received.payload,
        assertion=msgspec.structs.asdict(assertion),
        cose_key=facts.cose_key,
        certificate=certificate.id,
        certificate_der=der,
        salts={name: random_bytes(receipt.SALT_SIZE) for name in records.COMMITTED},
        mark=records.Mark.of(phone),
    )
    answer = _Answer(statement_sha256=digest, draft=draft, sign_count=sign_count, proofs=proofs)
    try:
        written = await parts.db.transact(_approve, parts, phone, approval, answer)  # 7
    except DecisionConflict:
        # A parallel request was first; when it brought these very bytes, it spoke for this one too.
        present = await parts.db.read(parts.approvals.get, approval_id)
        return await _repeated(parts, present, digest)
    take(receipts, written)  # 8
    return Decided(state="decided", outcome="ok", return_url=written.return_url)


def _read(parts: Parts, phone: PhonePrincipal, approval_id: str) -> Step[tuple[Approval, bytes]]:
    approval = yield from parts.approvals.find(approval_id)
    if approval is None or approval.phone != phone.phone:
        raise ApprovalNotFound()
    certificate = certificate_of(phone.facts, Kind(approval.question.kind))
    der = yield from parts.pki.certificate_der(certificate.id)
    return approval, der


def take(receipts: ReceiptSigner, written: Written) -> None:
    """Hand the payload that was given out to the signer, after COMMIT."""
    if written.payload is not None:
        receipts.take(written.session, written.payload, veiled_until=written.veiled_until)


async def _repeated(parts: Parts, approval: Approval, digest: str) -> Decided:
    """The stored answer for the same bytes."""
    if approval.statement_sha256 != digest:
        raise DecisionConflict()
    session = await parts.db.read(find_by_approval, approval)
    return Decided(state="decided", outcome="ok", return_url=return_url(parts, session, approval))


def still_open(approval: Approval, now: datetime) -> None:
    """Check that there is something to decide.

    Raises:
        ApprovalEnded: there is not.
    """
    state = state_at(approval, now)
    if state is not SessionState.OPENED:
        raise ApprovalEnded(state=str(state))


def _approve(
    parts: Parts, phone: PhonePrincipal, approval: Approval, answer: _Answer
) -> Step[Written]:
    moment = yield MOMENT
    held = yield from parts.enrolment.hold_asserted(phone, sign_count=answer.sign_count)
    if not held:
        raise ApprovalNotFound()
    session = yield from find_by_approval(approval)
    reason = yield from _flaw(parts, session, approval, phone.facts, answer.draft, now=moment)
    outcome = Outcome.FAILED if reason else Outcome.OK
    if outcome is Outcome.OK and session.terms.return_url is not None:
        return (yield from _await_return(parts, session, approval, phone, answer))
    claims: dict[str, Any] = {}
    if outcome is Outcome.OK:
        reason, claims = yield from claiming.values(parts, session, approval, answer.proofs.mark)
    return (
        yield from close(
            parts, session, approval, phone, reason=reason, answer=answer, claims=claims
        )
    )


def _flaw(
    parts: Parts,
    session: Session,
    approval: Approval,
    facts: PhoneFacts,
    draft: statement.Draft,
    *,
    now: datetime,
) -> Step[Reason | None]:
    """Why a well-proved approval still does not end well, or None."""
    certificate = certificate_of(facts, draft.kind)
    status = yield from parts.pki.hold_status(certificate.id)
    reason = certificate_flaw(status, now=now)
    if reason is not None:
        return reason
    is_young = facts.young_until > now
    if draft.kind is Kind.SIGN and (reason := refusal(draft.contents, is_young=is_young)):
        return reason
    matches = yield from _matches(parts, session, facts)
    if not matches:
        return Reason.SUBJECT_MISMATCH
    awaits = session.terms.return_url is not None
    reached = highest_reachable(
        draft.door,
        stage=Stage.DECIDED if awaits else Stage.RELEASED,
        evidence=approval.evidence,
    )
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
            return hmac.compare_digest(reference.encode(), session.hint or b"")
        case "phone_ref":
            reference = records.phone_ref(parts, session, facts.phone)
            return hmac.compare_digest(reference.encode(), session.hint or b"")


def left_behind(
    parts: Parts, session: Session, approval: Approval, payload: bytes | None
) -> Written:
    """What a decision leaves behind, with the address that the phone opens now."""
    is_unseen = is_veiled(session, approval) and approval.outcome is not Outcome.OK
    return Written(
        session=session.id,
        payload=payload,
        return_url=return_url(parts, session, approval),
        veiled_until=approval.expires_at if is_unseen else None,
    )


def close(
    parts: Parts,
    session: Session,
    approval: Approval,
    phone: PhonePrincipal,
    *,
    reason: Reason | None,
    answer: _Answer | None,
    claims: dict[str, Any],
) -> Step[Written]:
    """Step: write the answer and give it out in the same transaction; without one the person said no."""
    moment = yield MOMENT
    bad = Outcome.FAILED if answer else Outcome.REFUSED
    outcome = bad if reason else Outcome.OK
    decision = Decision(
        outcome=outcome,
        reason=reason,
        statement_sha256=answer.statement_sha256 if answer else None,
        redeem_until=None,
    )
    closed = parts.approvals.decided(approval, decision=decision, at=moment)
    opener = Opener(phone=phone.phone, person=phone.person)
    payload = yield from closing.close(
        parts,
        session,
        closed,
        before=approval,
        mark=answer.proofs.mark if answer else None,
        proofs=answer.proofs if answer else None,
        claims=claims,
        actor=Actor(ActorKind.PHONE, phone.phone),
        transition=lambda event: parts.approvals.decide(
            approval, opener=opener, decision=decision, event=event
        ),
    )
    return left_behind(parts, session, closed, payload)


def _await_return(
    parts: Parts, session: Session, approval: Approval, phone: PhonePrincipal, answer: _Answer
) -> Step[Written]:
    """Step: take the approval and withhold it until the browser or app that began comes back with it."""
    moment = yield MOMENT
    until = moment + REDEEM_LIFE
    if is_veiled(session, approval):
        until = min(until, approval.expires_at)  # its end looks the same whatever happened
    decision = Decision(
        outcome=Outcome.OK,
        reason=None,
        statement_sha256=answer.statement_sha256,
        redeem_until=until,
    )
    event = yield from parts.audit.record(
        "identification.return_awaited",
        actor=Actor(ActorKind.PHONE, phone.phone),
        subject=phone.person,
        object=session.id,
        details={"approval": approval.id, "statement_sha256": answer.statement_sha256},
    )
    decided = yield from parts.approvals.decide(
        approval,
        opener=Opener(phone=phone.phone, person=phone.person),
        decision=decision,
        event=event,
    )
    yield store.KEEP_PROOFS.run(
        key=session.id,
        new_certificate=answer.proofs.certificate,
        new_evidence=closing.seal(parts, session, answer.proofs),
        event=event,
    )
    yield from announcing.changed(session, before=approval, after=decided)
    return left_behind(parts, session, decided, None)
