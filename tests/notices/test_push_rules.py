"""What the answers of push services mean, and when they ask to be left alone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.notices import Outcome
from inkan.notices.rules import is_push_host, outcome_of, push_origin, read_retry_after

NOW = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((200, 201, 202, 204), Outcome.ACCEPTED),
        ((404, 410), Outcome.GONE),
        ((408, 425, 429, 500, 502, 503, 504, 599), Outcome.LATER),
        ((300, 301, 302, 304, 307, 308, 400, 401, 403, 405, 411, 413, 415, 422), Outcome.REFUSED),
    ],
)
def test_a_status_has_one_meaning(statuses: tuple[int, ...], outcome: Outcome) -> None:
    assert {outcome_of(each, asks_to_wait=False) for each in statuses} == {outcome}


def test_too_large_passes_only_if_the_service_says_when() -> None:
    assert outcome_of(413, asks_to_wait=True) is Outcome.LATER


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("120", 120),
        (" 0 ", 0),
        ("-5", None),
        ("1.5", None),
        ("１２", None),
        ("9999999999", None),
        ("Wed, 01 Apr 2026 01:02:00 GMT", 120),
        ("Wed, 01 Apr 2026 00:00:00 GMT", 0),
        ("Wed, 01 Apr 2026 01:02:00", 120),
        ("soon", None),
    ],
)
def test_a_retry_after_is_read(value: str | None, seconds: int | None) -> None:
    assert read_retry_after(value, NOW) == seconds


@given(
    value=st.text(max_size=60)
    | st.from_regex(r"\w{3}, \d\d \w{3} \d{1,6} \d\d:\d\d:\d\d [+-]\d{4}")
)
def test_any_retry_after_is_seconds_or_nothing(value: str) -> None:
    seconds = read_retry_after(value, NOW)
    assert seconds is None or seconds >= 0
    if seconds is not None:
        assert timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("endpoint", "hosts", "admitted"),
    [
        ("https://push.example.com/x", (), True),
        ("https://push.example.com/x", ("push.example.com",), True),
        ("https://push.example.com:8443/x", ("push.example.com",), True),
        ("https://push.example.com/x", (".example.com",), True),
        ("https://example.com/x", (".example.com",), False),
        ("https://notexample.com/x", (".example.com", "example.com"), False),
        ("https://example.com.evil.example/x", (".example.com", "example.com"), False),
        ("https://evil.example/.example.com", (".example.com",), False),
        ("https://evil.example/?push.example.com", ("push.example.com",), False),
    ],
)
def test_a_host_is_on_the_list_by_its_whole_name(
    endpoint: str, hosts: tuple[str, ...], admitted: bool
) -> None:
    assert is_push_host(endpoint, hosts) is admitted


@pytest.mark.parametrize(
    ("endpoint", "origin"),
    [
        ("https://push.example.com/a?b=c", "https://push.example.com"),
        ("https://push.example.com:443/a", "https://push.example.com"),
        ("https://push.example.com:8443/a", "https://push.example.com:8443"),
        ("http://push.localhost:8080/a", "http://push.localhost:8080"),
    ],
)
def test_the_audience_is_the_origin(endpoint: str, origin: str) -> None:
    assert push_origin(endpoint) == origin
