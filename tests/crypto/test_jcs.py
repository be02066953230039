"""Canonical JSON: the same bytes as another RFC 8785 implementation, and nothing that has two spellings."""

import enum
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import jcs
from inkan.crypto.jcs import JSONTooLarge, NotCanonical
from inkan.kernel.errors import InkanError

NAMES = st.text(st.characters(max_codepoint=0x7F), max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-jcs.MAX_INTEGER, jcs.MAX_INTEGER)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)


class Colour(enum.StrEnum):
    RED = "red"


class Stamp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    b: int
    a: str | None = None


class Holder(msgspec.Struct):
    value: Any


@given(VALUES)
def test_bytes_equal_those_of_another_implementation(value: Any) -> None:
    assert jcs.canonical(value) == rfc8785.dumps(value)


def test_every_character_of_the_basic_plane_is_written_alike() -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x10000), 0x1F58B, 0x10FFFF]))
    assert jcs.canonical({"text": text}) == rfc8785.dumps({"text": text})


@given(OBJECTS)
def test_what_was_written_is_read_back(value: dict[str, Any]) -> None:
    assert jcs.parse_canonical(jcs.canonical(value)) == value


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        float("nan"),
        2**53,
        -(2**53),
        {"名": 1},
        {1: 2},
        {Colour.RED: 1},
        "\ud800",
        ["\udfff"],
        {"a": "\udc00"},
        b"bytes",
        {1, 2},
        datetime(2026, 1, 1, tzinfo=UTC),
        Holder(b"bytes"),
        Holder([1.5]),
        Holder(datetime(2026, 1, 1, tzinfo=UTC)),
        object(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_without_canonical_form_are_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        jcs.canonical(value)


def test_structs_and_enums_stand_for_their_values() -> None:
    assert (
        jcs.canonical({"x": Colour.RED, "s": (Stamp(b=1),)})
        == b'{"s":[{"a":null,"b":1}],"x":"red"}'
    )


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',  # duplicate names, even with the same value
        b'{"a":1,"a":2}',
        b'{"b":1,"a":2}',  # order
        b'{"a": 1}',  # white space
        b'{"a":1}\n',
        b'\xef\xbb\xbf{"a":1}',  # byte order mark
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"a":-0}',
        b'{"a":01}',
        b'{"a":9007199254740992}',
        b'{"a":"\\u0041"}',  # another escape
        b'{"a":"\\/"}',
        b'{"a":"\\u001F"}',
        b'{"\\u0061":1}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":NaN}',
        '{"名":1}'.encode(),
        b"[]",
        b"null",
        b'"text"',
        b"",
        b"{",
        b'{"a":' * 17 + b"1" + b"}" * 17,
        b'{"a":' + b"[" * 8000 + b"]" * 8000 + b"}",
    ],
    ids=lambda data: repr(data[:30]),
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        jcs.parse_canonical(data)


def test_the_size_is_checked_before_anything_is_parsed() -> None:
    data = jcs.canonical({"a": "x" * 100})
    assert jcs.parse_canonical(data, limit=len(data))
    with pytest.raises(JSONTooLarge) as refused:
        jcs.parse_canonical(b"\xff" * 10, limit=9)
    assert refused.value.public_facts == {"limit_bytes": 9}


def test_a_struct_is_read_with_its_own_fields_only() -> None:
    assert jcs.parse_canonical_as(Stamp, b'{"a":"x","b":1}') == Stamp(b=1, a="x")
    for data in (b'{"a":"x","b":"1"}', b'{"a":"x","b":1,"c":2}', b'{"a":"x"}'):
        with pytest.raises(NotCanonical):
            jcs.parse_canonical_as(Stamp, data)


@given(st.binary(max_size=40) | OBJECTS.map(lambda value: json.dumps(value).encode()))
def test_a_parser_raises_only_refusals_and_accepts_one_spelling(data: bytes) -> None:
    try:
        value = jcs.parse_canonical(data)
    except InkanError:
        return
    assert rfc8785.dumps(value) == data
