"""Compact JWE: what is admitted opens alike elsewhere, and nothing else opens."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import ECKey

from inkan.crypto import base64url, jwe
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from support.keyring import ec_key

TYP = "inkan-test+jwe"
KEY = ec_key(21)
PLAIN = Secret(b'{"unlock_key":"ABCDEFG2"}')


def token() -> str:
    return jwe.encrypt(PLAIN, KEY.public_key(), typ=TYP)


def with_header(**changed: object) -> str:
    """A token whose header holds other members; it does not open, but that is not seen first."""
    parts = token().split(".")
    header = {**json.loads(base64url.decode(parts[0])), **changed}
    kept = {name: value for name, value in header.items() if value is not None}
    parts[0] = base64url.encode(json.dumps(kept).encode())
    return ".".join(parts)


def test_what_was_encrypted_opens_here_and_elsewhere() -> None:
    made = token()
    assert jwe.decrypt(made, KEY, typ=TYP) == PLAIN
    opened = joserfc_jwe.decrypt_compact(
        made, ECKey.import_key(KEY), algorithms=["ECDH-ES", "A256GCM"]
    )
    assert opened.plaintext == PLAIN.reveal()


def test_no_two_tokens_are_alike() -> None:
    assert token() != token()


def test_another_key_opens_nothing() -> None:
    with pytest.raises(jwe.JWENotForUs):
        jwe.decrypt(token(), ec_key(22), typ=TYP)


@pytest.mark.parametrize("part", [0, 2, 3, 4])
def test_a_changed_token_opens_nothing(part: int) -> None:
    parts = token().split(".")
    octets = bytearray(base64url.decode(parts[part]))
    octets[-1] ^= 1
    parts[part] = base64url.encode(bytes(octets))
    with pytest.raises((jwe.JWENotForUs, jwe.JWEMalformed)):
        jwe.decrypt(".".join(parts), KEY, typ=TYP)


@pytest.mark.parametrize(
    "changed",
    [
        {"alg": "dir"},
        {"alg": "ECDH-ES+A128KW"},
        {"enc": "A128GCM"},
        {"typ": "another+jwe"},
        {"typ": None},
        {"zip": "DEF"},
        {"crit": ["exp"]},
        {"kid": "x"},
        {"apu": "AA"},
        {"epk": "x"},
    ],
)
def test_other_headers_are_refused_before_any_key_is_used(changed) -> None:
    with pytest.raises(jwe.JWEMalformed):
        jwe.decrypt(with_header(**changed), KEY, typ=TYP)


def test_an_ephemeral_key_of_another_curve_is_refused() -> None:
    other = {"kty": "OKP", "crv": "X25519", "x": base64url.encode(bytes(32))}
    with pytest.raises(jwe.JWENotForUs):
        jwe.decrypt(with_header(epk=other), KEY, typ=TYP)


def test_a_point_off_the_curve_is_refused() -> None:
    epk = json.loads(base64url.decode(token().split(".")[0]))["epk"]
    with pytest.raises(jwe.JWENotForUs):
        jwe.decrypt(with_header(epk={**epk, "y": epk["x"]}), KEY, typ=TYP)


def test_size_comes_first() -> None:
    with pytest.raises(jwe.JWETooLarge):
        jwe.decrypt("x" * (jwe.LIMIT + 1), KEY, typ=TYP)


@given(
    st.text(max_size=300)
    | st.lists(st.text("AQgw-_", max_size=40), min_size=5, max_size=5).map(".".join)
)
def test_anything_is_opened_or_refused(text: str) -> None:
    with pytest.raises(InkanError):
        jwe.decrypt(text, KEY, typ=TYP)
