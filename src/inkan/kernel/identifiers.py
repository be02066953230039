"""National identifiers: strict forms, check digits, masks.

A parser accepts the one canonical form and refuses everything else rather than repair it (threat 22):
full-width digits, lower case and surrounding blanks are refused, so that one person is reachable by
exactly one stored form. The pages that people type into fold the input before they send it.
"""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from inkan.kernel.errors import Malformed
from inkan.kernel.sensitive import Personal

_NATIONAL_ID = re.compile(r"[A-Z][1289A-D][0-9]{8}")
_LETTER_VALUE: Final = {
    letter: value for value, letter in enumerate("ABCDEFGHJKLMNPQRSTUVXYWZIO", start=10)
}
_WEIGHTS = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
# Twelve digits, bare or as they are printed, in three groups; groups are no part of a longer number in groups.
_GROUPING = "[ \\-\u2010-\u2015\u2212\u30fc]"
_MY_NUMBER_CANDIDATES = (
    re.compile(r"(?<![0-9])[0-9]{12}(?![0-9])"),
    re.compile(
        rf"(?<![0-9])(?<![0-9]{_GROUPING})[0-9]{{4}}{_GROUPING}?[0-9]{{4}}{_GROUPING}?[0-9]{{4}}"
        rf"(?!{_GROUPING}?[0-9])"
    ),
)
_BUSINESS_NUMBER = re.compile(r"[0-9]{8}")
_BUSINESS_WEIGHTS = (1, 2, 1, 2, 1, 2, 4, 1)


class NationalIDMalformed(Malformed):
    """Not a Taiwan national ID or resident certificate number, or its check digit is wrong."""

    code = "national_id_malformed"
    title = "This is not a valid national ID or resident certificate number"
    public = ()


class MyNumberMalformed(Malformed):
    """Not a My Number, or its check digit is wrong; what was given is not repeated."""

    code = "my_number_malformed"
    title = "This is not a valid My Number"
    public = ()


class BusinessNumberMalformed(Malformed):
    """Not a unified business number (統一編號)."""

    code = "business_number_malformed"
    title = "This is not a valid unified business number"


class Residence(StrEnum):
    """What the second character of a Taiwan number says of its holder (TW-08)."""

    NATIONAL = "national"
    RESIDENT = "resident"


class NationalID(Personal[str]):
    """A Taiwan national ID or resident certificate number in its canonical form (TW-08, TW-44)."""

    @property
    def residence(self) -> Residence:
        """Whether the holder is a national or holds a residence certificate."""
        return Residence.NATIONAL if self._value[1] in "12" else Residence.RESIDENT

    @property
    def masked(self) -> str:
        """``A1******89``: enough to recognise one's own, too little to search for (about 10^5 remain)."""
        return mask_national_id(self._value)


class MyNumber(Personal[str]):
    """Japan's individual number (個人番号), twelve digits. Only who is entitled by law ever holds one (WAT-62)."""


def parse_my_number(text: str) -> MyNumber:
    """Return the number that twelve ASCII digits are, if the check digit fits.

    Raises:
        MyNumberMalformed: any other text.
    """
    if not is_my_number(text):
        raise MyNumberMalformed
    return MyNumber(text)


def parse_national_id(text: str) -> NationalID:
    """Return the identifier that ``text`` is the canonical form of.

    Accepts one letter, then 1 or 2 (nationals), 8 or 9 (resident numbers since 2021) or A to D (the older
    resident numbers), then eight digits of which the last is the check digit.

    Raises:
        NationalIDMalformed: any other form, or a wrong check digit.
    """
    if unicodedata.normalize("NFKC", text) != text or _NATIONAL_ID.fullmatch(text) is None:
        raise NationalIDMalformed("expected one letter, one of 1 2 8 9 A B C D, and eight digits")
    if sum(digit * weight for digit, weight in zip(_digits(text), _WEIGHTS, strict=True)) % 10:
        raise NationalIDMalformed("the check digit does not fit")
    return NationalID(text)


def parse_typed_national_id(typed: str) -> NationalID:
    """Return the identifier that a person typed: full-width forms, small letters, spaces around it.

    Raises:
        NationalIDMalformed: see :func:`parse_national_id`.
    """
    plain = unicodedata.normalize("NFKC", typed).strip()
    # A dotless i grows up to an I; such look-alikes are no slip of the hand.
    return parse_national_id(plain.upper() if plain.isascii() else plain)


def _digits(text: str) -> list[int]:
    letter = _LETTER_VALUE[text[0]]
    second = int(text[1]) if text[1].isdigit() else _LETTER_VALUE[text[1]] % 10
    return [letter // 10, letter % 10, second, *map(int, text[2:])]


def national_id_check_digit(prefix: str) -> str:
    """The digit that completes the first nine characters; for test worlds."""
    total = sum(d * w for d, w in zip(_digits(prefix), _WEIGHTS[:-1], strict=True))
    return str(-total % 10)


def mask_national_id(value: str) -> str:
    """Keep the first two and the last two characters."""
    return f"{value[:2]}{'*' * (len(value) - 4)}{value[-2:]}"


def mask_name(name: str) -> str:
    """Keep the first and the last character: ``王○明``; of two characters the first (``王○``)."""
    if len(name) <= 1:
        return "○"
    if len(name) == 2:
        return f"{name[0]}○"
    return f"{name[0]}{'○' * (len(name) - 2)}{name[-1]}"


def is_my_number(text: str) -> bool:
    """Whether twelve digits carry the check digit of Japan's My Number (個人番号)."""
    if len(text) != 12 or not text.isascii() or not text.isdigit():
        return False
    digits = [int(digit) for digit in reversed(text[:11])]
    total = sum(d * (n + 1 if n <= 6 else n - 5) for n, d in enumerate(digits, start=1))
    remainder = total % 11
    return int(text[11]) == (0 if remainder <= 1 else 11 - remainder)


def holds_my_number(text: str) -> bool:
    """Whether a free text holds a My Number anywhere, bare or in groups of four; full-width digits count (WAT-62)."""
    folded = unicodedata.normalize("NFKC", text)
    return any(
        is_my_number("".join(filter(str.isdigit, found[0])))
        for candidates in _MY_NUMBER_CANDIDATES
        for found in candidates.finditer(folded)
    )


def parse_business_number(text: str) -> str:
    """Return Taiwan's eight-digit unified business number.

    Raises:
        BusinessNumberMalformed: not eight digits, or the weighted digit sum is not divisible by 5.
    """
    if _BUSINESS_NUMBER.fullmatch(text) is None:
        raise BusinessNumberMalformed("expected eight digits")
    products = [int(d) * w for d, w in zip(text, _BUSINESS_WEIGHTS, strict=True)]
    total = sum(product // 10 + product % 10 for product in products)
    if total % 5 == 0 or (text[6] == "7" and (total + 1) % 5 == 0):
        return text
    raise BusinessNumberMalformed("the check digit does not fit")
