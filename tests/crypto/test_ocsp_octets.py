"""A signature of an OCSP response is whole octets: one signature has one answer."""

import pytest
from cryptography.x509 import ocsp as library
from hypothesis import given
from hypothesis import strategies as st

from crypto.test_ocsp import GOOD, WORLD, verify
from inkan.crypto.ocsp_response import OCSPResponseMalformed, parse_response


@pytest.mark.parametrize("embedded", [True, False])
def test_one_signature_has_one_answer(embedded):
    """Where the last bit is 0 by chance, the library reads the same signature from other bytes."""
    bent = {} if embedded else {"responder": WORLD.issuing, "embed": []}
    for _ in range(64):
        der = WORLD.issuing.ocsp(WORLD.leaf.certificate, **bent)
        signature = library.load_der_ocsp_response(der).signature
        if signature[-1] & 1 == 0:
            break
    at = der.index(b"\x00" + signature)
    assert verify(WORLD, der)
    changed = der[:at] + b"\x01" + der[at + 1 :]
    assert library.load_der_ocsp_response(changed).signature == signature
    with pytest.raises(OCSPResponseMalformed, match="whole octets"):
        parse_response(changed)


@given(st.integers(1, 255))
def test_a_signature_that_is_not_whole_octets_is_malformed(unused):
    signature = library.load_der_ocsp_response(GOOD).signature
    at = GOOD.index(b"\x00" + signature)
    with pytest.raises(OCSPResponseMalformed):
        parse_response(GOOD[:at] + bytes([unused]) + GOOD[at + 1 :])
