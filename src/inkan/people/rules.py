"""What a name, a free text and an eligible person look like."""

import unicodedata
from datetime import date, datetime
from typing import Final

from inkan.kernel.calendar import age_on
from inkan.kernel.identifiers import NationalID, holds_my_number
from inkan.kernel.sensitive import Personal
from inkan.people.model import (
    Identity,
    IdentityMalformed,
    MyNumberRefused,
    NotEligible,
    RevealReasonRefused,
)
from inkan.schemes import Scheme

MAX_NAME: Final = 100
"""Characters of a name."""

MAX_REASON: Final = 500
"""Characters of a reason."""

EARLIEST_BIRTH: Final = date(1880, 1, 1)

# Controls, invisible format characters (all that turn the direction of text among them), lone surrogates, line
# and paragraph separators. Private use stays: rare characters of names in household registers are written so.
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

SUBJECT_SERIAL_DIGITS: Final = 16
"""Random digits in a certificate's subject, so that no name of a certificate is a national ID (design §5.2)."""


def new_identity(*, name: str, birth_date: date, national_id: NationalID) -> Identity:
    """Return an identity whose parts were checked.

    Args:
        name: as the register spells it, in NFC; refused rather than repaired (threat 22).
        birth_date: by the Gregorian calendar.
        national_id: from ``kernel.identifiers.parse_national_id``.

    Raises:
        IdentityMalformed: the name is empty, too long, not NFC, has outer blanks or invisible characters; the
            birth date lies before 1880.
        MyNumberRefused: the name holds a My Number.
    """
    if not _is_name(name):
        raise IdentityMalformed(where="name")
    verify_free_text(name, where="name")
    if birth_date < EARLIEST_BIRTH:
        raise IdentityMalformed(where="birth_date")
    return Identity(Personal(name), birth_date, national_id)


def verify_free_text(text: str, *, where: str) -> str:
    """Return a text that holds no My Number (WAT-62).

    Raises:
        MyNumberRefused: it holds one, in whatever digits.
    """
    if holds_my_number(text):
        raise MyNumberRefused(where=where)
    return text


def verify_reason(text: str) -> str:
    """Return the reason for which somebody wants to see personal data.

    Raises:
        RevealReasonRefused: blank, or longer than 500 characters.
        MyNumberRefused: it holds a My Number.
    """
    if not text.strip() or len(text) > MAX_REASON:
        raise RevealReasonRefused
    return verify_free_text(text, where="reason")


def verify_eligible(scheme: Scheme, identity: Identity, *, now: datetime) -> None:
    """Check that the scheme is for this person (TW-08).

    Plan:
        1. The residence is one of the scheme's.
        2. The years of life, completed on the day that it is now where the scheme is at home, are enough.

    Raises:
        NotEligible: at the first rule that fails.
    """
    if identity.residence not in scheme.eligibility.residences:  # 1
        raise NotEligible(rule="residence")
    today = scheme.local_day(now)
    if age_on(identity.birth_date, today) < scheme.eligibility.min_age_years:  # 2
        raise NotEligible(rule="age")


def _is_name(text: str) -> bool:
    return (
        0 < len(text) <= MAX_NAME
        and text == text.strip()
        and unicodedata.is_normalized("NFC", text)
        and not any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in text)
    )
