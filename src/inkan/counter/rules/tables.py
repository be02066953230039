"""Documents, causes and figures of the counter; each row cites its source."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from inkan.counter.model import CaseKind, CaseStep, DocumentKind, ReportCause
from inkan.crypto.path import RevocationReason


class DocumentRow(NamedTuple):
    """One kind of photo document.

    Attributes:
        is_card_evidence: its chip can be read, so that no second clerk is needed.
        source: where that stands.
    """

    is_card_evidence: bool
    source: str


DOCUMENTS: Final[Mapping[DocumentKind, DocumentRow]] = {
    DocumentKind.PASSPORT: DocumentRow(is_card_evidence=False, source="JPKI-20"),
    DocumentKind.DRIVING_LICENCE: DocumentRow(is_card_evidence=False, source="JPKI-20"),
    DocumentKind.RESIDENT_CARD: DocumentRow(is_card_evidence=True, source="JPKI-20"),
}


class KindRow(NamedTuple):
    """What one kind of case needs.

    Attributes:
        steps: what may happen to it; withdrawing is always possible.
        needs_terms: the present terms are accepted when the person is identified.
        needs_second_clerk: where no chip of a card was read, another clerk looks as well.
        needs_fee: it is paid before the card is handed over.
        source: where that stands.
    """

    steps: frozenset[CaseStep]
    needs_terms: bool
    needs_second_clerk: bool
    needs_fee: bool
    source: str


KINDS: Final[Mapping[CaseKind, KindRow]] = {
    CaseKind.ISSUE: KindRow(
        steps=frozenset(
            {
                CaseStep.IDENTIFY,
                CaseStep.MAKE_KEYS,
                CaseStep.ORDER,
                CaseStep.WRITE,
                CaseStep.HAND_OVER,
                CaseStep.WITHDRAW,
            }
        ),
        needs_terms=True,
        needs_second_clerk=True,
        needs_fee=True,
        source="JPKI-07, JPKI-19, JPKI-21",
    ),
    CaseKind.PIN: KindRow(
        steps=frozenset({CaseStep.IDENTIFY, CaseStep.UNLOCK, CaseStep.WITHDRAW}),
        needs_terms=False,
        needs_second_clerk=False,
        needs_fee=False,
        source="JPKI-29, JPKI-31, JPKI-33",
    ),
    CaseKind.REVOKE: KindRow(
        steps=frozenset({CaseStep.IDENTIFY, CaseStep.REVOKE, CaseStep.WITHDRAW}),
        needs_terms=False,
        needs_second_clerk=False,
        needs_fee=False,
        source="JPKI-23, JPKI-24, JPKI-25",
    ),
}

# Why it ends (JPKI-12, JPKI-23, JPKI-24) → RFC 5280 §5.3.1 reason: whoever may hold the key now is a compromise.
REASON_OF_CAUSE: Final[Mapping[ReportCause, RevocationReason]] = {
    ReportCause.NO_LONGER_NEEDED: RevocationReason.CESSATION_OF_OPERATION,
    ReportCause.DAMAGED: RevocationReason.CESSATION_OF_OPERATION,
    ReportCause.LOST: RevocationReason.KEY_COMPROMISE,
    ReportCause.STOLEN: RevocationReason.KEY_COMPROMISE,
    ReportCause.MISUSED: RevocationReason.KEY_COMPROMISE,
    ReportCause.SUSPECTED_MISUSE: RevocationReason.KEY_COMPROMISE,
    ReportCause.FACTS_CHANGED: RevocationReason.AFFILIATION_CHANGED,
}

VALID_YEARS: Final = 3  # JPKI-11; the last day is the day before the third anniversary (JPKI-16)
UTC_OFFSET: Final = timedelta(hours=8)
"""Of the offices' local day: the zone in which pages and papers show dates, so that a last day is a last day there."""
FEE: Final = 500  # JPKI-19, yen
PROFILES: Final[Mapping[str, str]] = {"signature": "card-sign", "authentication": "card-auth"}
"""The certificate profile of each key of a card (WAT-59)."""
