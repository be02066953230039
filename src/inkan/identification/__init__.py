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
    END_JOB,
    PUSH_JOB,
    WEBHOOK_JOB,
    AssertionParts,
    Decided,
    EndJob,
    Identification,
    Opened,
    Parts,
    PushJob,
    WebhookSender,
    phone_topic,
)
from inkan.identification.store import EVENT_PAIRS

__all__ = [
    "END_JOB",
    "EVENT_PAIRS",
    "PUSH_JOB",
    "WEBHOOK_JOB",
    "Answer",
    "AssertionParts",
    "Created",
    "Decided",
    "EndJob",
    "Identification",
    "Opened",
    "Parts",
    "PushJob",
    "QRDoor",
    "Redemption",
    "SessionNotFound",
    "SessionOrder",
    "SessionView",
    "SubjectHint",
    "WebhookSender",
    "phone_topic",
]
