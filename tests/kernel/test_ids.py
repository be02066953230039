"""Ids and randomness."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel import ids

prefixes = st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=4)


@given(prefixes)
def test_an_id_names_its_kind_and_carries_128_bits(prefix: str) -> None:
    made = ids.new_id(prefix)
    kind, _, tail = made.partition("_")
    assert kind == prefix
    assert len(base64.b32decode(f"{tail.upper()}======")) == 16
    assert ids.is_id(made, prefix)


def test_ids_do_not_repeat() -> None:
    assert len({ids.new_id("ap") for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ap",
        "ap_",
        "ap_" + "a" * 25,
        "ap_" + "a" * 27,
        "ap_" + "A" * 26,
        "ap_" + "1" * 26,
        "ps_" + "a" * 26,
        " ap_" + "a" * 26,
        "ap_" + "a" * 26 + "\n",
        "ap_" + "ａ" * 26,
    ],
)
def test_what_is_no_id(text: str) -> None:
    assert not ids.is_id(text, "ap")


@given(st.text(), prefixes)
def test_is_id_answers_any_text(text: str, prefix: str) -> None:
    assert ids.is_id(text, prefix) is (text.startswith(f"{prefix}_") and ids.is_id(text, prefix))


@given(st.integers(0, 64))
def test_random_bytes_have_the_length_asked_for(count: int) -> None:
    assert len(ids.random_bytes(count)) == count


@given(st.integers(1, 12))
def test_random_digits_keep_their_leading_zeros(count: int) -> None:
    drawn = ids.random_digits(count)
    assert len(drawn) == count
    assert drawn.isascii()
    assert drawn.isdigit()


def test_random_digits_reach_every_digit_in_every_place() -> None:
    # 2,000 draws leave one digit out of one place with a chance of 20 · 0.9^2000 < 10^-90.
    drawn = [ids.random_digits(2) for _ in range(2000)]
    assert {pair[0] for pair in drawn} == {pair[1] for pair in drawn} == set("0123456789")


@given(st.integers(1, 10**30))
def test_random_below_stays_below(limit: int) -> None:
    assert 0 <= ids.random_below(limit) < limit
