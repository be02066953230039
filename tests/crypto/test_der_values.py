"""The writer against asn1crypto, and the reader of members against what the gate admits."""

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import der_values as der
from inkan.crypto.der import DERMalformed, verify_der

ARCS = st.lists(st.integers(0, 2**40), min_size=1, max_size=6)


@given(st.integers(0, 2**170))
def test_integers(value):
    assert der.integer(value) == core.Integer(value).dump()
    assert der.number_of(der.Members(der.integer(value)).take(der.INTEGER)) == value


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_lengths_are_shortest(size):
    encoded = der.tlv(der.OCTET_STRING, bytes(size))
    assert encoded == core.OctetString(bytes(size)).dump()
    verify_der(encoded)
    assert der.Members(encoded).take(der.OCTET_STRING) == bytes(size)


@given(st.integers(0, 2), st.integers(0, 39), ARCS)
def test_object_identifiers_and_back(first, second, rest):
    text = ".".join(map(str, (first, second, *rest)))
    encoded = der.object_identifier(text)
    assert encoded == core.ObjectIdentifier(text).dump()
    assert der.dotted(der.Members(encoded).take(der.OBJECT_IDENTIFIER)) == text


@pytest.mark.parametrize("bit", range(32))
def test_a_named_bit_has_no_trailing_zeros(bit):
    encoded = der.named_bit(bit)
    verify_der(encoded)
    value = core.BitString.load(encoded).native
    assert (len(value), [index for index, on in enumerate(value) if on]) == (bit + 1, [bit])


def test_a_set_is_in_order():
    members = [der.integer(value) for value in (3, 1, 2, 2**20)]
    verify_der(der.set_of(*members))


def test_members_are_taken_in_order_and_none_is_left_over():
    data = der.sequence(der.integer(1), der.tlv(der.OCTET_STRING, b"x"))
    members = der.Members(data).enter(der.SEQUENCE)
    assert members.next_is(der.INTEGER)
    assert members.find(der.OCTET_STRING) is None
    assert members.take_whole(der.INTEGER) == der.integer(1)
    with pytest.raises(DERMalformed):
        members.finish()
    with pytest.raises(DERMalformed):
        members.take(der.INTEGER)
    assert members.find(der.OCTET_STRING) == der.tlv(der.OCTET_STRING, b"x")
    members.finish()
    assert not members.next_is(0)
    with pytest.raises(DERMalformed):
        members.take(der.OCTET_STRING)
