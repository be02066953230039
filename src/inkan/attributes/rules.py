"""The table of attributes: who may state each, how its value is written, derived and masked.

A new attribute is a code with names in ``wire.claims`` and a row here.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from inkan.attributes.model import AttributeUnknown, AttributeValueWrong, Facts, Form, SourceKind
from inkan.kernel.calendar import age_on
from inkan.kernel.errors import Malformed
from inkan.kernel.identifiers import Residence, mask_name
from inkan.schemes import LevelOfAssurance
from inkan.wire.claims import Claim
from inkan.wire.forms import CLAIMS_LIMIT, UnsafeText, verify_line

MIN_LEVEL: Final = LevelOfAssurance.MEDIUM
"""WAT-43: in principle only attributes of assurance level 2 or more are handled."""

MAX_TEXT: Final = 200
"""Characters of a text; an address of either country fits."""

PURGE_EVERY: Final = timedelta(hours=1)
"""How often attributes whose term is over are forgotten."""

_NUMBER: Final = re.compile(r"[0-9A-Za-z]{1,40}")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SOURCE_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_KEPT: Final = 4  # last characters of a number that a screen shows

Derivation = Callable[[Facts], str | bool]


class Row(NamedTuple):
    """One attribute.

    Attributes:
        form: how its value is written.
        sources: who may state it.
        derive: how it comes out of the card's proof; None when it is recorded instead.
        choices: words of a choice.
        members: members of a record, each with its form.
        source: the clause.
    """

    form: Form
    sources: frozenset[SourceKind]
    derive: Derivation | None
    choices: tuple[str, ...]
    members: Mapping[str, Form]
    source: str


def _proofed(form: Form, derive: Derivation, source: str, *choices: str) -> Row:
    return Row(form, frozenset({SourceKind.CARD}), derive, choices, {}, source)


def _registered(source: str) -> Row:
    return Row(Form.TEXT, frozenset({SourceKind.AUTHORITY}), None, (), {}, source)


def _card_of(source: str, **members: Form) -> Row:
    return Row(Form.RECORD, frozenset({SourceKind.ISSUER}), None, (), members, source)


def _is_over(years: int) -> Derivation:
    return lambda facts: age_on(facts.birth_date, facts.today) >= years


ROWS: Final[Mapping[Claim, Row]] = MappingProxyType(
    {
        Claim.NAME: _proofed(Form.TEXT, lambda facts: facts.name.reveal(), "WAT-27, WAT-49"),
        Claim.BIRTH_DATE: _proofed(
            Form.DATE, lambda facts: facts.birth_date.isoformat(), "WAT-27, WAT-49"
        ),
        Claim.AGE_OVER_18: _proofed(Form.BOOLEAN, _is_over(18), "TW-68; ISO/IEC 18013-5 §7.2.5"),
        Claim.AGE_OVER_20: _proofed(Form.BOOLEAN, _is_over(20), "TW-68; ISO/IEC 18013-5 §7.2.5"),
        Claim.RESIDENCE: _proofed(
            Form.CHOICE, lambda facts: str(facts.residence), "TW-08", *map(str, Residence)
        ),
        Claim.ADDRESS: _registered("WAT-27, WAT-59"),
        Claim.OCCUPATION: _registered("TW-68"),
        Claim.HEALTH_PROFESSION: _registered("TW-68"),
        # The photo and the signature image of the two cards are not carried: a receipt holds short texts.
        Claim.MEMBERSHIP_CARD: _card_of(
            "WAT-40", number=Form.NUMBER, name=Form.TEXT, valid_until=Form.DATE
        ),
        Claim.CREDIT_CARD: _card_of(
            "WAT-41", number=Form.NUMBER, name=Form.TEXT, valid_until=Form.DATE
        ),
        Claim.CASH_CARD: _card_of(
            "WAT-42", branch=Form.NUMBER, account=Form.NUMBER, name=Form.TEXT
        ),
    }
)


def verify_codes(codes: Sequence[str]) -> tuple[Claim, ...]:
    """Return the attributes that a request names.

    Raises:
        AttributeUnknown: a code that no row has; ``attribute`` says which.
        Malformed: one code twice, or more than 32.
    """
    if len(codes) > CLAIMS_LIMIT or len(set(codes)) != len(codes):
        raise Malformed(where="/claims", expected=f"at most {CLAIMS_LIMIT} codes, none twice")
    return tuple(find_claim(code) for code in codes)


def find_claim(code: str) -> Claim:
    """Return the attribute of a code.

    Raises:
        AttributeUnknown: no row has it.
    """
    try:
        return Claim(code)
    except ValueError:
        raise AttributeUnknown(attribute=code[:64]) from None


def verify_source(claim: Claim, kind: SourceKind, name: str) -> None:
    """Check that such a source may record the attribute.

    Raises:
        AttributeValueWrong: another kind of source than the row names, one that is derived, or no code as name.
    """
    row = ROWS[claim]
    if row.derive is not None or kind not in row.sources:
        kinds = ", ".join(sorted(row.sources))
        raise AttributeValueWrong(where="source", expected=f"a source of kind {kinds}")
    if _SOURCE_NAME.fullmatch(name) is None:
        raise AttributeValueWrong(where="source", expected="the code of an authority or issuer")


def verify_value(claim: Claim, value: Any) -> Any:
    """Return a value that has the form of its attribute.

    Raises:
        AttributeValueWrong: another form; ``where`` names the member of a record.
    """
    row = ROWS[claim]
    if row.form is not Form.RECORD:
        return _verify(row.form, value, where="value", choices=row.choices)
    if not isinstance(value, dict) or set(value) != set(row.members):
        raise AttributeValueWrong(where="value", expected=f"the members {', '.join(row.members)}")
    return {
        name: _verify(form, value[name], where=name, choices=())
        for name, form in row.members.items()
    }


def mask(claim: Claim, value: Any) -> Any:
    """What a screen may show of a value of that attribute (HCA-48)."""
    row = ROWS[claim]
    if row.form is Form.RECORD:
        return {name: _MASKS[form](value[name]) for name, form in row.members.items()}
    return _MASKS[row.form](value)


def texts_of(value: Any) -> list[str]:
    """Every text inside a value, for the guard against a My Number."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts_of(each)]
    return [value] if isinstance(value, str) else []


def _verify(form: Form, value: Any, *, where: str, choices: Sequence[str]) -> Any:
    if form is Form.BOOLEAN:
        fits, expected = isinstance(value, bool), "true or false"
    elif form is Form.CHOICE:
        fits, expected = value in choices, f"one of {', '.join(choices)}"
    else:
        check, expected = _CHECKS[form]
        fits = isinstance(value, str) and check(value)
    if not fits:
        raise AttributeValueWrong(where=where, expected=expected)
    return value


def _is_text(text: str) -> bool:
    try:
        verify_line(text, limit=MAX_TEXT)
    except UnsafeText:
        return False
    return text == text.strip() and unicodedata.is_normalized("NFC", text)


def _is_date(text: str) -> bool:
    if _DATE.fullmatch(text) is None or not text.isascii():
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


_CHECKS: Final[dict[str, tuple[Callable[[str], bool], str]]] = {
    "text": (_is_text, f"one visible line of at most {MAX_TEXT} characters, in NFC"),
    "date": (_is_date, "a day: 2026-11-21"),
    "number": (_is_number, "1 to 40 letters and digits without separators"),
}


def _mask_number(text: str) -> str:
    shown = text[-_KEPT:] if len(text) >= 2 * _KEPT else ""
    return "*" * (len(text) - len(shown)) + shown


_MASKS: Final[Mapping[Form, Callable[[Any], Any]]] = {
    Form.TEXT: mask_name,
    Form.DATE: lambda text: f"{text[:4]}-**-**",
    Form.NUMBER: _mask_number,
    Form.BOOLEAN: lambda value: value,
    Form.CHOICE: lambda value: value,
    Form.RECORD: lambda _: {},
}
