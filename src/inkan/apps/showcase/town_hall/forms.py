"""The forms of the town hall: which items each asks for, and how what was typed is read. One row for each form."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from inkan.kernel.identifiers import holds_my_number
from inkan.wire.card_request import FormField
from inkan.wire.forms import UnsafeText, verify_line

MOST_COPIES: Final = 10
_COUNT: Final = re.compile(r"[1-9][0-9]?", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class Fault(StrEnum):
    """What is wrong with an item."""

    MISSING = "missing"
    WRONG = "wrong"
    MY_NUMBER = "my_number"


class Kind(StrEnum):
    """What an item holds."""

    LINE = "line"
    DAY = "day"
    COUNT = "count"


class PersonFact(StrEnum):
    """What an item says of the person who signs; the certificate is held against it."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    ADDRESS = "address"


class Item(NamedTuple):
    """One item; ``label`` and ``hint`` are msgids."""

    name: str
    label: str
    kind: Kind = Kind.LINE
    hint: str = ""
    of: PersonFact | None = None


class Form(NamedTuple):
    """One form; ``title`` and ``lead`` are msgids. Exactly one item is the name of the person who signs."""

    code: str
    title: str
    lead: str
    items: tuple[Item, ...]


_NAME: Final = Item("name", "Your name", hint="As it stands on your card.", of=PersonFact.NAME)
_BORN: Final = Item("birth_date", "Your birth date", Kind.DAY, of=PersonFact.BIRTH_DATE)

FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        each.code: each
        for each in (
            Form(
                "resident_record_copy",
                "Application for a copy of the resident record",
                "The copy is sent to the address of your record.",
                (
                    _NAME,
                    _BORN,
                    Item("address", "Your address", of=PersonFact.ADDRESS),
                    Item("copies", "Number of copies", Kind.COUNT, "From 1 to 10."),
                    Item("use", "What you need it for"),
                ),
            ),
            Form(
                "moving_notice",
                "Notice of a move",
                "After a move the signature certificate of your card ends. Sign this notice before that.",
                (
                    _NAME,
                    _BORN,
                    Item("old_address", "Your address until now", of=PersonFact.ADDRESS),
                    Item("new_address", "Your new address"),
                    Item("moved_on", "Day of the move", Kind.DAY),
                ),
            ),
        )
    }
)


def _line(typed: str) -> str | None:
    text = " ".join(typed.split())
    try:
        verify_line(text)
    except UnsafeText:
        return None
    return text


def _day(typed: str) -> str | None:
    text = unicodedata.normalize("NFKC", typed).strip()
    try:
        return date.fromisoformat(text).isoformat() if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _count(typed: str) -> str | None:
    text = unicodedata.normalize("NFKC", typed).strip()
    return text if _COUNT.fullmatch(text) and int(text) <= MOST_COPIES else None


_READERS: Final[Mapping[Kind, Callable[[str], str | None]]] = MappingProxyType(
    {Kind.LINE: _line, Kind.DAY: _day, Kind.COUNT: _count}
)


def read(
    form: Form, typed: Mapping[str, str], text: Callable[[str], str]
) -> tuple[tuple[FormField, ...], dict[str, Fault]]:
    """Return the items as they will be signed, and what is wrong with others.

    A town hall of this kind is not entitled to My Numbers: an item that holds one is refused, whatever it is for.

    Args:
        form: the row.
        typed: by names of items; what is missing counts as empty.
        text: gives a msgid in the reader's language, because the label is signed as it was read.
    """
    fields, faults = [], {}
    for item in form.items:
        value = typed.get(item.name, "")
        found = _READERS[item.kind](value)
        if not value.strip():
            faults[item.name] = Fault.MISSING
        elif holds_my_number(value):
            faults[item.name] = Fault.MY_NUMBER
        elif found is None:
            faults[item.name] = Fault.WRONG
        else:
            fields.append(FormField(name=item.name, label=text(item.label), value=found))
    return tuple(fields), faults
