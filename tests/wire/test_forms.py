"""The primitive forms: one spelling each, capped, and nothing invisible in what people read."""

import re
import typing
import unicodedata
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.kernel.clock import rfc3339
from inkan.wire import forms
from inkan.wire.forms import MomentMalformed, UnsafeText, parse_moment, verify_line
from inkan.wire.schema import schema

# Form in Python → definition in schemas/common.json.
DEFINITIONS = {
    "Identifier": "identifier",
    "Code": "code",
    "Reference": "reference",
    "Name": "name",
    "PhoneName": "phone_name",
    "Text": "text",
    "Domain": "domain",
    "Origin": "origin",
    "Issuer": "issuer",
    "Moment": "moment",
    "OpaqueID": "opaque_id",
    "UseCase": "use_case",
    "Bytes16": "bytes16",
    "Bytes32": "bytes32",
    "Challenge": "challenge",
    "Digest": "digest",
    "Blob": "blob",
}


def accepts(form: object, value: str) -> bool:
    try:
        msgspec.convert(value, form)
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", DEFINITIONS)
def test_parser_and_schema_declare_the_same_form(name: str) -> None:
    meta = typing.get_args(getattr(forms, name))[1]
    definition = schema("common")["$defs"][DEFINITIONS[name]]
    assert definition["pattern"] == meta.pattern.replace(r"\Z", "$")
    assert definition.get("minLength") == meta.min_length
    assert definition.get("maxLength") == meta.max_length


BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def is_unsafe(code_point: int) -> bool:
    return any(low <= code_point <= high for low, high in forms.UNSAFE_RANGES)


def test_names_hold_no_control_bidi_or_format_character() -> None:
    everything = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)
    refused = set(re.findall(f"[{forms.UNSAFE_CLASS}]", everything))
    assert refused == {character for character in everything if is_unsafe(ord(character))}
    assert f"[^{forms.UNSAFE_CLASS}]*" in typing.get_args(forms.Name)[1].pattern
    for character in everything:
        if unicodedata.category(character) in {"Cc", "Zl", "Zp"}:
            assert character in refused, ascii(character)
        if unicodedata.bidirectional(character) in BIDI_CONTROLS:
            assert character in refused, ascii(character)


# Format characters with a place in honest text: they are visible, or shape the letters beside them.
VISIBLE_FORMAT = {
    *range(0x0600, 0x0606),  # Arabic number signs
    0x06DD,  # Arabic end of ayah
    0x070F,  # Syriac abbreviation mark
    *(0x0890, 0x0891, 0x08E2),  # Arabic currency and verse marks
    *(0x110BD, 0x110CD),  # Kaithi number signs
    *range(0x13430, 0x13440),  # Egyptian hieroglyph joiners
}


def test_every_format_character_is_refused_or_visible() -> None:
    format_characters = {c for c in range(0x110000) if unicodedata.category(chr(c)) == "Cf"}
    assert {c for c in format_characters if not is_unsafe(c)} <= VISIBLE_FORMAT


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u3000",
        " 國稅局",
        "國稅局\n用途：登入",
        "國稅局\u2028",
        "cod.exe\u202efdp",
        "國\u200b稅局",
        "國稅局\ufeff",
        "國稅局\x00",
        "國稅局\U000e0041",
        "\u3164",
        "稅" * 201,
    ],
    ids=ascii,
)
def test_lines_that_could_deceive_are_refused(text: str) -> None:
    assert not accepts(forms.Name, text)
    with pytest.raises(UnsafeText) as refused:
        verify_line(text, where="/name")
    assert refused.value.public_facts["where"] == "/name"


@pytest.mark.parametrize("text", ["國稅局", "a", "稅" * 200, "渡邉\U000e0101", "A 社 (東京)", "①"])
def test_honest_lines_are_accepted(text: str) -> None:
    assert accepts(forms.Name, text)
    assert verify_line(text) is text


def test_a_line_has_the_limit_asked_for() -> None:
    assert verify_line("字" * 2000, limit=2000)
    with pytest.raises(UnsafeText):
        verify_line("字" * 2001, limit=2000)


@pytest.mark.parametrize(
    "origin",
    [
        "https://id.gov.tw",
        "https://xn--fiqs8s.tw:8443",
        "http://localhost",
        "http://id.localhost:8480",
        "http://127.0.0.1:8480",
        "https://a.b:4430",
    ],
)
def test_origins(origin: str) -> None:
    assert accepts(forms.Origin, origin)
    assert accepts(forms.Issuer, f"{origin}/realms/tw")


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "https://",
        "https://ID.gov.tw",
        "https://id.gov.tw/",
        "https://id.gov.tw\n",
        "https://id.gov.tw:443",
        "http://id.localhost:80",
        "https://id.gov.tw:0443",
        "https://user@id.gov.tw",
        "https://id.gov.tw#x",
        "https://id.gov.tw?x",
        "https://-id.gov.tw",
        "https://id..gov.tw",
        "https://id.gov.tw.",
        "https://國稅局.tw",
        "http://id.gov.tw",
        "http://localhost.evil.tw",
        "http://evillocalhost",
        "javascript://id.gov.tw",
        "https://" + "a." * 200 + "tw",
    ],
)
def test_what_is_no_origin(origin: str) -> None:
    assert not accepts(forms.Origin, origin)


@given(st.binary(max_size=80))
def test_base64url_forms_take_the_canonical_spelling_of_their_sizes(data: bytes) -> None:
    text = base64url.encode(data)
    assert accepts(forms.Bytes32, text) == (len(data) == 32)
    assert accepts(forms.Challenge, text) == (32 <= len(data) <= 64)
    assert accepts(forms.Blob, text) == (len(data) >= 1)


@given(st.text(alphabet="AQgwBZ_-=+/ \n", min_size=38, max_size=90))
def test_base64url_forms_take_nothing_else(text: str) -> None:
    try:
        size = len(base64url.decode(text))
    except base64url.Base64URLMalformed:
        size = -1
    assert accepts(forms.Bytes32, text) == (size == 32)
    assert accepts(forms.Challenge, text) == (32 <= size <= 64)
    assert accepts(forms.Blob, text) == (size >= 1)


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(1, 1, 1), max_value=datetime(9999, 1, 1)))  # fmt: skip
def test_moments_are_read_as_they_are_written(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    text = rfc3339(whole).zfill(20)
    assert parse_moment(text) == whole
    assert accepts(forms.Moment, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-11-21",
        "2026-11-21T22:55:04",
        "2026-11-21T22:55:04+00:00",
        "2026-11-21t22:55:04z",
        "2026-11-21 22:55:04Z",
        "2026-11-21T22:55:04.0Z",
        "2026-11-21T22:55:60Z",
        "2026-11-21T24:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-11-21T22:55:04Z\n",
        "２026-11-21T22:55:04Z",
    ],
)
def test_other_spellings_of_moments_are_refused(text: str) -> None:
    with pytest.raises(MomentMalformed):
        parse_moment(text)
