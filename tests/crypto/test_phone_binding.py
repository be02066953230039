"""The binding extension has one encoding, and whatever is not that is refused."""

import hashlib

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from crypto.specimens import BINDING, with_rows
from inkan.crypto import certificates, oids
from inkan.crypto.phone_binding import (
    PhoneBinding,
    PhoneBindingMalformed,
    encode_phone_binding,
    parse_phone_binding,
)


def test_the_binding_has_one_encoding() -> None:
    value = encode_phone_binding(BINDING)
    assert value.hex() == (
        "302b0420" + hashlib.sha256(b"credential").hexdigest() + "0c07" + b"bnd_abc".hex()
    )
    assert parse_phone_binding(value) == BINDING


@pytest.mark.parametrize(
    "binding",
    [
        PhoneBinding(bytes(31), "b"),
        PhoneBinding(bytes(33), "b"),
        PhoneBinding(bytes(32), ""),
        PhoneBinding(bytes(32), "b" * 65),
        PhoneBinding(bytes(32), "é"),
    ],
)
def test_bindings_outside_the_format_are_not_written(binding: PhoneBinding) -> None:
    with pytest.raises(PhoneBindingMalformed):
        encode_phone_binding(binding)


@given(
    st.binary(max_size=60)
    | st.integers(0, 44).flatmap(
        lambda at: st.binary(max_size=2).map(
            lambda b: (
                encode_phone_binding(BINDING)[:at] + b + encode_phone_binding(BINDING)[at + 1 :]
            )
        )
    )
)
def test_any_bytes_are_a_binding_in_its_one_encoding_or_a_refusal(value: bytes) -> None:
    try:
        binding = parse_phone_binding(value)
    except PhoneBindingMalformed:
        return
    assert encode_phone_binding(binding) == value


def test_a_certificate_with_a_foreign_binding_says_so() -> None:
    foreign = x509.UnrecognizedExtension(x509.ObjectIdentifier(oids.PHONE_BINDING), b"\x05\x00")
    certificate = certificates.parse_certificate(with_rows(binding=(foreign, False)))
    with pytest.raises(PhoneBindingMalformed):
        _ = certificate.phone_binding
