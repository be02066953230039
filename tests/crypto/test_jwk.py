"""JSON Web Keys: one spelling of each key, no private parts."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey

from inkan.crypto import base64url, jwk, keys
from inkan.crypto.jwk import JWKMalformed
from inkan.crypto.keys import KeySpec, KeyUnsupported
from inkan.kernel.errors import InkanError

EC_JWK = jwk.to_jwk(keys.generate(KeySpec.P256).public_key())
P384_JWK = jwk.to_jwk(keys.generate(KeySpec.P384).public_key())
RSA_JWK = jwk.to_jwk(keys.generate(KeySpec.RSA2048).public_key())

# RFC 7638 §3.1
RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECP"
    "ebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY"
    "368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0f"
    "M4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


@pytest.mark.parametrize("spec", KeySpec)
def test_a_key_survives_and_agrees_with_another_library(spec: KeySpec) -> None:
    key = keys.generate(spec).public_key()
    members = jwk.to_jwk(key)
    assert jwk.load_jwk(members) == key
    other = (ECKey if members["kty"] == "EC" else RSAKey).import_key(members)
    assert other.thumbprint() == jwk.thumbprint(key)
    assert jwk.load_with_thumbprint(members) == (key, jwk.thumbprint(key))


def test_the_thumbprint_follows_rfc_7638_section_3_1() -> None:
    key = jwk.load_jwk({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB", "alg": "RS256", "kid": "2011"})
    assert jwk.thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize(
    "members",
    [
        {**EC_JWK, "d": "AA"},
        {**RSA_JWK, "p": "AA"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP", "crv": "Ed25519", "x": EC_JWK["x"]},
        {**EC_JWK, "kty": ["EC"]},
        {**EC_JWK, "kty": "ec"},
        {**EC_JWK, "crv": "P-384"},
        {**EC_JWK, "crv": "secp256k1"},
        {**EC_JWK, "crv": None},
        {**EC_JWK, "y": EC_JWK["x"]},  # off the curve
        {**EC_JWK, "x": base64url.encode(b"\0" + base64url.decode(EC_JWK["x"]))},
        {**EC_JWK, "x": EC_JWK["x"] + "="},
        {**EC_JWK, "x": EC_JWK["x"][:-2]},
        {**EC_JWK, "x": 7},
        {"kty": "EC", "crv": "P-256", "x": EC_JWK["x"]},
        {"kty": "EC", "crv": "P-256", "x": base64url.encode(bytes(32)), "y": base64url.encode(bytes(32))},
        {**P384_JWK, "crv": "P-256"},
        {**RSA_JWK, "e": "AAEAAQ"},  # a leading zero byte
        {**RSA_JWK, "n": base64url.encode(b"\0" + base64url.decode(RSA_JWK["n"]))},
        {**RSA_JWK, "e": ""},
        {**RSA_JWK, "e": "Ag"},
        {**RSA_JWK, "n": "_" * 1500},
        {},
    ],
)  # fmt: skip
def test_other_keys_and_spellings_are_refused(members: dict[str, object]) -> None:
    with pytest.raises(JWKMalformed):
        jwk.load_jwk(members)


def test_curves_without_a_name_here_have_no_jwk() -> None:
    with pytest.raises(KeyUnsupported):
        jwk.to_jwk(ec.generate_private_key(ec.SECP256K1()).public_key())


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=50), lambda inner: st.lists(inner, max_size=2)
)


@given(
    st.sampled_from([EC_JWK, RSA_JWK]), st.sampled_from(["kty", "crv", "x", "y", "n", "e"]), JSON
)
def test_any_members_are_a_key_or_a_refusal(good: dict[str, str], name: str, value: object) -> None:
    members = {**good, name: value}
    try:
        key = jwk.load_jwk(members)
    except InkanError:
        return
    assert {name: members[name] for name in jwk.to_jwk(key)} == jwk.to_jwk(key)
