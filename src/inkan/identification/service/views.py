"""The session object as relying parties read it, from the rows and the moment of reading."""

from datetime import datetime

from inkan.approvals import Approval
from inkan.identification.model import BindingView, Next, Session, SessionView, SubjectView
from inkan.identification.service.parts import is_veiled, next_step, shown_state
from inkan.kernel.clock import rfc3339
from inkan.wire.binding import BindingLevel
from inkan.wire.reasons import Reason
from inkan.wire.session import SessionState


def created_view(session: Session, approval: Approval) -> SessionView:
    """The object as it was when the session was created: the stored answer of its idempotency key."""
    presented = bool(session.terms.doors)
    return _view(
        session,
        approval,
        state=SessionState.PRESENTED if presented else SessionState.CREATED,
        next_=Next(action="wait" if presented else "present", retry_after_ms=1000),
        released=False,
        status_now=None,
    )


def view(
    session: Session, approval: Approval, *, now: datetime, status_now: str | None
) -> SessionView:
    """The object at ``now``. Before the release nothing of the answer shows (design §5.3 Release)."""
    state = shown_state(session, approval, now)
    return _view(
        session,
        approval,
        state=state,
        next_=next_step(session, approval, now),
        released=state is SessionState.CLOSED,
        status_now=status_now,
    )


def _view(
    session: Session,
    approval: Approval,
    *,
    state: SessionState,
    next_: Next,
    released: bool,
    status_now: str | None,
) -> SessionView:
    result = (session.result if released else None) or {}
    binding = result.get("binding")
    person_ref = result.get("person_ref")
    veiled = is_veiled(session, approval) and not released
    opened = state not in (SessionState.CREATED, SessionState.PRESENTED) and not veiled
    told = opened and state is not SessionState.DECIDED
    return SessionView(
        id=session.id,
        kind=session.kind,
        purpose=session.purpose,
        state=state,
        outcome=approval.outcome if released else None,
        reason=approval.reason if released else _ended_by_time(session, approval, state),
        next=next_,
        door=approval.door if told else None,
        binding=BindingView(level=BindingLevel(binding["level"]), evidence=binding["evidence"])
        if binding
        else None,
        subject=SubjectView(person_ref=person_ref, phone_ref=result["phone_ref"])
        if person_ref
        else None,
        claims=result.get("claims", {}),
        match=result.get("match"),
        young=result.get("young"),
        back_end=result.get("back_end"),
        attested=result.get("attested"),
        created_at=rfc3339(session.created_at),
        opened_at=_time(approval.opened_at if told else None),
        decided_at=_time(approval.decided_at if released else None),
        released_at=_time(approval.released_at if released else None),
        expires_at=rfc3339(session.expires_at),
        purge_at=rfc3339(session.purge_at),
        status_now=status_now,
    )


def _ended_by_time(session: Session, approval: Approval, state: SessionState) -> str | None:
    if state is not SessionState.EXPIRED:
        return None
    # Approved, but nobody came back with it; of a veiled session not even that is told.
    if approval.redeem_until is not None and not is_veiled(session, approval):
        return Reason.RETURN_MISSING
    return Reason.USER_NO_RESPONSE


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
