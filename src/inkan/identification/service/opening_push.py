"""A phone opens a question that was pushed to it, by the code that the asking page shows (design §5.4 `push`).

The code is transferred by the person (NIST SP 800-63B-4 §3.1.3), never shown on the phone; the third wrong one ends
the session. Numbers refer to the plan of :mod:`inkan.identification.service.opening`.
"""

import hmac
from datetime import datetime
from typing import NamedTuple

from inkan.approvals import (
    MAX_CODE_TRIES,
    Approval,
    ApprovalEnded,
    ApprovalNotFound,
    Opener,
    state_at,
)
from inkan.audit import Actor, ActorKind
from inkan.enrolment import PhonePrincipal
from inkan.identification.model import CodeWrong, Session
from inkan.identification.rules import Opening, way_of
from inkan.identification.service import browsers, closing, opening
from inkan.identification.service.parts import Parts, find_by_approval, is_veiled
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.store.database import MOMENT, Step
from inkan.wire import shown
from inkan.wire.binding import Evidence, StatementDoor
from inkan.wire.reasons import Reason
from inkan.wire.session import SessionState


class _WrongCode(NamedTuple):
    """A wrong code was written down; with the last try the session has ended, and has a receipt."""

    tries_left: int
    session: str = ""
    payload: bytes | None = None
    veiled_until: datetime | None = None


async def open_by_push(
    parts: Parts,
    receipts: ReceiptSigner,
    phone: PhonePrincipal,
    *,
    approval_id: str,
    code: str | None,
    lang: shown.Language,
) -> opening.Opened:
    """Open an approval that was pushed to this phone, by the code that the asking page shows.

    Raises:
        ApprovalNotFound: no such approval, or it was not pushed to this phone.
        CodeWrong: with the tries that are left; after the last one the session has ended.
        CertificateNotGood, OpenedElsewhere, ApprovalEnded: 6 and 7.
    """
    found = await parts.db.transact(_open_by_push, parts, phone, approval_id, code, lang)
    if isinstance(found, _WrongCode):
        if found.payload is not None:
            receipts.take(found.session, found.payload, veiled_until=found.veiled_until)
        raise CodeWrong(tries_left=found.tries_left)
    approval, at = found
    return opening.opened(approval, now=at)


def _open_by_push(
    parts: Parts,
    phone: PhonePrincipal,
    approval_id: str,
    code: str | None,
    lang: shown.Language,
) -> Step[tuple[Approval, datetime] | _WrongCode]:
    """The opened approval, or a wrong code; that is written down, so it is no refusal of the transaction."""
    moment = yield MOMENT
    approval = yield from parts.approvals.find(approval_id)
    is_aimed = yield from parts.approvals.is_aimed_at(approval_id, phone.phone)  # 5
    if approval is None or not is_aimed:
        raise ApprovalNotFound()
    session = yield from find_by_approval(approval)
    way = way_of(Opening.PUSH, session.terms.doors)
    if way is None:
        raise ApprovalNotFound()
    if approval.state is SessionState.OPENED and approval.phone == phone.phone:
        return (
            yield from opening.open_(
                parts, phone, session, approval, opening.Way(door=way, lang=lang)
            )
        )
    # Here and not when the asker asks again: what a phone left undone must not show in the asker's answer.
    approval = yield from opening.release_stale(parts, session, approval)
    if state_at(approval, moment) is not SessionState.PRESENTED:
        raise ApprovalEnded(state=str(state_at(approval, moment)))
    evidence: list[Evidence] = []
    if not session.terms.tap_only:
        if not hmac.compare_digest(parts.code(approval.id).encode(), (code or "").encode()):
            return (yield from _count_try(parts, phone, session, approval, way))
        evidence.append(Evidence.CODE_ENTERED)
    if (yield from browsers.is_paired(session.terms.browser, phone.person)):
        evidence.append(Evidence.PAIRED_BROWSER)
    return (
        yield from opening.open_(
            parts, phone, session, approval, opening.Way(door=way, lang=lang, evidence=evidence)
        )
    )


def _count_try(
    parts: Parts,
    phone: PhonePrincipal,
    session: Session,
    approval: Approval,
    way: StatementDoor,
) -> Step[_WrongCode]:
    """Step: count a wrong code; the last one ends the session."""
    actor = Actor(ActorKind.PHONE, phone.phone)
    left = MAX_CODE_TRIES - approval.code_tries - 1
    if left > 0:
        event = yield from parts.audit.record(
            "identification.code_wrong",
            actor=actor,
            subject=phone.person,
            object=session.id,
            details={"approval": approval.id, "tries_left": left},
        )
        yield from parts.approvals.count_try(approval, event=event)
        return _WrongCode(left)
    opener = Opener(phone=phone.phone, person=phone.person)
    moment = yield MOMENT
    closed = parts.approvals.failed(
        approval, opener=opener, door=way, reason=Reason.USER_WRONG_CODE, at=moment
    )
    payload = yield from closing.close(
        parts,
        session,
        closed,
        before=approval,
        mark=None,
        proofs=None,
        claims={},
        actor=actor,
        transition=lambda event: parts.approvals.fail(
            approval, opener=opener, door=way, reason=Reason.USER_WRONG_CODE, event=event
        ),
    )
    until = approval.expires_at if is_veiled(session, closed) else None
    return _WrongCode(0, session.id, payload, until)
