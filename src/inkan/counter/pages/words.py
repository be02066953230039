"""What people read for the codes of the counter: English, the key of its translations."""

from collections.abc import Mapping
from typing import Final

from inkan.counter.model import CaseKind, CaseState, DocumentKind, ReportCause
from inkan.crypto.certificate_view import Sex

KINDS: Final[Mapping[CaseKind, str]] = {
    CaseKind.ISSUE: "Certificates for a card",
    CaseKind.PIN: "New PIN for a locked card",
    CaseKind.REVOKE: "Revocation",
}

STATES: Final[Mapping[CaseState, str]] = {
    CaseState.OPENED: "Opened",
    CaseState.IDENTIFIED: "Person identified",
    CaseState.KEYED: "Keys made in the card",
    CaseState.ORDERED: "Certificates issued",
    CaseState.WRITTEN: "Certificates in the card",
    CaseState.DONE: "Closed",
    CaseState.WITHDRAWN: "Withdrawn",
}

DOCUMENT_KINDS: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.PASSPORT: "Passport",
    DocumentKind.DRIVING_LICENCE: "Driving licence",
    DocumentKind.RESIDENT_CARD: "Residence card with chip",
}

CAUSES: Final[Mapping[ReportCause, str]] = {
    ReportCause.NO_LONGER_NEEDED: "No longer needed",
    ReportCause.LOST: "Card lost",
    ReportCause.STOLEN: "Card stolen",
    ReportCause.DAMAGED: "Card damaged or out of order",
    ReportCause.MISUSED: "Key misused by somebody",
    ReportCause.SUSPECTED_MISUSE: "Misuse suspected",
    ReportCause.FACTS_CHANGED: "Name or address changed",
}

SEXES: Final[Mapping[Sex, str]] = {
    Sex.FEMALE: "Female",
    Sex.MALE: "Male",
    Sex.UNSTATED: "Not stated",
}

STEPS: Final[Mapping[CaseKind, tuple[str, ...]]] = {
    CaseKind.ISSUE: (
        "Application form",
        "Photo document",
        "Keys in the card",
        "Certificates into the card",
        "Fee and handing over",
    ),
    CaseKind.PIN: ("Application form", "Photo document", "New PIN"),
    CaseKind.REVOKE: ("Application form", "Photo document", "Revocation", "Acceptance notice"),
}
"""The steps that a person goes through (JPKI-21, JPKI-31, JPKI-25)."""

POSITIONS: Final[Mapping[CaseState, int]] = {
    CaseState.OPENED: 1,
    CaseState.IDENTIFIED: 2,
    CaseState.KEYED: 3,
    CaseState.ORDERED: 3,
    CaseState.WRITTEN: 4,
    CaseState.DONE: 5,
    CaseState.WITHDRAWN: 0,
}
"""Which of the steps is the present one."""

WORDS: Final = frozenset(
    {
        *KINDS.values(),
        *STATES.values(),
        *DOCUMENT_KINDS.values(),
        *CAUSES.values(),
        *SEXES.values(),
        *(step for steps in STEPS.values() for step in steps),
    }
)
"""Every text of these pages that stands in a table; a test looks for its translations."""
