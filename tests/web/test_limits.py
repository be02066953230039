"""Rates: so many at once, regained evenly, forgotten only in the sender's favour."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.web.limits import RateExceeded, RateLimit, RateWindows

LIMIT = RateLimit(name="sessions", requests=3, window=timedelta(seconds=30))


def test_so_many_at_once_then_one_by_one() -> None:
    windows = RateWindows()
    assert [windows.take(LIMIT, "a", now=100.0).remaining for _ in range(3)] == [2, 1, 0]
    with pytest.raises(RateExceeded) as refused:
        windows.take(LIMIT, "a", now=100.0)
    assert refused.value.public_facts == {"retry_after_s": 10}
    assert windows.take(LIMIT, "b", now=100.0).remaining == 2
    with pytest.raises(RateExceeded):
        windows.take(LIMIT, "a", now=109.9)
    assert windows.take(LIMIT, "a", now=110.0).remaining == 0
    assert windows.take(LIMIT, "a", now=500.0).remaining == 2


def test_a_refusal_costs_nothing() -> None:
    windows = RateWindows()
    for _ in range(3):
        windows.take(LIMIT, "a", now=0.0)
    for _ in range(20):
        with pytest.raises(RateExceeded):
            windows.take(LIMIT, "a", now=1.0)
    assert windows.take(LIMIT, "a", now=10.0).remaining == 0


def test_the_answer_tells_what_is_left() -> None:
    lines = dict(RateWindows().take(LIMIT, "a", now=0.0).headers())
    assert lines == {
        b"ratelimit-policy": b'"sessions";q=3;w=30',
        b"ratelimit": b'"sessions";r=2;t=10',
    }


def test_the_memory_is_bounded() -> None:
    windows = RateWindows(capacity=10)
    for _ in range(3):
        windows.take(LIMIT, "old", now=0.0)
    for number in range(50):
        windows.take(LIMIT, f"new{number}", now=1.0)
    assert len(windows) == 10
    assert windows.take(LIMIT, "old", now=1.0).remaining == 2


@given(
    st.lists(st.floats(min_value=0, max_value=20), min_size=1, max_size=60),
    st.integers(min_value=1, max_value=8),
)
def test_no_window_ever_holds_more_than_twice_the_rate(gaps: list[float], requests: int) -> None:
    limit = RateLimit(name="x", requests=requests, window=timedelta(seconds=10))
    windows = RateWindows()
    now = 0.0
    admitted: list[float] = []
    for gap in gaps:
        now += gap
        with suppress(RateExceeded):
            windows.take(limit, "a", now=now)
            admitted.append(now)
    for start in admitted:
        # A full bucket at once, and what one window gives back.
        assert sum(start <= moment < start + 10 for moment in admitted) <= 2 * requests
