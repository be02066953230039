"""The walk before the parsers: what is DER passes, everything else is refused, whatever it is."""

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.der import MAX_DEPTH, DERMalformed, verify_der
from support.pki import Hierarchy

WORLD = Hierarchy()


def tlv(tag: int, contents: bytes) -> bytes:
    size = len(contents)
    octets = b"" if size < 128 else size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets) if octets else size]) + octets + contents


def sequence(*elements: bytes) -> bytes:
    return tlv(0x30, b"".join(elements))


GOOD = [
    b"\x05\x00",
    b"\x01\x01\xff",
    b"\x01\x01\x00",
    b"\x02\x01\x00",
    b"\x02\x01\x80",
    b"\x02\x02\x00\x80",
    b"\x02\x02\xff\x7f",
    b"\x0a\x01\x01",
    b"\x03\x01\x00",
    b"\x03\x02\x07\x80",
    b"\x04\x00",
    b"\x06\x03\x55\x04\x03",
    b"\x06\x02\x2a\x00",
    b"\x17\x0d261121120000Z",
    b"\x18\x0f20261121120000Z",
    b"\x0c\x03\xe6\xad\xa3",
    sequence(),
    sequence(sequence(b"\x05\x00"), b"\x02\x01\x01"),
    tlv(0xA0, b"\x02\x01\x01"),
    tlv(0x80, b"anything"),
    tlv(0x31, b"\x02\x01\x01\x02\x01\x02"),
    tlv(0x31, b""),
    tlv(0x04, bytes(300)),
    tlv(0x04, bytes(70000)),
]
BAD = {
    "empty": b"",
    "tag alone": b"\x30",
    "truncated": b"\x04\x02\x00",
    "trailing": b"\x05\x00\x00",
    "indefinite": b"\x30\x80\x00\x00",
    "long form for a short length": b"\x04\x81\x01\x00",
    "leading zero in a length": b"\x04\x82\x00\x80" + bytes(128),
    "length longer than the data": b"\x04\x84\xff\xff\xff\xff",
    "length of 127 octets": b"\x04\xff" + bytes(127),
    "length cut off": b"\x04\x82\x01",
    "reserved length": b"\x04\xff",
    "high tag number": b"\x1f\x81\x01\x00",
    "primitive SEQUENCE": b"\x10\x00",
    "constructed OCTET STRING": b"\x24\x04\x04\x02\x00\x00",
    "constructed INTEGER": b"\x22\x03\x02\x01\x00",
    "child longer than its parent": b"\x30\x03\x04\x05\x00\x00\x00\x00\x00",
    "BOOLEAN of 1": b"\x01\x01\x01",
    "BOOLEAN of two octets": b"\x01\x02\x00\x00",
    "INTEGER empty": b"\x02\x00",
    "INTEGER padded": b"\x02\x02\x00\x7f",
    "INTEGER padded, negative": b"\x02\x02\xff\x80",
    "ENUMERATED padded": b"\x0a\x02\x00\x01",
    "NULL with contents": b"\x05\x01\x00",
    "BIT STRING empty": b"\x03\x00",
    "BIT STRING with 8 unused bits": b"\x03\x02\x08\x00",
    "BIT STRING with unused bits set": b"\x03\x02\x01\x01",
    "BIT STRING with unused bits of nothing": b"\x03\x01\x01",
    "OID empty": b"\x06\x00",
    "OID unfinished": b"\x06\x02\x55\x84",
    "OID padded": b"\x06\x03\x55\x80\x01",
    "OID padded at first": b"\x06\x02\x80\x01",
    "UTCTime without seconds": b"\x17\x0b2611211200Z",
    "UTCTime with zone": b"\x17\x11261121120000+0800",
    "GeneralizedTime with fraction": b"\x18\x1120261121120000.5Z",
    "SET OF out of order": tlv(0x31, b"\x02\x01\x02\x02\x01\x01"),
    "SET OF in order of length only": tlv(0x31, b"\x04\x00\x02\x01\x01"),
}


@pytest.mark.parametrize("der", GOOD, ids=lambda der: der[:8].hex())
def test_der_passes(der):
    verify_der(der)


@pytest.mark.parametrize("der", BAD.values(), ids=BAD.keys())
def test_anything_else_is_refused(der):
    with pytest.raises(DERMalformed):
        verify_der(der)
    with pytest.raises(DERMalformed):
        verify_der(sequence(der) + b"") if der else verify_der(der)


def test_real_artefacts_pass():
    for der in (WORLD.leaf.der, *WORLD.crls, WORLD.issuing.ocsp(WORLD.leaf.certificate)):
        verify_der(der)


def test_the_depth_is_bounded():
    der = b"\x05\x00"
    for _ in range(MAX_DEPTH - 1):
        der = sequence(der)
    verify_der(der)
    with pytest.raises(DERMalformed):
        verify_der(sequence(der))
    with pytest.raises(DERMalformed):
        verify_der(b"\x30" * 100000)


def test_the_number_of_elements_is_bounded():
    verify_der(sequence(*[b"\x05\x00"] * 99), max_elements=100)
    with pytest.raises(DERMalformed):
        verify_der(sequence(*[b"\x05\x00"] * 100), max_elements=100)


VALUES = st.recursive(
    st.one_of(
        st.integers(-(2**70), 2**70).map(lambda n: core.Integer(n).dump()),
        st.binary(max_size=200).map(lambda b: core.OctetString(b).dump()),
        st.booleans().map(lambda b: core.Boolean(b).dump()),
        st.text(max_size=20).map(lambda t: core.UTF8String(t).dump()),
        st.just(core.Null().dump()),
        st.sampled_from(["1.2.840.113549", "2.25.99999999999999999999", "2.999.1"]).map(
            lambda oid: core.ObjectIdentifier(oid).dump()
        ),
    ),
    lambda inner: st.lists(inner, max_size=4).flatmap(
        lambda rows: st.sampled_from(
            [
                sequence(*rows),
                tlv(0x31, b"".join(sorted(rows))),
                tlv(0xA3, b"".join(rows)),
            ]
        )
    ),
    max_leaves=12,
)


@given(VALUES)
def test_whatever_an_encoder_writes_passes(der):
    verify_der(der)


@given(st.binary(max_size=64))
def test_whatever_passes_is_read_back_to_the_same_bytes(data):
    try:
        verify_der(data)
    except DERMalformed:
        return
    assert core.load(data, strict=True).dump() == data
