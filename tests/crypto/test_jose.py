"""Compact JWS: what is admitted verifies alike elsewhere, and no forged token passes (threat 18)."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, RSAKey

from inkan.crypto import base64url, jose, jwk, keys
from inkan.crypto.jose import Algorithm, JWSMalformed, JWSSignatureWrong, JWSTooLarge
from inkan.crypto.keys import KeySpec, PrivateKey
from inkan.kernel.errors import InkanError

TYP = "inkan-test+jws"
EC = keys.generate(KeySpec.P256)
P384 = keys.generate(KeySpec.P384)
RSA = keys.generate(KeySpec.RSA2048)
KEYS: dict[Algorithm, PrivateKey] = {
    Algorithm.PS256: RSA,
    Algorithm.RS256: RSA,
    Algorithm.ES256: EC,
}
PAYLOAD = b'{"iss":"https://id.localhost","sub":"x"}'


def encode(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64url.encode(data)


def forge(header: object, payload: bytes = PAYLOAD, key: PrivateKey = EC) -> str:
    """A token with any header at all, truly signed with ES256, so that only the header can be at fault."""
    signing_input = f"{encode(header)}.{encode(payload)}"
    der = key.sign(signing_input.encode(), ec.ECDSA(SHA256()))
    r, s = jose.decode_dss_signature(der)
    return f"{signing_input}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def verify(token: str, key: PrivateKey = EC, **options: Any) -> jose.VerifiedJWS:
    settings: dict[str, Any] = {"algs": tuple(Algorithm), "typ": TYP, **options}
    return jose.verify_compact(token, key.public_key(), **settings)


HEADER = {"alg": "ES256", "typ": TYP}


def test_the_forger_of_this_suite_makes_good_tokens() -> None:
    assert verify(forge(HEADER)).payload == PAYLOAD


@pytest.mark.parametrize("alg", Algorithm)
def test_signed_tokens_verify_here_and_elsewhere(alg: Algorithm) -> None:
    key = KEYS[alg]
    token = jose.sign_compact(PAYLOAD, key, alg=alg, typ=TYP, header={"kid": "k1"})
    verified = verify(token, key, algs=(alg,), required=("kid",))
    assert verified.payload == PAYLOAD
    assert verified.header == {"alg": alg, "typ": TYP, "kid": "k1"}
    other = (RSAKey if key is RSA else ECKey).import_key(jwk.to_jwk(key.public_key()))
    assert joserfc_jws.deserialize_compact(token, other, algorithms=[alg]).payload == PAYLOAD


@pytest.mark.parametrize("alg", Algorithm)
def test_tokens_from_elsewhere_verify_here(alg: Algorithm) -> None:
    key = KEYS[alg]
    other = (RSAKey if key is RSA else ECKey).import_key(key)
    token = joserfc_jws.serialize_compact(
        {"typ": TYP, "alg": alg}, PAYLOAD, other, algorithms=[alg]
    )
    assert verify(token, key).payload == PAYLOAD


def test_the_example_of_rfc_7515_appendix_a3() -> None:
    key = jwk.load_jwk(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
    )
    token = (
        "eyJhbGciOiJFUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
    )
    verified = jose.verify_compact(token, key, algs=(Algorithm.ES256,), typ=(None, "JWT"))
    assert jose.parse_object(verified.payload)["iss"] == "joe"


def hs256(secret: bytes, header: dict[str, Any] | None = None) -> str:
    head = {"alg": "HS256", "typ": TYP, **(header or {})}
    signing_input = f"{encode(head)}.{encode(PAYLOAD)}"
    return f"{signing_input}.{encode(hmac.digest(secret, signing_input.encode(), hashlib.sha256))}"


def pem(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


ATTACKER = jwk.to_jwk(keys.generate(KeySpec.P256).public_key())
GOOD = forge(HEADER)
HEAD, BODY, SIGNATURE = GOOD.split(".")
R, S = base64url.decode(SIGNATURE)[:32], base64url.decode(SIGNATURE)[32:]
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

# Name of the trick and the token; every one must be refused, whichever key of the suite verifies it.
FORGED: dict[str, str] = {
    "none": f"{encode({'alg': 'none', 'typ': TYP})}.{BODY}.",
    "none with a signature": f"{encode({'alg': 'none', 'typ': TYP})}.{BODY}.{SIGNATURE}",
    "None": f"{encode({'alg': 'None', 'typ': TYP})}.{BODY}.{SIGNATURE}",
    "no alg": forge({"typ": TYP}),
    "alg null": forge({"alg": None, "typ": TYP}),
    "alg list": forge({"alg": ["ES256"], "typ": TYP}),
    "alg lower case": forge({"alg": "es256", "typ": TYP}),
    "HS256 with the public key": hs256(pem(EC)),
    "HS256 with the SPKI": hs256(keys.spki_der(EC.public_key())),
    "HS256 with nothing": hs256(b""),
    "HS256 empty tag": f"{encode({'alg': 'HS256', 'typ': TYP})}.{BODY}.AA",
    "ES384": forge({"alg": "ES384", "typ": TYP}),
    "ES256K": forge({"alg": "ES256K", "typ": TYP}),
    "PS256 said, ES256 done": forge({"alg": "PS256", "typ": TYP}),
    "RS256 said, ES256 done": forge({"alg": "RS256", "typ": TYP}),
    "no typ": forge({"alg": "ES256"}),
    "typ null": forge({"alg": "ES256", "typ": None}),
    "typ of another kind": forge({"alg": "ES256", "typ": "inkan-receipt+jws"}),
    "typ in other letters": forge({"alg": "ES256", "typ": TYP.upper()}),
    "typ with prefix": forge({"alg": "ES256", "typ": f"application/{TYP}"}),
    "typ list": forge({"alg": "ES256", "typ": [TYP]}),
    "crit": forge({**HEADER, "crit": ["exp"], "exp": 1}),
    "crit empty": forge({**HEADER, "crit": []}),
    "b64 false": forge({**HEADER, "b64": False, "crit": ["b64"]}),
    "jku": forge({**HEADER, "jku": "https://attacker.example/jwks"}),
    "x5u": forge({**HEADER, "x5u": "https://attacker.example/x5u"}),
    "x5c": forge({**HEADER, "x5c": ["MIIB"]}),
    "jwk": forge({**HEADER, "jwk": ATTACKER}),
    "kid that was not asked for": forge({**HEADER, "kid": "../../etc/passwd"}),
    "cty JWT (nested)": forge({**HEADER, "cty": "JWT"}),
    "zip": forge({**HEADER, "zip": "DEF"}),
    "p2c huge": forge({**HEADER, "p2c": 2**31, "p2s": "AA"}),
    "duplicate alg": forge(b'{"alg":"none","alg":"ES256","typ":"%s"}' % TYP.encode()),
    "duplicate alg, escaped": forge(b'{"\\u0061lg":"none","alg":"ES256","typ":"%s"}' % TYP.encode()),
    "duplicate typ": forge(b'{"alg":"ES256","typ":"x","typ":"%s"}' % TYP.encode()),
    "header array": forge([HEADER]),
    "header string": forge("ES256"),
    "header empty": forge({}),
    "header no JSON": forge(b"alg=ES256"),
    "header with NUL": forge(json.dumps(HEADER).encode() + b"\0"),
    "header UTF-16": forge(json.dumps(HEADER).encode("utf-16-le")),
    "header with byte order mark": forge(b"\xef\xbb\xbf" + json.dumps(HEADER).encode()),
    "two parts": f"{HEAD}.{BODY}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "five parts (JWE)": f"{HEAD}.{BODY}.{SIGNATURE}.AA.AA",
    "detached payload": f"{HEAD}..{SIGNATURE}",
    "nothing signed": forge(HEADER, payload=b""),
    "no header": f".{BODY}.{SIGNATURE}",
    "no signature": f"{HEAD}.{BODY}.",
    "JSON serialisation": json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE}),
    "padding": f"{HEAD}.{BODY}.{SIGNATURE}==",
    "new line": f"{GOOD}\n",
    "leading space": f" {GOOD}",
    "payload changed": f"{HEAD}.{encode(PAYLOAD.replace(b'x', b'y'))}.{SIGNATURE}",
    "header respelled": f"{encode(json.dumps(HEADER, separators=(',', ':')).encode())}.{BODY}.{SIGNATURE}",
    "zero signature": f"{HEAD}.{BODY}.{encode(bytes(64))}",
    "r zero": f"{HEAD}.{BODY}.{encode(bytes(32) + S)}",
    "r and s swapped": f"{HEAD}.{BODY}.{encode(S + R)}",
    "s beyond the order": f"{HEAD}.{BODY}.{encode(R + ((int.from_bytes(S) + ORDER) % 2**256).to_bytes(32))}",
    "zero before s": f"{HEAD}.{BODY}.{encode(R + bytes(1) + S)}",
    "signature longer": f"{HEAD}.{BODY}.{encode(R + S + bytes(1))}",
    "signature shorter": f"{HEAD}.{BODY}.{encode((R + S)[1:])}",
    "signature in DER": f"{HEAD}.{BODY}.{encode(EC.sign(f'{HEAD}.{BODY}'.encode(), ec.ECDSA(SHA256())))}",
    "signed by another key": forge(HEADER, key=keys.generate(KeySpec.P256)),
    "not ASCII": GOOD[:-1] + "é",
    "full-width digits": GOOD[:-1] + "１",
    "empty": "",
    "dots": "..",
}  # fmt: skip


@pytest.mark.parametrize("trick", FORGED)
@pytest.mark.parametrize("key", [EC, RSA, P384], ids=["P-256", "RSA", "P-384"])
def test_forged_tokens_are_refused(trick: str, key: PrivateKey) -> None:
    with pytest.raises((JWSMalformed, JWSSignatureWrong)):
        verify(FORGED[trick], key)


def test_what_may_move_the_key_is_refused_even_when_asked_for() -> None:
    for name, value in {
        "jku": "https://a.example",
        "x5u": "https://a.example",
        "zip": "DEF",
    }.items():
        with pytest.raises(JWSMalformed):
            verify(forge({**HEADER, name: value}), optional=(name,))
    with pytest.raises(JWSMalformed):
        verify(forge({**HEADER, "b64": False, "crit": ["b64"]}), optional=("b64", "crit"))


def test_members_are_admitted_by_name_and_type() -> None:
    token = forge({**HEADER, "kid": "a", "jwk": ATTACKER, "x5c": ["MIIB"]})
    members = ("kid", "jwk", "x5c")
    assert verify(token, required=members).header["jwk"] == ATTACKER
    assert verify(forge(HEADER), optional=members)
    with pytest.raises(JWSMalformed):
        verify(forge(HEADER), required=("kid",))
    for name, value in [("kid", 7), ("kid", None), ("jwk", "x"), ("x5c", "x"), ("x5c", [1])]:
        with pytest.raises(JWSMalformed):
            verify(forge({**HEADER, name: value}), optional=members)


def test_a_header_may_be_spelled_otherwise_as_long_as_names_are_unique() -> None:
    assert verify(forge(b'{ "typ" : "%s",\r\n "alg" : "\\u0045S256" }' % TYP.encode()))


def test_the_algorithm_must_be_admitted_and_fit_the_key() -> None:
    token = jose.sign_compact(PAYLOAD, RSA, alg=Algorithm.RS256, typ=TYP)
    assert verify(token, RSA, algs=(Algorithm.RS256,))
    with pytest.raises(JWSSignatureWrong):
        verify(token, RSA, algs=(Algorithm.PS256, Algorithm.ES256))
    for alg, key in [(Algorithm.ES256, RSA), (Algorithm.ES256, P384), (Algorithm.PS256, EC)]:
        with pytest.raises(JWSSignatureWrong):
            jose.sign_compact(PAYLOAD, key, alg=alg, typ=TYP)


@pytest.mark.parametrize(
    ("salt_length", "digest"), [(0, SHA256()), (20, SHA256()), (222, SHA256()), (32, SHA384())]
)
def test_pss_has_one_salt_length_and_one_hash(salt_length: int, digest: Any) -> None:
    signing_input = f"{encode({'alg': 'PS256', 'typ': TYP})}.{BODY}"
    pss = padding.PSS(padding.MGF1(digest), salt_length)
    signature = RSA.sign(signing_input.encode(), pss, digest)
    with pytest.raises(JWSSignatureWrong):
        verify(f"{signing_input}.{encode(signature)}", RSA)


def test_es256_knows_one_curve_and_one_length() -> None:
    """Each check alone, since a signature of another curve fails both."""
    with pytest.raises(JWSSignatureWrong):
        jose._p256(P384.public_key())
    for length in (0, 63, 65, 96):
        with pytest.raises(JWSSignatureWrong):
            jose._der_signature(bytes(length))


def test_small_rsa_keys_neither_sign_nor_verify() -> None:
    key = rsa.generate_private_key(65537, 1024)
    signing_input = f"{encode({'alg': 'RS256', 'typ': TYP})}.{BODY}"
    signature = key.sign(signing_input.encode(), padding.PKCS1v15(), SHA256())
    with pytest.raises(JWSSignatureWrong):
        verify(f"{signing_input}.{encode(signature)}", key)
    with pytest.raises(JWSSignatureWrong):
        jose.sign_compact(PAYLOAD, key, alg=Algorithm.RS256, typ=TYP)


def test_oversized_tokens_are_refused_before_anything_is_decoded() -> None:
    with pytest.raises(JWSTooLarge):
        verify("é" * (jose.DEFAULT_LIMIT + 1))
    with pytest.raises(JWSTooLarge):
        verify(f"{'é' * (jose.HEADER_LIMIT + 1)}.{BODY}.{SIGNATURE}")
    with pytest.raises(JWSTooLarge):
        jose.parse_compact(GOOD, typ=TYP, limit=len(GOOD) - 1)
    assert jose.parse_compact(GOOD, typ=TYP, limit=len(GOOD)).payload == PAYLOAD
    with pytest.raises(JWSTooLarge):
        jose.parse_object(b"{}", limit=1)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":[{"b":1,"\\u0062":2}]}',
        b"[]",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b"{",
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b' {"a":' + b"[" * 900 + b"]" * 900 + b', "a":1}',
    ],
    ids=lambda data: repr(data[:30]),
)
def test_claims_have_unique_names_at_every_depth(data: bytes) -> None:
    with pytest.raises(JWSMalformed):
        jose.parse_object(data)


def test_claims_may_have_any_spelling() -> None:
    assert jose.parse_object(b' { "b" : 1.5 , "a" : [ { "b" : 2 } ] } ') == {
        "b": 1.5,
        "a": [{"b": 2}],
    }


@given(
    st.text(max_size=60)
    | st.integers(0, len(GOOD)).flatmap(
        lambda at: st.text(max_size=3).map(lambda text: GOOD[:at] + text + GOOD[at + len(text) :])
    )
)
def test_any_text_is_the_good_token_or_a_refusal(token: str) -> None:
    try:
        verify(token)
    except InkanError:
        return
    assert token == GOOD


@given(st.binary(max_size=60))
def test_any_bytes_are_an_object_or_a_refusal(data: bytes) -> None:
    try:
        assert jose.parse_object(data) == json.loads(data)
    except InkanError:
        return
