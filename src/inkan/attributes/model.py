"""What an attribute is: a fact about a person with its source and level, and the consent to give it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from inkan.kernel.errors import Malformed, NotFound
from inkan.kernel.identifiers import Residence
from inkan.kernel.ids import SessionID, SystemID
from inkan.kernel.sensitive import Personal
from inkan.schemes import LevelOfAssurance
from inkan.wire.claims import Claim


class Form(StrEnum):
    """How a value is written."""

    TEXT = "text"  # one visible line in NFC
    DATE = "date"  # 1988-03-14
    NUMBER = "number"  # letters and digits without separators
    BOOLEAN = "boolean"
    CHOICE = "choice"  # one of the words of its row
    RECORD = "record"  # the members of its row, every one of them, each with a form of its own


class SourceKind(StrEnum):
    """Who can know such a thing."""

    CARD = "card"  # the identity that was proofed for the card
    AUTHORITY = "authority"  # a public register
    ISSUER = "issuer"  # who issued the membership or the bank card


class Source(msgspec.Struct, frozen=True):
    """Who says so: the card, or an authority or issuer by its code."""

    kind: SourceKind
    name: str = ""

    @property
    def text(self) -> str:
        """The form in receipts: ``card``, ``authority:moi``."""
        return f"{self.kind}:{self.name}" if self.name else str(self.kind)


class Facts(msgspec.Struct, frozen=True):
    """What the card's proof gives, for the rows that are derived from it.

    Attributes:
        today: the calendar day where the scheme is at home.
    """

    name: Personal[str]
    birth_date: date
    residence: Residence
    today: date

    def __repr__(self) -> str:
        """Nothing: a traceback must not show a birth date."""
        return "<Facts>"


class Value(msgspec.Struct, frozen=True):
    """An attribute of a person, as it may be given.

    Attributes:
        value: JSON of the value; it refuses to print and to be serialised.
        source: ``card``, ``authority:moi``.
        level: the level of its source on the scale of ISO/IEC 29115; for the card the level that the scheme
            was built for, which no assessor has confirmed (TW-16).
        as_of: when the source stated it, or when it was computed.
    """

    value: Personal[str]
    source: str
    level: LevelOfAssurance
    as_of: datetime

    def reveal(self) -> Any:
        """The bare value: a text, a boolean, or a record of texts."""
        return msgspec.json.decode(self.value.reveal())


class Available(msgspec.Struct, frozen=True):
    """What can be given now, and what cannot: with a missing code nothing may be given."""

    values: dict[Claim, Value]
    missing: tuple[Claim, ...]


class MaskedValue(msgspec.Struct, frozen=True):
    """What a screen may show of a recorded attribute (HCA-48)."""

    code: Claim
    value: Any
    source: str
    level: LevelOfAssurance
    as_of: datetime
    valid_until: datetime | None


class Consent(msgspec.Struct, frozen=True):
    """What the person gave to whom by which signed statement.

    Attributes:
        statement_sha256: base64url SHA-256 of the statement; its ``claims`` are the consent.
        system, session, codes: None once they were erased.
        withdrawn_at: when the person took it back; None while it stands.
    """

    id: str
    at: datetime
    statement_sha256: str
    system: SystemID | None
    session: SessionID | None
    codes: tuple[str, ...] | None
    withdrawn_at: datetime | None = None


class AttributeUnknown(Malformed):
    """No attribute has this code."""

    code = "attribute_unknown"
    title = "There is no such attribute"
    public = ("attribute",)


class AttributeValueWrong(Malformed):
    """The value does not have the form of its attribute, or its source may not state it."""

    code = "attribute_value_wrong"
    title = "The value does not fit the attribute"
    public = ("where", "expected")


class AttributeLevelTooLow(Malformed):
    """Attributes below level 2 are not handled (WAT-43)."""

    code = "attribute_level_too_low"
    title = "Attributes below assurance level 2 are not recorded"


class AttributeNotRecorded(NotFound):
    """This source has recorded no such attribute of this person."""

    code = "attribute_not_recorded"
    title = "There is no such attribute of this person"


class ConsentUnsigned(Malformed):
    """A consent is a signed statement; without its hash there is none to note."""

    code = "consent_unsigned"
    title = "There is no consent without a signed statement"


class ConsentNotFound(NotFound):
    """No such consent, or another person's: one answer."""

    code = "consent_not_found"
    title = "There is no such consent"
