"""The counter: card certificates at a municipal office (JPKI-21), PINs, revocation, kiosk and online window.

Start with :class:`Counter`. A case is one visit of a person; its machine stands in ``rules``.
"""

from inkan.counter.model import (
    Case,
    CaseKind,
    CaseState,
    Clerk,
    DocumentKind,
    Office,
    PhotoDocument,
    ReportCause,
)
from inkan.counter.rules import FEE, PURGE_EVERY, SWEEP_EVERY, TERMS
from inkan.counter.rules.permissions import PERMISSIONS
from inkan.counter.service import Counter
from inkan.counter.service.parts import Parts
from inkan.counter.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "FEE",
    "PERMISSIONS",
    "PURGE_EVERY",
    "SWEEP_EVERY",
    "TERMS",
    "Case",
    "CaseKind",
    "CaseState",
    "Clerk",
    "Counter",
    "DocumentKind",
    "Office",
    "Parts",
    "PhotoDocument",
    "ReportCause",
]
