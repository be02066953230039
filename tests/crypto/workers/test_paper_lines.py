"""Where lines break: no text is lost, none is too wide, and marks stay where they belong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.workers.paper_lines import break_lines


def measure(text: str) -> float:
    """Two for an ideograph, one for a letter."""
    return sum(1 if ord(each) < 0x2000 else 2 for each in text)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("東京都千代田区", ["東京都千代", "田区"]),
        # A full stop never begins a line, an opening bracket never ends one.
        ("東京都千代。田区", ["東京都千", "代。田区"]),
        ("東京都千（代田区）", ["東京都千", "（代田区）"]),
        ("ハンコーを押す", ["ハンコーを", "押す"]),
        ("ああああコーヒー", ["ああああ", "コーヒー"]),
        ("one two three", ["one two", "three"]),
        ("one\ntwo", ["one", "two"]),
        ("abcdefghijklm", ["abcdefghij", "klm"]),
        ("東京 Tokyo 都", ["東京 Tokyo", "都"]),
    ],
)
def test_lines(text: str, lines: list[str]) -> None:
    assert break_lines(text, 10, measure) == lines


@given(st.text(st.sampled_from("東京、。（）ーab,( \n"), max_size=60), st.integers(8, 30))
def test_nothing_is_lost_but_blanks_and_nothing_is_too_wide(text: str, width: int) -> None:
    lines = break_lines(text, width, measure)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(measure(line) <= width for line in lines)
