"""Guessable PINs: every kind is found, and what nobody would guess is let through (JPKI-30)."""

import secrets
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client.guessable_pins import TABLE, Guess, Known, PINGuessable, find, verify
from inkan.kernel.sensitive import Secret

BORN = date(1979, 5, 6)
KNOWN = Known(birth_date=BORN, numbers=("0123456789abcdef0123456789ab4071", "+886 2 2381-9054"))
GUESSED = {
    Guess.REPEATED: ("0000", "7777", "1212", "123123", "aaaaaa", "AbAbAb", "5555555555555555"),
    Guess.RUN: ("1234", "4321", "8901", "2109", "1357", "2468", "abc123", "Abc321", "111222"),
    Guess.KEYBOARD: ("2580", "0852", "7412", "1397", "qwerty", "QWERTY123", "1qaz2wsx", "147258"),
    Guess.FREQUENT: ("1004", "2001", "1122", "password", "Password1", "taiwan2026", "Dragon"),
    Guess.BIRTH_DATE: (
        *("1979", "0506", "0605", "7905", "0579", "7956", "5679", "19790506", "06051979"),
        *("Wu1979", "Wu790506", "x0506yz8", "6805", "0680506", "w680506q"),
        *("5405", "s540506", "S54056"),
    ),
    Guess.NUMBER: ("0912384756", "09012384756", "4071", "8862", "9054", "x2381905q"),
}
FREE = (
    "2705",
    "3907",
    "8603",
    "5182",
    "7416",
    "Kasumi2026",
    "Neu777",
    "Moon58k",
    "204886",
    "731954",
)


@pytest.mark.req("JPKI-30")
@pytest.mark.parametrize(
    ("guess", "pin"), [(g, pin) for g, pins in GUESSED.items() for pin in pins]
)
def test_each_kind_is_found(guess: Guess, pin: str) -> None:
    assert find(Secret(pin), KNOWN) is guess
    with pytest.raises(PINGuessable) as refused:
        verify(Secret(pin), KNOWN)
    assert refused.value.facts == {"guess": guess.value}
    # The page is not told what the person tried.
    assert refused.value.public == ()


@pytest.mark.parametrize("pin", FREE)
def test_what_nobody_would_guess_is_free(pin: str) -> None:
    verify(Secret(pin), KNOWN)


def test_every_kind_has_a_source_and_an_example() -> None:
    assert set(TABLE) == set(GUESSED) == set(Guess)
    assert all(row.source for row in TABLE.values())


@pytest.mark.parametrize("pin", [*GUESSED[Guess.BIRTH_DATE], "4071", "9054"])
def test_what_is_not_known_is_not_found(pin: str) -> None:
    assert find(Secret(pin)) is None


@pytest.mark.parametrize(
    ("born", "pins"),
    [
        (date(1989, 1, 7), ("s6417", "6401", "780107")),
        (date(1989, 1, 8), ("h0118", "0189", "h118")),
        (date(2019, 5, 1), ("r0151", "1080501", "0105")),
        (date(1911, 12, 31), ("m441231", "4412", "1911")),
        (date(2000, 2, 29), ("2902", "2902", "890229", "h12229")),
    ],
)
def test_the_first_and_last_days_of_eras(born: date, pins: tuple[str, ...]) -> None:
    for pin in pins:
        assert find(Secret(pin), Known(birth_date=born)) is Guess.BIRTH_DATE, pin


@pytest.mark.parametrize("pin", ["", "1", "１２３４", "²²²³", "1" * 17, "x" * 10_000, "ß" * 6])
def test_what_is_no_pin_is_answered_at_once(pin: str) -> None:
    find(Secret(pin), KNOWN)


@given(st.text(max_size=20), st.dates(), st.lists(st.text(max_size=40), max_size=3))
def test_any_text_is_judged(pin: str, born: date, numbers: list[str]) -> None:
    found = find(Secret(pin), Known(birth_date=born, numbers=tuple(numbers)))
    assert found is None or found in Guess


def test_few_of_all_pins_are_refused() -> None:
    """A thief has five tries: what is left must stay many."""
    refused = sum(find(Secret(f"{n:04}"), KNOWN) is not None for n in range(10_000))
    assert refused < 300
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    drawn = ("".join(secrets.choice(letters) for _ in range(8)) for _ in range(500))
    assert sum(find(Secret(pin), KNOWN) is not None for pin in drawn) < 25


def test_it_does_not_print() -> None:
    assert "1979" not in repr(KNOWN)
