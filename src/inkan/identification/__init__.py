"""Sessions: what a relying party opens, reads and keeps a receipt of."""

from inkan.identification.model import (
    Answer,
    Created,
    QRDoor,
    Redemption,
    SessionNotFound,
    SessionOrder,
    SessionView,
    SubjectHint,
)
from inkan.identification.service import (
    PUSH_JOB,
    AssertionParts,
    ConsentView,
    Decided,
    Identification,
    KnownBrowser,
    LogEntry,
    Opened,
    Parts,
    PushJob,
)
from inkan.identification.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "PUSH_JOB",
    "Answer",
    "AssertionParts",
    "ConsentView",
    "Created",
    "Decided",
    "Identification",
    "KnownBrowser",
    "LogEntry",
    "Opened",
    "Parts",
    "PushJob",
    "QRDoor",
    "Redemption",
    "SessionNotFound",
    "SessionOrder",
    "SessionView",
    "SubjectHint",
]
