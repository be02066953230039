"""Server-sent events, however their bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client.event_stream import EVENT_LIMIT, EventReader
from inkan.client.exchange import AnswerTooLarge

STREAM = (
    b": a comment\n\n"
    b"event: state\ndata: one\n\n"
    b"data:two\r\ndata: lines\r\n\r\n"
    b"id: 7\rdata: three\r\r"
    b"data\n\n"
    b"retry: 5\n\n"
    b"data: unfinished"
)
EVENTS = [b"one", b"two\nlines", b"three", b""]


def read(chunks) -> list[bytes]:
    reader = EventReader()
    return [data for chunk in chunks for data in reader.feed(chunk)]


def test_events_are_read_by_the_rules():
    assert read([STREAM]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_it_does_not_matter_where_the_bytes_are_cut(cuts):
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[start:end] for start, end in pairwise(edges)]
    assert read(chunks) == read([STREAM])


@pytest.mark.parametrize("line", [b"data: ", b""])
def test_an_endless_event_is_refused(line):
    chunk = line + b"x" * 1000 + (b"\n" if line else b"")
    with pytest.raises(AnswerTooLarge):
        read([chunk] * (EVENT_LIMIT // 1000 + 2))


@given(st.binary(max_size=200))
def test_no_bytes_are_a_problem(data):
    EventReader().feed(data)
