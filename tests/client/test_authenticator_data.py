"""The bytes of the authenticator against an independent CBOR library and fixed examples."""

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from inkan.client import authenticator_data
from inkan.client.authenticator_data import Ceremony, Flag
from inkan.crypto.cose import load_cose_key

# Maps of one kind of name: for mixed ones the other library follows an older rule (length before type).
_values = st.recursive(
    st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=300)
    | st.text(max_size=300),
    lambda inner: (
        st.dictionaries(st.text(max_size=30), inner, max_size=30)
        | st.dictionaries(st.integers(0, 2**63), inner, max_size=5)
        | st.dictionaries(st.integers(-(2**63), -1), inner, max_size=5)
    ),
)


@given(_values)
def test_cbor_is_what_another_library_writes_canonically(value):
    assert authenticator_data.cbor(value) == cbor2.dumps(value, canonical=True)


def test_names_of_a_lower_type_come_first():
    """CTAP 2.1 §8: type before length, so 24 (two bytes) stands before -1 and the empty text."""
    assert authenticator_data.cbor({"": 1, -1: 1, 24: 1}).hex() == "a318180120016001"


def test_cbor_has_no_floats():
    with pytest.raises(TypeError):
        authenticator_data.cbor(1.5)


def test_client_data_has_the_members_in_their_fixed_order():
    data = authenticator_data.client_data(Ceremony.GET, b"\xff\xfe", "https://wallet.example.org")
    assert data == (
        b'{"type":"webauthn.get","challenge":"__4",'
        b'"origin":"https://wallet.example.org","crossOrigin":false}'
    )


def test_flags_announce_what_follows():
    plain = authenticator_data.authenticator_data("a.org", Flag.USER_PRESENT, sign_count=7)
    assert plain[32:] == b"\x01\x00\x00\x00\x07"
    full = authenticator_data.authenticator_data(
        "a.org", Flag.USER_PRESENT, sign_count=7, attested=b"A", extensions={"hmac-secret": True}
    )
    assert full[32] == 0xC1
    assert full[37:] == b"A" + cbor2.dumps({"hmac-secret": True})


def test_cose_key_is_the_one_accepted_spelling():
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    loaded, _ = load_cose_key(authenticator_data.cose_key(key))
    assert loaded == key
