"""What a certificate says, as plain values for people: made by a worker, shown by pages and the command line.

Terms and words are English texts that pages translate; values are what stands in the certificate and are never
translated. A view is no judgement: nothing in it was verified.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec

from inkan.kernel.sensitive import Personal


class Sex(StrEnum):
    """What a certificate says of its holder's sex (JPKI-09; RFC 3739 §3.2.2)."""

    MALE = "male"
    FEMALE = "female"
    UNSTATED = "unstated"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """The four facts about a person that a certificate may hold (JPKI-09, JPKI-14); None for what it does not."""

    name: str | None = None
    birth_date: date | None = None
    sex: Sex | None = None
    address: str | None = None


class HolderFacts(msgspec.Struct, frozen=True):
    """What an order says of a holder beside the name: facts for a card's signature certificate (JPKI-09).

    Attributes:
        address: as the register spells it.
    """

    birth_date: date
    sex: Sex
    address: Personal[str]


class Line(msgspec.Struct, frozen=True):
    """One value under its name.

    Attributes:
        term: English text, to be translated; empty where the value continues the line above.
        value: from the certificate; hexadecimal in pairs where it is bytes.
        words: English texts, to be translated, that say the value in words.
    """

    term: str
    value: str = ""
    words: tuple[str, ...] = ()


class NamePart(msgspec.Struct, frozen=True):
    """One attribute of a distinguished name: what it is called (English, to be translated), and its text."""

    term: str
    oid: str
    value: str


class ExtensionView(msgspec.Struct, frozen=True, kw_only=True):
    """One extension.

    Attributes:
        name: English, to be translated; empty for an unknown one.
        lines: its contents, or its DER in hexadecimal where they cannot be decoded.
    """

    oid: str
    name: str
    critical: bool
    lines: tuple[Line, ...]


class CertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """All fields of one certificate (RFC 5280 §4.1).

    Attributes:
        der: the certificate itself.
        count: how many certificates the file held; this is the first.
        serial: lower-case hexadecimal; with a minus sign for what no certificate should have.
        issuer_name: what its issuer is called for short.
        extensions_readable: False when one of them is broken, so that all stand in hexadecimal.
        sha256, sha1, signature: upper-case hexadecimal in pairs.
    """

    der: bytes
    count: int
    version: str
    serial: str
    holder: Holder
    issuer_name: str
    subject: tuple[NamePart, ...]
    issuer: tuple[NamePart, ...]
    not_before: datetime
    not_after: datetime
    signature_algorithm: str
    key: tuple[Line, ...]
    extensions: tuple[ExtensionView, ...]
    extensions_readable: bool
    signature: str
    sha256: str
    sha1: str
