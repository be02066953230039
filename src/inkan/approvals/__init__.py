"""One approval: a question on one phone and its answer; and the person's usage records."""

from inkan.approvals.model import (
    Approval,
    ApprovalEnded,
    ApprovalMoved,
    ApprovalNotFound,
    DecisionConflict,
    OpenedElsewhere,
    Question,
    RecordNotFound,
    RelyingPartyName,
    ReportedUse,
    UsageFilter,
    UsageRecord,
    UsageResult,
)
from inkan.approvals.rules import (
    MACHINE,
    MAX_CODE_TRIES,
    OPEN_LIFE,
    RECORDS_PAGE,
    REDEEM_LIFE,
    UNDECIDED,
    is_releasable,
    state_at,
)
from inkan.approvals.service import Approvals, Asker, Decision, Opener
from inkan.approvals.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "MACHINE",
    "MAX_CODE_TRIES",
    "OPEN_LIFE",
    "RECORDS_PAGE",
    "REDEEM_LIFE",
    "UNDECIDED",
    "Approval",
    "ApprovalEnded",
    "ApprovalMoved",
    "ApprovalNotFound",
    "Approvals",
    "Asker",
    "Decision",
    "DecisionConflict",
    "OpenedElsewhere",
    "Opener",
    "Question",
    "RecordNotFound",
    "RelyingPartyName",
    "ReportedUse",
    "UsageFilter",
    "UsageRecord",
    "UsageResult",
    "is_releasable",
    "state_at",
]
