"""Strict reading: one value or one clear refusal, never an echo of what was sent."""

import json
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import InkanError, Malformed, TooLarge
from inkan.web.input import (
    DEPTH_LIMIT,
    MediaTypeRefused,
    NameRepeated,
    check_media_type,
    decode,
    decode_form,
    find_form_field,
    is_local_path,
)


class Colour(StrEnum):
    RED = "red"


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    size: int
    colour: Colour = Colour.RED
    word: Annotated[str, msgspec.Meta(pattern="^[a-z]*$")] = ""
    counts: dict[str, int] = {}


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    parts: list[Part] = []
    data: bytes = b""
    free: Any = None


def test_a_body_becomes_its_type() -> None:
    order = decode(b'{"name": "a", "parts": [{"size": 3}], "data": "AAE="}', Order)
    assert order == Order("a", [Part(3)], b"\x00\x01")


@pytest.mark.parametrize(
    ("body", "pointer", "expected"),
    [
        (b'{"name": 1}', "/name", "str, got int"),
        (b'{"name": "a", "parts": [{"size": "3"}]}', "/parts/0/size", "int, got str"),
        (b'{"name": "a", "parts": [{"size": 1.5}]}', "/parts/0/size", "int, got float"),
        (b'{"parts": []}', "", "Object missing required field name"),
        (b'{"name": "a", "parts": [{}]}', "/parts/0", "Object missing required field size"),
        (b"[1]", "", "object, got array"),
        (b'{"name": "a", "extra": 1}', "/extra", "no such member"),
        (b'{"name": "a", "Extra": 1}', "/*", "no such member"),
        (b'{"name": "a", "parts": [{"size": 1, "counts": {"SECRET": "x"}}]}', "/parts/0/counts/*", "int, got str"),
        (b'{"name": "a", "parts": [{"size": 1, "colour": "SECRET"}]}', "/parts/0/colour", "an allowed value"),
        (b'{"name": "a", "parts": [{"size": 1, "word": "SECRET"}]}', "/parts/0/word", "str matching regex '^[a-z]*$'"),
        (b'{"name": "a", "data": "SECRET*"}', "/data", "Invalid base64 encoded string"),
    ],
)  # fmt: skip
def test_a_fault_names_its_place_and_never_its_value(
    body: bytes, pointer: str, expected: str
) -> None:
    with pytest.raises(Malformed) as refused:
        decode(body, Order)
    assert refused.value.facts == {"where": pointer, "expected": expected}
    assert "SECRET" not in repr(refused.value.facts) + refused.value.detail + str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b'{"name": "a"}x',
        b'{"name": NaN}',
        b"\xff\xfe",
        b'\xef\xbb\xbf{"name": "a"}',
        '{"name": "a"}'.encode("utf-16"),
        b'{"name": "\\ud800"}',
        b'{"name": "a", "free": ' + b"9" * 5_000 + b"}",
        b"'name'",
    ],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(body, Order)


@pytest.mark.parametrize(
    "body",
    [b'{"name": "a", "name": "b"}', b'{"name": "a", "free": [{"x": {"y": 1, "\\u0079": 2}}]}'],
)
def test_a_name_that_stands_twice_is_refused(body: bytes) -> None:
    with pytest.raises(NameRepeated):
        decode(body, Order)


def test_nothing_of_an_oversized_body_is_parsed() -> None:
    with pytest.raises(TooLarge) as refused:
        decode(b"{" * 101, Order, limit=100)
    assert refused.value.public_facts == {"limit_bytes": 100}


@pytest.mark.parametrize("depth", [DEPTH_LIMIT - 1, DEPTH_LIMIT, 500, 8_000])
def test_nesting_ends(depth: int) -> None:
    body = b'{"name": "a", "free": ' + b"[" * depth + b"]" * depth + b"}"
    if depth < DEPTH_LIMIT:
        assert decode(body, Order).free is not None
        return
    with pytest.raises(Malformed) as refused:
        decode(body, Order)
    assert refused.value.facts["expected"] == "at most 32 levels"


def test_brackets_in_text_are_no_nesting() -> None:
    text = "[{" * 200 + '\\"]'
    assert decode(json.dumps({"name": text}).encode(), Order).name == text


@given(st.binary(max_size=400) | st.text(alphabet='{}[]":,\\a1e.- ', max_size=200).map(str.encode))
def test_a_decoder_raises_refusals_only(body: bytes) -> None:
    for read in (decode, decode_form):
        with suppress(InkanError):
            read(body, Order)


@given(st.binary(max_size=300))
def test_random_bytes_find_no_field(body: bytes) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=b", None, ";"):
        assert find_form_field(b"x=" + body, kind, "no-such-name") is None


# --- forms ------------------------------------------------------------------------------------------


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    count: int = 0
    choices: list[str] = []


def test_a_form_becomes_its_type() -> None:
    body = b"name=%E5%8D%B0%E9%91%91&count=3&choices=a&choices=b&csrf_token=x"
    assert decode_form(body, Form) == Form("印鑑", 3, ["a", "b"])


@pytest.mark.parametrize(
    "body",
    [b"name=a&count=x", b"count=1", b"name=%ff", b"name=a&other=b", b"a" * 20, "name=印".encode(), b"&".join([b"a=b"] * 65)],
)  # fmt: skip
def test_a_wrong_form_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        decode_form(body, Form)


def test_a_field_that_stands_twice_is_refused() -> None:
    with pytest.raises(NameRepeated):
        decode_form(b"name=a&name=b", Form)


def test_an_oversized_form_is_refused() -> None:
    with pytest.raises(TooLarge):
        decode_form(b"name=abc", Form, limit=7)


MULTIPART = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
    b"Content-Type: application/pdf\r\n\r\n\x00\xff\r\n"
    b'--b\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nTOKEN\r\n--b--\r\n'
)


@pytest.mark.parametrize(
    ("body", "kind", "found"),
    [
        (b"a=1&csrf_token=TOKEN", "application/x-www-form-urlencoded", "TOKEN"),
        (b"a=1&csrf_token=TOKEN", "text/plain", None),
        (b"a=1", "application/x-www-form-urlencoded; charset=utf-8", None),
        (b"\xff", "application/x-www-form-urlencoded", None),
        (MULTIPART, "multipart/form-data; boundary=b", "TOKEN"),
        (MULTIPART, 'Multipart/Form-Data; boundary="b"', "TOKEN"),
        (MULTIPART, "multipart/form-data; boundary=c", None),
        (MULTIPART, "multipart/form-data", None),
        (MULTIPART, None, None),
    ],
)
def test_one_field_of_either_form(body: bytes, kind: str | None, found: str | None) -> None:
    assert find_form_field(body, kind, "csrf_token") == found


@pytest.mark.parametrize(
    ("declared", "fits"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ("application/json; charset=latin-1", False),
        ("application/json; a=b", False),
        ("text/plain", False),
        ("application/jsonp", False),
        ("", False),
        (None, False),
    ],
)
def test_the_declared_type_is_the_expected_one(declared: str | None, fits: bool) -> None:
    if fits:
        check_media_type(declared, "application/json")
        return
    with pytest.raises(MediaTypeRefused) as refused:
        check_media_type(declared, "application/json")
    assert refused.value.public_facts == {"expected": "application/json"}


# --- local paths (threat 17) ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/a/b?c=d&e=%2F", "/phones/ph_2", "/a//b", "/~x", "/?next=/y"]
)
def test_a_path_of_this_site(path: str) -> None:
    assert is_local_path(path)


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a/b", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\\/evil.example",
        "https://evil.example", "http:evil.example", "HTTPS://evil.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)",
        "data:text/html,x", "vbscript:x", "mailto:a@b", " //evil.example", "/ /evil", "\t//evil.example", "/\t/evil.example",
        "/\n/evil.example", "/\r/evil.example", "\x00/", "/\x00", "/a\x7f", "//user@evil.example", "//evil.example:443",
        "//%65vil.example", "/a\\b", "/a#b", "#", "?a", ".", "..", "./a", "../a", "/é", "/．．/", "/\u2028", "/a b",
        "/a<b", '/a"b', "/" + "a" * 2000,
    ],
)  # fmt: skip
def test_a_path_that_could_leave(text: str) -> None:
    assert not is_local_path(text)
