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
from inkan.identification.rules import Attachment
from inkan.identification.service import (
    END_JOB,
    PUSH_JOB,
    WEBHOOK_JOB,
    AssertionParts,
    ConsentView,
    Decided,
    EndJob,
    Identification,
    KnownBrowser,
    LogEntry,
    Opened,
    Parts,
    PushJob,
    ReceiptDesk,
    WebhookSender,
)
from inkan.identification.store import EVENT_PAIRS

__all__ = [
    "END_JOB",
    "EVENT_PAIRS",
    "PUSH_JOB",
    "WEBHOOK_JOB",
    "Answer",
    "AssertionParts",
    "Attachment",
    "ConsentView",
    "Created",
    "Decided",
    "EndJob",
    "Identification",
    "KnownBrowser",
    "LogEntry",
    "Opened",
    "Parts",
    "PushJob",
    "QRDoor",
    "ReceiptDesk",
    "Redemption",
    "SessionNotFound",
    "SessionOrder",
    "SessionView",
    "SubjectHint",
    "WebhookSender",
]
