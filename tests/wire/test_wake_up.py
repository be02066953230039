"""The message of a push: a handle and nothing else."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import InkanError
from inkan.wire.wake_up import (
    HANDLE_LIMIT,
    PADDED,
    WakeUpMalformed,
    is_handle,
    parse_wake_up,
    wake_up_bytes,
)

HANDLES = st.from_regex(r"[A-Za-z0-9_-]{16,64}", fullmatch=True)


@given(handle=HANDLES)
def test_a_handle_is_read_as_it_was_written(handle: str) -> None:
    data = wake_up_bytes(handle)
    assert data == b'{"h":"%s"}' % handle.encode()
    assert parse_wake_up(data) == handle


def test_the_longest_handle_fits_into_the_padding() -> None:
    assert len(wake_up_bytes("h" * HANDLE_LIMIT)) < PADDED


@pytest.mark.parametrize(
    "text", ["", "a" * 15, "a" * 65, "a" * 15 + "é", "a b" * 8, "a" * 16 + "\n"]
)
def test_what_is_no_handle_is_not_sent(text: str) -> None:
    assert not is_handle(text)
    with pytest.raises(ValueError, match="handle"):
        wake_up_bytes(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"h":1}',
        b'{"h":"short"}',
        b'{"h":"aaaaaaaaaaaaaaaa","who":"chen"}',
        b' {"h":"aaaaaaaaaaaaaaaa"}',
        b'{"h":"bbbbbbbbbbbbbbbb","h":"aaaaaaaaaaaaaaaa"}',
    ],
)
def test_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(WakeUpMalformed):
        parse_wake_up(data)


@given(data=st.binary(max_size=200))
def test_random_bytes_bring_out_refusals_only(data: bytes) -> None:
    with contextlib.suppress(InkanError):
        parse_wake_up(data)
