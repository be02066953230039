"""A phone says no, or "I did not start this"; the channel key alone is enough (design §5.3).

Also to what waits on it unopened: a person who did not start a push does not see its code, and must be able to say so
without it (threat 2).
"""

from inkan.approvals import Approval, ApprovalNotFound, DecisionConflict, Opener, state_at
from inkan.audit import Actor, ActorKind
from inkan.enrolment import PhonePrincipal
from inkan.identification.rules import Opening, way_of
from inkan.identification.service import closing
from inkan.identification.service.deciding import (
    Decided,
    Written,
    close,
    left_behind,
    still_open,
    take,
)
from inkan.identification.service.parts import Parts, find_by_approval
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.store.database import MOMENT, Step
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome, SessionState


async def refuse(
    parts: Parts, receipts: ReceiptSigner, phone: PhonePrincipal, approval_id: str, *, report: bool
) -> Decided:
    """The person says no, or reports that somebody else started this; the channel key is enough.

    Raises:
        ApprovalNotFound: neither opened on this phone nor waiting for it.
        ApprovalEnded, DecisionConflict: over, or approved before.
    """
    reason = Reason.USER_REPORTED_FRAUD if report else Reason.USER_REFUSED
    left = await parts.db.transact(_refuse, parts, phone, approval_id, reason)
    take(receipts, left)
    return Decided(state="decided", outcome=Outcome.REFUSED, return_url=left.return_url)


def _refuse(parts: Parts, phone: PhonePrincipal, approval_id: str, reason: Reason) -> Step[Written]:
    moment = yield MOMENT
    approval = yield from parts.approvals.find(approval_id)
    held = yield from parts.enrolment.hold(phone)
    if approval is None or not held:
        raise ApprovalNotFound()
    if approval.phone is None and state_at(approval, moment) is SessionState.PRESENTED:
        return (yield from _refuse_unopened(parts, phone, approval, reason))
    if approval.phone != phone.phone:
        raise ApprovalNotFound()
    session = yield from find_by_approval(approval)
    if approval.outcome is Outcome.REFUSED:
        return left_behind(parts, session, approval, None)
    if approval.outcome is not None:
        raise DecisionConflict()
    still_open(approval, moment)
    return (
        yield from close(parts, session, approval, phone, reason=reason, answer=None, claims={})
    )


def _refuse_unopened(
    parts: Parts, phone: PhonePrincipal, approval: Approval, reason: Reason
) -> Step[Written]:
    """Step: end a push that waits for this phone; to everybody else's phone there is no such request."""
    moment = yield MOMENT
    is_aimed = yield from parts.approvals.is_aimed_at(approval.id, phone.phone)
    session = yield from find_by_approval(approval)
    way = way_of(Opening.PUSH, session.terms.doors)
    if not is_aimed or way is None:
        raise ApprovalNotFound()
    opener = Opener(phone=phone.phone, person=phone.person)
    closed = parts.approvals.failed(
        approval, opener=opener, door=way, reason=reason, at=moment, outcome=Outcome.REFUSED
    )
    payload = yield from closing.close(
        parts,
        session,
        closed,
        before=approval,
        mark=None,
        proofs=None,
        claims={},
        actor=Actor(ActorKind.PHONE, phone.phone),
        transition=lambda event: parts.approvals.fail(
            approval, opener=opener, door=way, reason=reason, event=event, outcome=Outcome.REFUSED
        ),
    )
    return left_behind(parts, session, closed, payload)
