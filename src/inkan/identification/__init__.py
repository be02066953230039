"""Sessions: what a relying party opens, reads and keeps a receipt of."""

from inkan.identification.model import (
    Answer,
    Created,
    QRDoor,
    SessionNotFound,
    SessionOrder,
    SessionView,
    SubjectHint,
)
from inkan.identification.service import (
    WEBHOOK_JOB,
    AssertionParts,
    Decided,
    Identification,
    Opened,
    Parts,
    WebhookSender,
)
from inkan.identification.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "WEBHOOK_JOB",
    "Answer",
    "AssertionParts",
    "Created",
    "Decided",
    "Identification",
    "Opened",
    "Parts",
    "QRDoor",
    "SessionNotFound",
    "SessionOrder",
    "SessionView",
    "SubjectHint",
    "WebhookSender",
]
