"""Distinguished names: RFC 5280's string types and bounds, and nothing invisible (threat 22)."""

import unicodedata

import pytest
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import names
from inkan.crypto.names import NameMalformed

PRINTABLE = {"C", "serialNumber"}


@pytest.mark.parametrize("short", names.ATTRIBUTES)
def test_each_attribute_has_the_string_type_of_the_rfc(short: str) -> None:
    text = "TW" if short == "C" else "A1 (b)"
    name = names.build_name([(short, text)])
    value = asn1_x509.Name.load(name.public_bytes()).chosen[0][0]["value"]
    kind = type(getattr(value, "chosen", value)).__name__
    assert kind == ("PrintableString" if short in PRINTABLE else "UTF8String")
    assert names.find_in_name(name, short) == text


def test_the_order_is_kept_and_each_attribute_stands_alone() -> None:
    name = names.build_name(
        [("C", "TW"), ("O", "財團法人"), ("CN", "陳筱玲"), ("serialNumber", "x1")]
    )
    assert [rdn.rfc4514_string() for rdn in name.rdns] == [
        "C=TW",
        "O=財團法人",
        "CN=陳筱玲",
        "2.5.4.5=x1",
    ]


@pytest.mark.parametrize("short", names.ATTRIBUTES)
def test_the_longest_value_passes_and_one_more_does_not(short: str) -> None:
    longest = names.ATTRIBUTES[short].longest
    assert names.build_name([(short, "A" * longest)])
    refuse(short, "A" * (longest + 1))


@pytest.mark.parametrize(
    ("short", "text"),
    [
        ("CN", ""),
        ("CN", " 陳"),
        ("CN", "陳 "),
        ("CN", "陳\u202e玲"),  # right-to-left override
        ("CN", "陳\u200b玲"),  # zero width
        ("CN", "\u2066陳"),
        ("CN", "陳\0"),
        ("CN", "陳\n玲"),
        ("CN", "a\u2028b"),
        ("CN", "\ud800"),
        ("CN", "\U000e0041"),  # tag character
        ("C", "tw"),
        ("C", "T"),
        ("C", "TWN"),
        ("serialNumber", "號"),
        ("serialNumber", "a_b"),
        ("serialNumber", "a*b"),
        ("emailAddress", "a@b"),
        ("", "x"),
    ],
)
def test_other_values_are_refused(short: str, text: str) -> None:
    refuse(short, text)


def refuse(short: str, text: str) -> None:
    with pytest.raises(NameMalformed) as refused:
        names.build_name([(short, text)])
    assert refused.value.public_facts == {"where": short}


def test_a_name_is_not_empty() -> None:
    with pytest.raises(NameMalformed):
        names.build_name([])


def test_an_attribute_that_stands_twice_is_not_found() -> None:
    twice = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text) for text in ("a", "b")])
    assert names.find_in_name(twice, "CN") is None
    assert names.find_in_name(twice, "O") is None


@given(st.sampled_from(sorted(names.ATTRIBUTES)), st.text(max_size=70))
def test_any_text_is_written_as_it_is_or_refused(short: str, text: str) -> None:
    try:
        name = names.build_name([(short, text)])
    except NameMalformed:
        return
    assert names.find_in_name(name, short) == text
    assert not {unicodedata.category(character) for character in text} & {"Cc", "Cf", "Cs", "Zl"}
