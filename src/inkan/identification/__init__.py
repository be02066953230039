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
    AssertionParts,
    Decided,
    Identification,
    Opened,
    Parts,
)
from inkan.identification.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
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
]
