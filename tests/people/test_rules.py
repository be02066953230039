"""Names, free texts and eligibility."""

import unicodedata
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import NationalIDMalformed, Residence, parse_national_id
from inkan.people import (
    IdentityMalformed,
    MyNumberRefused,
    NotEligible,
    RevealReasonRefused,
    new_identity,
    verify_eligible,
    verify_free_text,
)
from inkan.people.rules import MAX_NAME, MAX_REASON, verify_reason
from inkan.schemes import get_scheme
from people.persons import identity

TAIWAN = get_scheme("tw-citizen")
NATIONAL_ID = parse_national_id("A123456789")
BIRTH = date(2008, 4, 2)

# One My Number in the spellings that people type.
MY_NUMBERS = [
    "123456789018",
    "番号は123456789018です",
    "１２３４５６７８９０１８",
    "(123456789018)",
]


@pytest.mark.parametrize(
    "name", ["王小明", "陳", "山田 太郎", "Nguyễn Văn A", "𠮷田", "O'Neil-Smith"]
)
def test_names_as_registers_spell_them(name: str) -> None:
    assert identity(name=name).name.reveal() == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " 王小明",
        "王小明\n",
        "王\u202e小明",
        "王\u200b小明",
        "王\x00小明",
        "王\u2028小明",
        unicodedata.normalize("NFD", "Nguyễn"),
        "明" * (MAX_NAME + 1),
    ],
)
def test_other_names_are_refused_and_not_repaired(name: str) -> None:
    with pytest.raises(IdentityMalformed) as refused:
        identity(name=name)
    assert refused.value.public_facts == {"where": "name"}


@given(st.text(max_size=120))
def test_any_text_is_a_name_as_it_is_or_a_refusal(text: str) -> None:
    try:
        found = new_identity(name=text, birth_date=BIRTH, national_id=NATIONAL_ID)
    except InkanError:
        return
    assert found.name.reveal() == text


def test_nobody_was_born_before_1880() -> None:
    with pytest.raises(IdentityMalformed):
        identity(birth_date=date(1879, 12, 31))
    assert identity(birth_date=date(1880, 1, 1)).birth_date.year == 1880


@pytest.mark.req("WAT-62")
@pytest.mark.parametrize("text", MY_NUMBERS)
def test_a_my_number_is_refused_in_free_texts(text: str) -> None:
    with pytest.raises(MyNumberRefused) as refused:
        verify_free_text(text, where="note")
    assert refused.value.public_facts == {"where": "note"}
    assert "123456789018" not in unicodedata.normalize("NFKC", f"{refused.value!r} {refused.value}")
    with pytest.raises(MyNumberRefused):
        verify_reason(text)
    with pytest.raises(MyNumberRefused):
        identity(name=text)


@pytest.mark.parametrize("text", ["123456789010", "12345678901", "2026-04-01", "call 0912345678"])
def test_other_numbers_are_no_my_number(text: str) -> None:
    assert verify_free_text(text, where="note") == text


@pytest.mark.parametrize("reason", ["", "  \n", "x" * (MAX_REASON + 1)])
def test_a_reason_is_needed(reason: str) -> None:
    with pytest.raises(RevealReasonRefused):
        verify_reason(reason)


def test_a_reason_may_be_long() -> None:
    assert verify_reason("x" * MAX_REASON) == "x" * MAX_REASON


@pytest.mark.req("TW-08")
@pytest.mark.parametrize(
    ("now", "eligible"),
    [
        # Eighteen on 2 April 2026, which begins in Taipei at 16:00 UTC of the day before.
        (datetime(2026, 4, 1, 15, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 4, 1, 16, 0, 0, tzinfo=UTC), True),
    ],
)
def test_eighteen_years_are_completed_on_the_local_day(now: datetime, *, eligible: bool) -> None:
    person = identity(birth_date=BIRTH)
    if eligible:
        verify_eligible(TAIWAN, person, now=now)
    else:
        with pytest.raises(NotEligible) as refused:
            verify_eligible(TAIWAN, person, now=now)
        assert refused.value.public_facts == {"rule": "age"}


@pytest.mark.req("TW-08")
def test_who_was_born_on_29_february_is_eighteen_on_1_march() -> None:
    person = identity(birth_date=date(2008, 2, 29))
    with pytest.raises(NotEligible):
        verify_eligible(TAIWAN, person, now=datetime(2026, 2, 28, 12, tzinfo=UTC))
    verify_eligible(TAIWAN, person, now=datetime(2026, 3, 1, 12, tzinfo=UTC))


@pytest.mark.req("TW-08")
@pytest.mark.parametrize("prefix", ["A12345678", "A80000001", "TD0025112"])
def test_nationals_and_residents_are_eligible(prefix: str) -> None:
    verify_eligible(TAIWAN, identity(prefix=prefix), now=datetime(2026, 4, 1, tzinfo=UTC))


def test_a_scheme_for_nationals_refuses_residents() -> None:
    eligibility = msgspec.structs.replace(TAIWAN.eligibility, residences=(Residence.NATIONAL,))
    scheme = msgspec.structs.replace(TAIWAN, eligibility=eligibility)
    with pytest.raises(NotEligible) as refused:
        verify_eligible(scheme, identity(prefix="A80000001"), now=datetime(2026, 4, 1, tzinfo=UTC))
    assert refused.value.public_facts == {"rule": "residence"}


@pytest.mark.req("TW-44")
@pytest.mark.parametrize(
    "text", ["A1234567890", "a123456789", "Ａ123456789", "A12345678", "A123456788"]
)
def test_a_typed_number_has_ten_characters_in_one_form(text: str) -> None:
    with pytest.raises(NationalIDMalformed):
        parse_national_id(text)
