"""PINs that somebody would guess, by kind: none of them is ever set (JPKI-30).

A PIN has few characters and a thief has five tries, so what people choose most, and what a lost purse says of its
owner, is no PIN. Whoever adds a kind adds a row. Upper and lower case count as the same.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple

import msgspec

from inkan.kernel.calendar import japanese_year, roc_year
from inkan.kernel.errors import Malformed
from inkan.kernel.sensitive import Secret

_PIECE: Final = 3
"""Characters in a row from which one notices a pattern."""
_LONGEST: Final = 16
"""No card has a longer PIN: its form refuses it."""
_DATE_PART: Final = 4
_NUMBER_PART: Final = 6


class Guess(StrEnum):
    """Why somebody would guess it."""

    REPEATED = "repeated"
    RUN = "run"
    KEYBOARD = "keyboard"
    FREQUENT = "frequent"
    BIRTH_DATE = "birth_date"
    NUMBER = "number"


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What others may know of the holder; nothing of it need be known here.

    Attributes:
        birth_date: of the holder.
        numbers: of the card, of telephones: any text, its digits and letters count.
    """

    birth_date: date | None = None
    numbers: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Nothing: no log names a birth date."""
        return "<known>"


class PINGuessable(Malformed):
    """A new PIN is one that others would guess; it was not set, and no try was spent. ``guess`` is the kind."""

    code = "card_pin_guessable"
    title = "This PIN is easy to guess: choose another one"
    # The page hears that it was refused, not what the person typed was like.
    public = ()


class Row(NamedTuple):
    """One kind.

    Attributes:
        finds: whether a PIN, in lower case, is of this kind.
        source: where that stands.
    """

    finds: Callable[[str, Known], bool]
    source: str


def find(pin: Secret[str], known: Known | None = None) -> Guess | None:
    """Return the first kind of guessable PINs that ``pin`` is of, None when it is of none."""
    typed, facts = pin.reveal().lower(), known or Known()
    if len(typed) > _LONGEST:
        return None
    return next((guess for guess, row in TABLE.items() if row.finds(typed, facts)), None)


def verify(pin: Secret[str], known: Known | None = None) -> None:
    """Whether ``pin`` may be set.

    Raises:
        PINGuessable: others would guess it.
    """
    guess = find(pin, known)
    if guess is not None:
        raise PINGuessable(guess=guess.value)


# --- patterns ------------------------------------------------------------------------------------


def _is_repeated(pin: str, _: Known) -> bool:
    """One piece over and over: 1111, 1212, abcabc."""
    lengths = range(1, len(pin) // 2 + 1)
    return any(pin == pin[:n] * (len(pin) // n) for n in lengths if len(pin) % n == 0)


def _is_run(pin: str, _: Known) -> bool:
    """Characters in order, or several such runs: 3456, 8901, 1357, abc123."""
    return _splits(pin, _is_stretch)


def _is_keyboard(pin: str, _: Known) -> bool:
    """Neighbours on a keyboard or keypad, alone or with runs: qwerty, 2580, 1qaz2wsx."""
    return _splits(pin, lambda piece: _is_stretch(piece) or _is_on_keyboard(piece))


def _splits(pin: str, is_pattern: Callable[[str], bool]) -> bool:
    """Whether the PIN is nothing but patterns of three characters or more."""
    if is_pattern(pin) and len(pin) >= _PIECE:
        return True
    cuts = range(_PIECE, len(pin) - _PIECE + 1)
    return any(is_pattern(pin[:at]) and _splits(pin[at:], is_pattern) for at in cuts)


# One character over and over, up, down, and every second one.
_STEPS: Final = frozenset({0, 1, -1, 2, -2})
_DIGITS: Final = 10


def _is_stretch(piece: str) -> bool:
    if piece.isascii() and piece.isdigit():
        steps = {(int(b) - int(a)) % _DIGITS for a, b in pairwise(piece)}
        return len(steps) == 1 and steps <= {step % _DIGITS for step in _STEPS}
    if piece.isalpha():
        steps = {ord(b) - ord(a) for a, b in pairwise(piece)}
        return len(steps) == 1 and steps <= _STEPS
    return False


# Rows and columns of a keyboard; columns, corners and the way around of a keypad, told as far as it closes.
_LINES: Final = (
    "1234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm"),
    *("147", "2580", "369", "159", "357", "741852963", "147258369"),
    "1236987412369874",
    "13971397",
    "24862486",
)


def _is_on_keyboard(piece: str) -> bool:
    return any(piece in line or piece[::-1] in line for line in _LINES)


# What is left of the twenty PINs that DataGenetics found most often (2012) when the patterns above are taken away, and
# words at the head of every list of leaked passwords; a number behind such a word changes nothing.
_FREQUENT: Final = frozenset({"1004", "1122", "2000", "2001"})
_WORDS: Final = frozenset(
    {
        *("password", "passw0rd", "iloveyou", "letmein", "welcome", "monkey", "dragon", "sunshine"),
        *("princess", "football", "baseball", "master", "shadow", "secret", "superman", "admin"),
        *("abc", "pass", "test", "user", "login", "hello", "taiwan", "tokyo", "japan", "taipei"),
    }
)


def _is_frequent(pin: str, _: Known) -> bool:
    return pin in _FREQUENT or pin.rstrip("0123456789") in _WORDS


# --- what is known of the holder --------------------------------------------------------------------


def _is_birth_date(pin: str, known: Known) -> bool:
    """The date in a spelling of four characters or more, or a PIN around one."""
    if known.birth_date is None:
        return False
    return any(spelling in pin for spelling in _spellings(known.birth_date))


def _spellings(born: date) -> frozenset[str]:
    """How people write it: year, month and day in every order that is used, whole and short."""
    days = {f"{born:%m%d}", f"{born.month}{born.day}"}
    turned = {f"{born:%d%m}", f"{born.day}{born.month}"}
    months = {f"{born:%m}", f"{born.month}"}
    years = set(_years(born))
    written = {*days, *turned, *years}
    written |= {year + rest for year in years for rest in days | months}
    written |= {rest + year for year in years for rest in days | turned | months}
    return frozenset(each for each in written if len(each) >= _DATE_PART)


def _years(born: date) -> Iterator[str]:
    """Of the common era, of the Republic of China, and of the Japanese era."""
    yield from (f"{born.year:04}", f"{born.year % 100:02}")
    minguo, era = roc_year(born), japanese_year(born)
    if minguo > 0:
        yield from (f"{minguo}", f"{minguo:02}", f"{minguo:03}")
    if era is not None:
        letter, year = era.name[0].lower(), era.year
        yield from (f"{year}", f"{year:02}", f"{letter}{year}", f"{letter}{year:02}")


# Mobile telephones of Taiwan and Japan: ten digits from 09, eleven from 050, 070, 080 or 090.
_TELEPHONE: Final = re.compile(r"09[0-9]{8}|0[5789]0[0-9]{8}", re.ASCII)


def _is_number(pin: str, known: Known) -> bool:
    """A telephone number, the head or tail of a known number, or six characters in a row of one."""
    if _TELEPHONE.search(pin):
        return True
    plain = ("".join(filter(str.isalnum, number.lower())) for number in known.numbers)
    return any(_is_part(pin, number) for number in plain)


def _is_part(pin: str, number: str) -> bool:
    if number.startswith(pin) or number.endswith(pin):
        return True
    ends = range(_NUMBER_PART, len(number) + 1)
    return any(number[end - _NUMBER_PART : end] in pin for end in ends)


_SIMPLE: Final = "JPKI-30; NIST SP 800-63B §5.1.1.2 (repetitive or sequential characters)"
TABLE: Final[Mapping[Guess, Row]] = {
    Guess.REPEATED: Row(_is_repeated, _SIMPLE),
    Guess.RUN: Row(_is_run, _SIMPLE),
    Guess.KEYBOARD: Row(_is_keyboard, _SIMPLE),
    Guess.FREQUENT: Row(_is_frequent, "NIST SP 800-63B §5.1.1.2; DataGenetics, PIN analysis"),
    Guess.BIRTH_DATE: Row(_is_birth_date, "JPKI-30 (birth date)"),
    Guess.NUMBER: Row(_is_number, "JPKI-30 (telephone number)"),
}
"""Every kind with its source, in the order in which it is looked for."""
