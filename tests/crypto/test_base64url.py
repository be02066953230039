"""Base64url has one spelling for each byte string."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed


@given(st.binary(max_size=80))
def test_round_trip_agrees_with_the_standard_library(data: bytes) -> None:
    text = base64url.encode(data)
    assert text == base64.urlsafe_b64encode(data).decode().rstrip("=")
    assert base64url.decode(text) == data
    assert base64url.decode(text.encode()) == data


@pytest.mark.parametrize(
    "text",
    [
        "__5",  # unused bits that are not zero
        "AB",
        "__4=",
        "_w==",
        "__4\n",
        " __4",
        "_ _4",
        "//4",  # the other alphabet
        "++8",
        "A",  # no bytes have this length
        "AAAAA",
        "é",
        "\u2015",
        "AA\0A",
        "AA=A",
        "====",
    ],
)
def test_every_other_spelling_is_refused(text: str) -> None:
    with pytest.raises(Base64URLMalformed):
        base64url.decode(text)


@given(st.text(max_size=12) | st.text("AQgw-_+/= \n", max_size=12))
def test_a_text_decodes_only_if_it_is_the_spelling_of_its_bytes(text: str) -> None:
    try:
        data = base64url.decode(text)
    except Base64URLMalformed:
        return
    assert base64url.encode(data) == text


def test_the_size_is_checked_when_asked() -> None:
    assert base64url.decode("AAAA", size=3) == b"\0\0\0"
    with pytest.raises(Base64URLMalformed) as refused:
        base64url.decode("AAAA", size=4)
    assert refused.value.public_facts == {"expected": "4 bytes"}


@given(st.binary(max_size=12))
def test_bytes_that_are_no_text_are_refused(data: bytes) -> None:
    with contextlib.suppress(Base64URLMalformed):
        assert base64url.encode(base64url.decode(data)).encode() == data
