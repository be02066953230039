"""Serial numbers as people type them: every way to write one is forgiven, nothing else is taken for one."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.serial_numbers import SerialNumberMalformed, parse_typed_serial, show_serial

serials = st.integers(1, 2**160 - 1).map(lambda number: f"{number:x}")


@pytest.mark.parametrize(
    "typed",
    [
        "75bcd15",
        "07:5B:CD:15",
        "07 5b cd 15",
        "07-5B-CD-15",
        "0x075bcd15",
        "0X 07 5B CD 15",
        "  00075bcd15\n",
        "０７５ＢＣＤ１５",
        "０７：５ｂ：ｃｄ：１５",
        "0７　5b cd 15",
    ],
)
def test_every_way_to_write_it_is_one_number(typed: str) -> None:
    assert parse_typed_serial(typed) == "75bcd15"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "0",
        "00:00",
        "xyz",
        "0x",
        "12g4",
        "12.34",
        "½",
        "Ⅻ",
        "١٢",
        "1" * 41,
        "1" * 201,
        "-",
        "0x0x12",
        "ﬀﬁ",
    ],
)
def test_nothing_else_is_a_number(typed: str) -> None:
    with pytest.raises(SerialNumberMalformed):
        parse_typed_serial(typed)


@given(serials)
def test_what_is_shown_can_be_typed(serial: str) -> None:
    shown = show_serial(serial)
    assert parse_typed_serial(shown) == serial
    assert all(len(pair) == 2 for pair in shown.split(":"))


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_a_refusal(typed: str) -> None:
    with contextlib.suppress(SerialNumberMalformed):
        assert int(parse_typed_serial(typed), 16) > 0
