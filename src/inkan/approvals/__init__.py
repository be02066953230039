"""One approval: a question on one phone and its answer; and the person's usage records."""

from inkan.approvals.model import (
    Approval,
    ApprovalEnded,
    ApprovalMoved,
    ApprovalNotFound,
    DecisionConflict,
    OpenedElsewhere,
    Question,
    RelyingPartyName,
    UsageRecord,
)
from inkan.approvals.rules import (
    MACHINE,
    MAX_CODE_TRIES,
    OPEN_LIFE,
    REDEEM_LIFE,
    UNDECIDED,
    is_releasable,
    state_at,
)
from inkan.approvals.service import Approvals, Decision, Opener
from inkan.approvals.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "MACHINE",
    "MAX_CODE_TRIES",
    "OPEN_LIFE",
    "REDEEM_LIFE",
    "UNDECIDED",
    "Approval",
    "ApprovalEnded",
    "ApprovalMoved",
    "ApprovalNotFound",
    "Approvals",
    "Decision",
    "DecisionConflict",
    "OpenedElsewhere",
    "Opener",
    "Question",
    "RelyingPartyName",
    "UsageRecord",
    "is_releasable",
    "state_at",
]
