"""What an answer says of the caller's rate, and what says nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client.rates import RateLeft, read_rates, retry_after_s

DATE = "Sun, 22 Nov 2026 06:00:00 GMT"


@pytest.mark.parametrize(
    ("field", "rates"),
    [
        ('"sessions";r=5;t=60', [RateLeft("sessions", 5, 60)]),
        ('"sessions";t=60;r=0', [RateLeft("sessions", 0, 60)]),
        ('"sessions";r=5', [RateLeft("sessions", 5, None)]),
        ('"a";r=1;t=2, "b" ; r=3 ; t=4', [RateLeft("a", 1, 2), RateLeft("b", 3, 4)]),
        ('"a";r=1;pk=:AAAA:;t=2', [RateLeft("a", 1, 2)]),
        ('"a";t=2', []),
        ('"a";xr=1;t=2', []),
        ("a;r=1", []),
        ('"a";r=-1', []),
        ('"a";r=99999999999', []),
        ("", []),
    ],
)
def test_rates_are_read(field: str, rates: list[RateLeft]):
    assert read_rates({"ratelimit": field}) == rates


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1.5"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": "Sun, 22 Nov 2026 06:01:00 GMT", "date": DATE}, 60),
        ({"retry-after": "Sun, 22 Nov 2026 05:59:00 GMT", "date": DATE}, 0),
        ({"retry-after": "Sun, 22 Nov 2026 06:01:00 GMT"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 06:01:00", "date": DATE}, None),
        ({"ratelimit": '"a";r=0;t=4, "b";r=0;t=9, "c";r=1;t=60'}, 9),
        ({"ratelimit": '"a";r=0'}, None),
        ({"retry-after": "2", "ratelimit": '"a";r=0;t=9'}, 2),
        ({}, None),
    ],
)
def test_when_to_come_back(headers: dict[str, str], seconds: int | None):
    assert retry_after_s(headers) == seconds


@given(st.text(max_size=200), st.text(max_size=60), st.text(max_size=60))
def test_nothing_but_a_number_or_nothing_comes_out(rate: str, retry: str, date: str):
    found = retry_after_s({"ratelimit": rate, "retry-after": retry, "date": date})
    assert found is None or found >= 0
