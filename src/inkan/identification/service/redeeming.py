"""Redeem: the answer is given out to the browser or app that began, and to no other (threat 3).

Numbered plan:

1. the session awaits its return, within the minute;
2. the verifier is the one whose hash the session carries, and the return code is this answer's, where the way
   comes back with one; otherwise the session ends without an answer: somebody else's browser came back;
3. phone and certificate are still good, and the level reached is the one demanded; otherwise it ends failed;
4. one transaction: exactly one compare-and-set to the end, receipt, usage record and audit event.
"""

import hashlib
import hmac
from typing import Any

import msgspec

from inkan.approvals import UNDECIDED, Approval, ApprovalEnded
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.identification import store
from inkan.identification.model import NotDecided, Redemption, ReturnRefused, Session
from inkan.identification.rules import LEADERS, Leader, finished
from inkan.identification.service import claiming, closing
from inkan.identification.service.parts import (
    Found,
    Parts,
    certificate_flaw,
    find,
    shown_state,
)
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.identification.service.records import Proofs
from inkan.kernel.ids import SystemID
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import level_of
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome, SessionState


async def redeem(
    parts: Parts,
    receipts: ReceiptSigner,
    session_id: str,
    redemption: Redemption,
    *,
    system: SystemID,
) -> None:
    """Give the answer out; see the plan of this module.

    Raises:
        SessionNotFound: unknown, or another system's.
        NotDecided: nothing to redeem yet.
        ApprovalEnded: given out before, ended, or a minute has passed.
        ReturnRefused: another verifier or return code; the session has ended.
    """
    payload, is_ours = await parts.db.transact(_redeem, parts, session_id, redemption, system)
    receipts.take(session_id, payload)
    if not is_ours:
        raise ReturnRefused()


def _redeem(
    parts: Parts, session_id: str, redemption: Redemption, system: SystemID
) -> Step[tuple[bytes, bool]]:
    moment = yield MOMENT
    found = yield from find(parts, session_id, system=system)
    session, approval = found.session, found.approval
    state = shown_state(session, approval, moment)
    if state in UNDECIDED and approval.state is not SessionState.DECIDED:
        raise NotDecided()
    if approval.state is not SessionState.DECIDED or state is SessionState.EXPIRED:  # 1
        raise ApprovalEnded(state=str(state))
    is_ours, leader = _judge(parts, found, redemption)  # 2
    row = yield store.EVIDENCE.one(key=session.id)
    proofs = closing.unseal(parts, session, row.evidence)
    reason: Reason | None = Reason.RETURN_OTHER_BROWSER
    claims: dict[str, Any] = {}
    bound = _with_return(approval, leader) if is_ours else approval
    if is_ours:
        reason, claims = yield from _flaw(parts, session, bound, proofs)  # 3
    outcome = Outcome.FAILED if reason else Outcome.OK
    closed = parts.approvals.released(bound, outcome=outcome, reason=reason, at=moment)
    payload = yield from closing.close(  # 4
        parts,
        session,
        closed,
        before=approval,
        mark=proofs.mark,
        proofs=proofs,
        claims=claims,
        actor=Actor(ActorKind.SYSTEM, system),
        transition=lambda event: parts.approvals.release(
            bound, outcome=outcome, reason=reason, event=event
        ),
    )
    return payload, is_ours


def _judge(parts: Parts, found: Found, redemption: Redemption) -> tuple[bool, Leader | None]:
    """Whether the browser or app that began has come back, and who led it; every comparison runs in any case."""
    verifier = base64url.decode(redemption.verifier)
    binding = base64url.encode(hashlib.sha256(verifier).digest())
    is_bound = hmac.compare_digest(binding, found.session.terms.return_binding or "")
    assert found.approval.door is not None
    # NOTE(divergence-7): a code or a push brings nothing back from the phone.
    leaders = LEADERS[found.approval.door]
    brought = redemption.return_code or ""
    codes = {by: parts.return_code(found.approval, by=by) for by in Leader}
    led = {by for by in Leader if hmac.compare_digest(codes[by], brought)} & leaders
    return is_bound and bool(led or not leaders), min(led, default=None)


def _with_return(approval: Approval, leader: Leader | None) -> Approval:
    """The approval with the evidence that finishing has brought."""
    assert approval.door is not None
    evidence = {*approval.evidence, finished(approval.door, leader)}
    return msgspec.structs.replace(approval, evidence=tuple(sorted(evidence)))


def _flaw(
    parts: Parts, session: Session, approval: Approval, proofs: Proofs
) -> Step[tuple[Reason | None, dict[str, Any]]]:
    """Step: why an answer that came back rightly still ends badly, or what it gives besides."""
    moment = yield MOMENT
    assert approval.door is not None
    assert approval.phone is not None
    status = yield from parts.pki.hold_status(proofs.certificate)
    reason = certificate_flaw(status, now=moment)
    if reason is not None:
        return reason, {}
    is_active = yield from parts.enrolment.hold_active(approval.phone)
    if not is_active:
        return Reason.CERT_REVOKED, {}
    if level_of(approval.door, approval.evidence) < session.binding_min:
        return Reason.LEVEL_TOO_LOW, {}
    return (yield from claiming.values(parts, session, approval, proofs.mark))
