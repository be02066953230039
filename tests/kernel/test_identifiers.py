"""National identifiers: one canonical form each, check digits, masks."""

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from inkan.kernel import identifiers
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import (
    BusinessNumberMalformed,
    NationalID,
    NationalIDMalformed,
    Residence,
)

# The published table of the first letter's number; the code derives it from the order of the letters.
LETTERS = {
    "A": 10, "B": 11, "C": 12, "D": 13, "E": 14, "F": 15, "G": 16, "H": 17, "I": 34, "J": 18, "K": 19, "L": 20, "M": 21,
    "N": 22, "O": 35, "P": 23, "Q": 24, "R": 25, "S": 26, "T": 27, "U": 28, "V": 29, "W": 32, "X": 30, "Y": 31, "Z": 33,
}  # fmt: skip

prefixes = st.from_regex(r"\A[A-Z][1289A-D][0-9]{7}\Z")


def check_digit(prefix: str) -> str:
    """The check digit as the ministry describes it, written down a second time."""
    second = prefix[1] if prefix[1].isdigit() else str(LETTERS[prefix[1]])[1]
    digits = f"{LETTERS[prefix[0]]}{second}{prefix[2:]}"
    total = int(digits[0]) + sum(
        int(d) * w for d, w in zip(digits[1:], range(9, 0, -1), strict=True)
    )
    return str((10 - total % 10) % 10)


@pytest.mark.req("TW-08", "TW-44")
@pytest.mark.parametrize(
    ("text", "residence"),
    [
        ("A123456789", Residence.NATIONAL),
        ("F231234570", Residence.NATIONAL),
        ("A800000014", Residence.RESIDENT),
        ("FA12345689", Residence.RESIDENT),
    ],
)
def test_every_format_is_read(text: str, residence: Residence) -> None:
    found = identifiers.parse_national_id(text)
    assert found.reveal() == text
    assert found.residence is residence


@given(prefixes)
def test_the_check_digit_is_the_published_one(prefix: str) -> None:
    digit = check_digit(prefix)
    assert identifiers.national_id_check_digit(prefix) == digit
    assert identifiers.parse_national_id(f"{prefix}{digit}").reveal() == f"{prefix}{digit}"


@given(prefixes, st.integers(1, 9))
def test_a_wrong_check_digit_is_refused(prefix: str, shift: int) -> None:
    wrong = (int(check_digit(prefix)) + shift) % 10
    with pytest.raises(NationalIDMalformed):
        identifiers.parse_national_id(f"{prefix}{wrong}")


@pytest.mark.req("TW-44")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "A12345678",
        "A1234567890",
        "a123456789",
        " A123456789",
        "A123456789\n",
        "Ａ123456789",
        "A12345678９",
        "A１23456789",
        "A323456789",
        "AE23456789",
        "1123456789",
        "A123456789\x00",
    ],
)
def test_only_the_canonical_form_is_read(text: str) -> None:
    with pytest.raises(NationalIDMalformed) as refused:
        identifiers.parse_national_id(text)
    assert text.strip() == "" or text not in str(refused.value)


@pytest.mark.parametrize(
    "typed", ["a123456789", " A123456789 ", "Ａ１２３４５６７８９", "a123456789\n"]
)
def test_what_a_hand_types_is_canonicalised(typed: str) -> None:
    assert identifiers.parse_typed_national_id(typed).reveal() == "A123456789"


@pytest.mark.parametrize("typed", ["ı123456789", "A12 3456789", "A-123456789", "A123456788", ""])
def test_what_no_slip_of_the_hand_explains_is_refused(typed: str) -> None:
    with pytest.raises(NationalIDMalformed):
        identifiers.parse_typed_national_id(typed)


@given(st.text(max_size=12))
@example("A123456789")
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = identifiers.parse_national_id(text)
    except InkanError:
        return
    # One person is reachable by exactly one stored form.
    assert found.reveal() == text == unicodedata.normalize("NFKC", text)


@pytest.mark.req("HCA-48")
def test_an_identifier_shows_itself_masked_only() -> None:
    found = identifiers.parse_national_id("A123456789")
    assert found.masked == "A1******89"
    assert repr(found) == "<NationalID>"
    with pytest.raises(TypeError):
        str(found)
    assert found == NationalID("A123456789")


@pytest.mark.req("HCA-48")
@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("王小明", "王○明"),
        ("王明", "王○"),
        ("歐陽小明", "歐○○明"),
        ("王", "○"),
        ("", "○"),
        ("Ana", "A○a"),
    ],
)
def test_a_masked_name(name: str, masked: str) -> None:
    assert identifiers.mask_name(name) == masked


@pytest.mark.req("WAT-62")
@pytest.mark.parametrize("number", ["123456789018", "023456789013"])
def test_a_my_number_is_recognised(number: str) -> None:
    assert identifiers.is_my_number(number)
    assert identifiers.holds_my_number(f"番号は{number}です")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12345678901",
        "1234567890180",
        "12345678901x",
        "１２３４５６７８９０１８",
        "-23456789018",
    ],
)
def test_what_is_no_my_number(text: str) -> None:
    assert not identifiers.is_my_number(text)


@given(st.from_regex(r"\A[0-9]{11}\Z"))
def test_eleven_digits_have_exactly_one_check_digit(digits: str) -> None:
    fitting = [d for d in "0123456789" if identifiers.is_my_number(f"{digits}{d}")]
    assert len(fitting) == 1


@given(st.from_regex(r"\A[0-9]{11}\Z"), st.integers(0, 11), st.integers(1, 9))
def test_a_single_wrong_digit_of_a_my_number_shows(digits: str, place: int, shift: int) -> None:
    check = next(d for d in "0123456789" if identifiers.is_my_number(f"{digits}{d}"))
    # Two remainders share the check digit 0: a slip between those two stays hidden.
    assume(check != "0")
    number = f"{digits}{check}"
    wrong = f"{number[:place]}{(int(number[place]) + shift) % 10}{number[place + 1 :]}"
    assert not identifiers.is_my_number(wrong)


@pytest.mark.req("WAT-62")
@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("１２３４５６７８９０１８", True),
        ("tel 123456789018, fax", True),
        ("123456789018", True),
        ("0123456789018", False),
        ("1234567890189", False),
        ("123456789012", False),
        ("1234 5678 9018", True),
        ("", False),
    ],
)
def test_a_free_text_is_searched_with_digits_folded(text: str, holds: bool) -> None:
    assert identifiers.holds_my_number(text) is holds


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("1234 5678 9018", True),
        ("番号：1234-5678-9018。", True),
        ("１２３４　５６７８　９０１８", True),
        ("1234\u20105678\u20109018", True),
        ("2 123456789018", True),
        ("123456789018 2", True),
        ("12345678-9018", True),
        ("1234 5678 9019", False),
        ("1234 5678 9018 1111", False),
        ("4111 1234 5678 9018", False),
        ("12345 678 9018", False),
        ("1234 5678 90189", False),
    ],
)
def test_a_number_in_printed_groups_is_found_and_a_longer_one_is_none(
    text: str, holds: bool
) -> None:
    assert identifiers.holds_my_number(text) is holds


@given(st.text(max_size=80))
def test_any_free_text_gets_an_answer(text: str) -> None:
    assert identifiers.holds_my_number(text) in {True, False}


@pytest.mark.parametrize("number", ["04595257", "10458575", "10458574", "53212539"])
def test_a_business_number_is_read(number: str) -> None:
    assert identifiers.parse_business_number(number) == number


@pytest.mark.parametrize(
    "number", ["04595258", "10458576", "0459525", "045952570", "０4595257", "04595257\n", ""]
)
def test_a_wrong_business_number_is_refused(number: str) -> None:
    with pytest.raises(BusinessNumberMalformed):
        identifiers.parse_business_number(number)


@given(st.text(max_size=10) | st.from_regex(r"\A[0-9]{8}\Z"))
def test_any_text_is_a_business_number_or_refused(text: str) -> None:
    try:
        found = identifiers.parse_business_number(text)
    except InkanError:
        return
    assert found == text
    assert len(text) == 8
    assert text.isascii()
    assert text.isdigit()
