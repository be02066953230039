"""Names prepared for comparison (RFC 4518, RFC 5280 §7.1), and what may never raise."""

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.validation.names import canonical_name, is_within, prepare


@pytest.mark.parametrize(
    ("first", "second", "are_equal"),
    [
        ("A", "a", True),
        (" a  b ", "A B", True),
        ("a\tb", "a b", True),
        ("a\u3000b", "a b", True),
        ("soft\u00adhyphen", "softhyphen", True),
        ("zero\u200bwidth", "zerowidth", True),
        ("Ａ", "a", True),
        ("ﬁ", "fi", True),
        ("ab", "a b", False),
        ("é", "e", False),
        ("臺", "台", False),
    ],
)
def test_preparation(first, second, are_equal) -> None:
    assert (prepare(first) == prepare(second)) is are_equal


@given(st.text(max_size=40))
def test_preparing_twice_changes_nothing(text) -> None:
    assert prepare(prepare(text)) == prepare(text)


def test_the_order_within_a_set_makes_no_difference_and_that_of_sets_does() -> None:
    o = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "O")
    cn = x509.NameAttribute(NameOID.COMMON_NAME, "N")
    together = [x509.Name([x509.RelativeDistinguishedName(pair)]) for pair in ([o, cn], [cn, o])]
    assert canonical_name(together[0]) == canonical_name(together[1])
    assert canonical_name(x509.Name([o, cn])) != canonical_name(x509.Name([cn, o]))
    assert canonical_name(x509.Name([o, cn])) != canonical_name(together[0])


def test_a_subtree_is_a_beginning() -> None:
    o = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "O")
    cn = x509.NameAttribute(NameOID.COMMON_NAME, "N")
    whole, base = canonical_name(x509.Name([o, cn])), canonical_name(x509.Name([o]))
    assert is_within(whole, base)
    assert is_within(whole, whole)
    assert not is_within(base, whole)
    assert is_within(base, ())


def test_a_value_that_is_no_text_is_compared_as_it_is() -> None:
    unique = [
        x509.Name(
            [
                x509.NameAttribute(
                    NameOID.X500_UNIQUE_IDENTIFIER, octets, x509.name._ASN1Type.BitString
                )
            ]
        )
        for octets in (b"\x00a", b"\x00A")
    ]
    assert canonical_name(unique[0]) != canonical_name(unique[1])
