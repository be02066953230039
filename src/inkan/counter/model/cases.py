"""Offices, clerks, residents, cards and cases as values. Names, addresses and document numbers do not print."""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from inkan.crypto.certificate_view import Sex
from inkan.kernel.ids import AccountID, PersonID
from inkan.kernel.sensitive import Personal


class CaseKind(StrEnum):
    """What a person came for."""

    ISSUE = "issue"
    PIN = "pin"
    REVOKE = "revoke"


class CaseState(StrEnum):
    """Where a case stands (JPKI-21, JPKI-25, JPKI-31)."""

    OPENED = "opened"
    IDENTIFIED = "identified"
    KEYED = "keyed"
    ORDERED = "ordered"
    WRITTEN = "written"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class CaseStep(StrEnum):
    """What happens to a case."""

    IDENTIFY = "identify"
    MAKE_KEYS = "make_keys"
    ORDER = "order"
    WRITE = "write"
    HAND_OVER = "hand_over"
    UNLOCK = "unlock"
    REVOKE = "revoke"
    WITHDRAW = "withdraw"


class CardState(StrEnum):
    """Where a card stands: keys without a certificate are found by ``KEYED`` and finished or cleared."""

    KEYED = "keyed"
    LIVE = "live"
    ENDED = "ended"


class DocumentKind(StrEnum):
    """Official documents with a photo (JPKI-20)."""

    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    RESIDENT_CARD = "resident_card"


class ReportCause(StrEnum):
    """Why a certificate is ended at the counter or online (JPKI-12, JPKI-23, JPKI-24)."""

    NO_LONGER_NEEDED = "no_longer_needed"
    LOST = "lost"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    MISUSED = "misused"
    SUSPECTED_MISUSE = "suspected_misuse"
    FACTS_CHANGED = "facts_changed"


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A counter's office.

    Attributes:
        code: ``chiyoda-1``.
        name: as people know it.
        municipality: code of the municipality whose residents it serves (JPKI-08).
        authority: the issuing authority of its governor (JPKI-04).
        phone: where inquiries go (JPKI-41).
    """

    code: str
    name: str
    municipality: str
    authority: str
    phone: str


class Clerk(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts at a counter, and since when.

    Attributes:
        shift: id of the present shift, None when off duty.
    """

    account: AccountID
    person: PersonID
    office: str
    shift: str | None


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """What the register of an office says of a person beside name and birth date (JPKI-09)."""

    person: PersonID
    sex: Sex
    address: Personal[str]
    municipality: str
    changed_at: datetime


class PhotoDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document that was shown (JPKI-20).

    Attributes:
        number: kept sealed; a My Number is refused.
        expires_on: its last day.
        chip_read: the clerk had the chip of a card read, not only its face looked at.
    """

    kind: DocumentKind
    number: Personal[str]
    expires_on: date
    chip_read: bool = False


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One visit of a person at a counter.

    Attributes:
        clerk: who identified the person; before that, who opened the case.
        card: number of the card, None before it was in the reader.
        confirmed_by: the second clerk.
        terms_version: of the terms that were accepted.
        paid: fee in the smallest unit of the currency, None before it was paid.
        cause: of a revocation.
        version: for compare-and-set.
    """

    id: str
    kind: CaseKind
    state: CaseState
    office: str
    clerk: AccountID
    person: PersonID
    card: str | None
    document: PhotoDocument | None
    confirmed_by: AccountID | None
    terms_version: str | None
    paid: int | None
    cause: ReportCause | None
    certificates: dict[str, str]
    created_at: datetime
    expires_at: datetime
    version: int


class HeldCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card that was made at a counter here.

    Attributes:
        number: 32 hexadecimal digits.
        certificates: certificate ids by key (``signature``, ``authentication``).
    """

    number: str
    person: PersonID
    state: CardState
    certificates: dict[str, str]
    case: str
    made_at: datetime
