"""The end of a session that a phone has answered: receipt, usage record, audit event and the approval's last step.

The audit event commits to the receipt's payload, so the payload comes first.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from inkan.approvals import Approval, Opener
from inkan.audit import Actor
from inkan.identification import store
from inkan.identification.model import Session
from inkan.identification.rules import PAIRING_LEVEL, PromptResult
from inkan.identification.service import announcing, browsers, claiming, prompts, records
from inkan.identification.service.parts import EVIDENCE, Parts, is_veiled
from inkan.kernel.ids import EventID, PersonID
from inkan.store.database import Step
from inkan.wire import audit_log
from inkan.wire.binding import BindingLevel
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome

Transition = Callable[[EventID], Step[Approval]]
"""The approval's own step, told the audit event that it belongs to."""


def close(
    parts: Parts,
    session: Session,
    closed: Approval,
    *,
    before: Approval,
    mark: records.Mark | None,
    proofs: records.Proofs | None,
    claims: dict[str, Any],
    actor: Actor,
    transition: Transition,
) -> Step[bytes]:
    """Step: write an answer and give it out; returns the receipt's payload.

    Args:
        parts: of the feature.
        session: of the relying party.
        closed: the approval as the transition writes it.
        before: the approval as it is.
        mark: of the phone, if it answered with its keys.
        proofs: of the answer, if it was verified.
        claims: attributes that are given, code to value.
        actor: who ends it: the phone, or the system that redeems.
        transition: the approval's step.
    """
    assert closed.phone is not None
    assert closed.person is not None
    is_ok = closed.outcome is Outcome.OK
    payload, result = records.receipt_payload(
        parts,
        session,
        closed,
        mark=mark,
        proofs=proofs if is_ok else None,
        claims=claims,
    )
    logged = audit_log.decision_details(
        payload,
        outcome=str(closed.outcome),
        reason=str(closed.reason) if closed.reason else None,
        statement_sha256=closed.statement_sha256,
    )
    event = yield from parts.audit.record(
        audit_log.DECISION,
        actor=actor,
        subject=closed.person,
        object=session.id,
        details=logged,
    )
    yield from transition(event)
    yield from parts.approvals.note_use(
        opener=Opener(phone=closed.phone, person=closed.person),
        outcome=Outcome(closed.outcome or Outcome.FAILED),
        detail=records.usage(closed, result=result if is_ok else None),
        # Of a failure the details would say more than the person may read: whom the asker expected.
        logged=None if closed.outcome is Outcome.FAILED else logged,
        event=event,
    )
    yield from _learn(parts, session, closed, result, event=event)
    yield from _finish(parts, session, payload, result, proofs if is_ok else None, event=event)
    yield from announcing.changed(session, before=before, after=closed)
    return payload


_RESULTS = {
    (Outcome.OK, None): PromptResult.OK,
    (Outcome.REFUSED, Reason.USER_REFUSED): PromptResult.REFUSED,
    (Outcome.REFUSED, Reason.USER_REPORTED_FRAUD): PromptResult.REPORTED,
    (Outcome.FAILED, Reason.USER_WRONG_CODE): PromptResult.WRONG_CODE,
}


def _learn(
    parts: Parts, session: Session, closed: Approval, result: dict[str, Any], *, event: EventID
) -> Step[None]:
    """Step: what later questions are judged by: the prompt's result, the known browser, references given out."""
    person = PersonID(closed.person or "")
    heard = _RESULTS.get((Outcome(closed.outcome or Outcome.FAILED), _reason(closed)))
    is_prompt = session.hint_type != "none" or heard is PromptResult.REPORTED
    if heard is not None and is_prompt:
        yield from prompts.answered(session.id, person, heard, system=session.system, event=event)
    is_ok = closed.outcome is Outcome.OK
    contents = [content["id"] for content in closed.question.contents]
    if contents and (is_ok or not is_veiled(session, closed)):
        # Behind the veil a document stays pending: else it would tell of the refusal that the session hides.
        yield from parts.signing.note_signed(
            session.system,
            contents,
            session=session.id,
            outcome=Outcome(closed.outcome or Outcome.FAILED),
            event=event,
        )
    if not is_ok:
        return
    if result["claims"]:
        yield from claiming.note(parts, session, closed, codes=list(result["claims"]), event=event)
    yield from parts.people.note_references(person, closed.phone or "", sector=session.sector)
    level = BindingLevel(result["binding"]["level"])
    if session.terms.browser is not None and level >= PAIRING_LEVEL:
        yield from browsers.pair(session, person, event=event)


def _reason(closed: Approval) -> Reason | None:
    return Reason(closed.reason) if closed.reason else None


def _finish(
    parts: Parts,
    session: Session,
    payload: bytes,
    result: dict[str, Any],
    proofs: records.Proofs | None,
    *,
    event: EventID,
) -> Step[None]:
    yield store.FINISH.run(
        key=session.id,
        new_result=result,
        new_certificate=proofs.certificate if proofs else None,
        new_receipt_payload=payload,
        new_evidence=seal(parts, session, proofs) if proofs else None,
        event=event,
    )


def seal(parts: Parts, session: Session, proofs: records.Proofs) -> bytes:
    """The proofs as they rest in the session's row."""
    return parts.sealer.seal(EVIDENCE, session.id, msgspec.msgpack.encode(proofs))


def unseal(parts: Parts, session: Session, sealed: bytes) -> records.Proofs:
    """The proofs that :func:`seal` put away."""
    plain = parts.sealer.open(EVIDENCE, session.id, sealed)
    return msgspec.msgpack.decode(plain.reveal(), type=records.Proofs)
