"""The rules of an approval: its machine, its lives, and what time alone decides."""

from datetime import datetime, timedelta

from inkan.approvals.model import Approval, ApprovalStep
from inkan.kernel.machine import Machine
from inkan.wire.session import SessionState

MACHINE: Machine[SessionState, ApprovalStep] = Machine(
    SessionState.CREATED,
    {
        (SessionState.CREATED, ApprovalStep.PRESENT): SessionState.PRESENTED,
        # A further door of the same question.
        (SessionState.PRESENTED, ApprovalStep.PRESENT): SessionState.PRESENTED,
        (SessionState.PRESENTED, ApprovalStep.OPEN): SessionState.OPENED,
        # The code was typed wrong for the last time.
        (SessionState.PRESENTED, ApprovalStep.FAIL): SessionState.CLOSED,
        (SessionState.OPENED, ApprovalStep.REOPEN): SessionState.PRESENTED,
        (SessionState.OPENED, ApprovalStep.DECIDE): SessionState.DECIDED,
        # The browser that began has shown more of its tie to the phone (design §5.4, `strong`).
        (SessionState.DECIDED, ApprovalStep.STRENGTHEN): SessionState.DECIDED,
        (SessionState.DECIDED, ApprovalStep.RELEASE): SessionState.CLOSED,
        (SessionState.CREATED, ApprovalStep.CANCEL): SessionState.CANCELLED,
        (SessionState.PRESENTED, ApprovalStep.CANCEL): SessionState.CANCELLED,
        (SessionState.OPENED, ApprovalStep.CANCEL): SessionState.CANCELLED,
        (SessionState.CREATED, ApprovalStep.EXPIRE): SessionState.EXPIRED,
        (SessionState.PRESENTED, ApprovalStep.EXPIRE): SessionState.EXPIRED,
        (SessionState.OPENED, ApprovalStep.EXPIRE): SessionState.EXPIRED,
        # Approved and never fetched: "approved, not delivered" in the person's records.
        (SessionState.DECIDED, ApprovalStep.EXPIRE): SessionState.EXPIRED,
    },
)

# Design §5.3: an open approval is released after 60 s undecided, at most three times.
OPEN_LIFE = timedelta(seconds=60)
MAX_GENERATIONS = 4

# Design §5.3 Release: an answer that is not fetched within a minute is not given out any more.
REDEEM_LIFE = timedelta(seconds=60)

# Design §5.4 `push`: the third wrong code ends the session (NIST SP 800-63B-4 §3.1.3.3).
MAX_CODE_TRIES = 3

RECORDS_PAGE = 50
"""Usage records that one page of the list holds."""

UNDECIDED = frozenset({SessionState.CREATED, SessionState.PRESENTED, SessionState.OPENED})


def state_at(approval: Approval, now: datetime) -> SessionState:
    """The state that holds at ``now``: expiry is a fact of time, not of a sweeper (threat 11)."""
    if approval.state in UNDECIDED and approval.expires_at <= now:
        return SessionState.EXPIRED
    if approval.state is SessionState.DECIDED and _at(approval.redeem_until) <= now:
        return SessionState.EXPIRED
    return approval.state


def _at(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment


def is_releasable(approval: Approval, now: datetime) -> bool:
    """Whether another phone may have it: opened 60 s ago, undecided, and a fresh secret is left."""
    return (
        state_at(approval, now) is SessionState.OPENED
        and approval.opened_at is not None
        and approval.opened_at + OPEN_LIFE <= now
        and approval.generation < MAX_GENERATIONS
    )
