"""HTTP message signatures: the vectors of RFC 9421 and 9530, one spelling of every field, and nothing but refusals."""

import hashlib
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import http_signatures as signatures
from inkan.crypto.http_signatures import (
    HTTPSignatureMalformed,
    HTTPSignatureWrong,
    SignatureParameters,
)
from inkan.crypto.to_be_signed import SignedFormat, read_to_be_signed
from inkan.kernel.errors import InkanError

# RFC 9421 appendix B.1.3 and B.2.4.
RFC_KEY = load_pem_public_key(
    b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf
w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ==
-----END PUBLIC KEY-----
"""
)
RFC_COMPONENTS = [
    ("@status", "200"),
    ("content-type", "application/json"),
    (
        "content-digest",
        "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:",
    ),
    ("content-length", "23"),
]
RFC_PARAMETERS = (
    '("@status" "content-type" "content-digest" "content-length")'
    ';created=1618884473;keyid="test-key-ecc-p256"'
)
RFC_SIGNATURE = "sig-b24=:wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==:"

KEY = ec.generate_private_key(ec.SECP256R1())
PARAMETERS = SignatureParameters(
    components=("@method", "content-digest"),
    created=1,
    expires=301,
    nonce="bm9uY2U",
    keyid="a_key-1",
    tag="inkan-webhook",
)
FIELD = "inkan=" + PARAMETERS.text


def test_the_vector_of_rfc_9421() -> None:
    base = signatures.signature_base(RFC_COMPONENTS, RFC_PARAMETERS)
    signature = signatures.parse_signature(RFC_SIGNATURE, label="sig-b24")
    assert isinstance(RFC_KEY, ec.EllipticCurvePublicKey)
    signatures.verify(base, signature, RFC_KEY)
    for bent in (base + b" ", base.replace(b"200", b"201"), base[:-1]):
        with pytest.raises(HTTPSignatureWrong):
            signatures.verify(bent, signature, RFC_KEY)


def test_the_digest_of_rfc_9530() -> None:
    content = b'{"hello": "world"}'
    field = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert signatures.content_digest(content) == field
    assert signatures.verify_content_digest(field, content) == content
    with pytest.raises(HTTPSignatureWrong):
        signatures.verify_content_digest(field, content + b"\n")


def test_what_is_signed_holds_and_the_guard_knows_it() -> None:
    components = [("@method", "POST"), ("content-digest", signatures.content_digest(b""))]
    base = signatures.signature_base(components, PARAMETERS.text)
    read = read_to_be_signed(base, [SignedFormat.HTTP_MESSAGE])
    assert (read.format, read.kind) == (SignedFormat.HTTP_MESSAGE, "inkan-webhook")
    signature = signatures.sign(base, KEY)
    field = signatures.signature_field(signature, label="inkan")
    assert signatures.parse_signature(field, label="inkan") == signature
    signatures.verify(base, signature, KEY.public_key())
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    large = ec.generate_private_key(ec.SECP384R1()).public_key()
    for key, bent in ((other, signature), (large, signature), (KEY.public_key(), signature[:-1])):
        with pytest.raises(HTTPSignatureWrong):
            signatures.verify(base, bent, key)


def test_parameters_come_back_as_they_were_written() -> None:
    assert signatures.parse_signature_input(FIELD, label="inkan") == PARAMETERS


@pytest.mark.parametrize(
    "field",
    [
        "", "inkan", "inkan=", FIELD + " ", " " + FIELD, FIELD + ",", FIELD + "\n", FIELD.replace("inkan=", "sig1="),
        FIELD.replace('"@method" ', '"@method"  '), FIELD.replace('("@method"', '( "@method"'), FIELD.replace("created=1", "created=01"),
        FIELD.replace("created=1", "created=-1"), FIELD.replace("created=1", "created=1.0"), FIELD.replace(";expires=301", ""),
        FIELD.replace(";expires=301", ";expires=301;expires=302"), FIELD.replace("bm9uY2U", ""), FIELD.replace("bm9uY2U", 'a\\"b'),
        FIELD.replace(';tag="inkan-webhook"', ""), FIELD + ';alg="none"', FIELD.replace("@method", "@Method"), FIELD.replace("@method", "content-digest"),
        FIELD.replace('"@method"', '"@method";req'), FIELD.replace('"@method"', "@method"), f"{FIELD}, {FIELD}", "x" * 100_000,
        FIELD.replace("bm9uY2U", "A" * 87),
    ],
)  # fmt: skip
def test_parameters_have_one_spelling(field: str) -> None:
    with pytest.raises(HTTPSignatureMalformed):
        signatures.parse_signature_input(field, label="inkan")


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "é", " a", "a ", "\x00", "a\x7f"])
def test_a_value_never_begins_another_line(value: str) -> None:
    with pytest.raises(HTTPSignatureMalformed):
        signatures.signature_base([("@method", value)], PARAMETERS.text)


@pytest.mark.parametrize(
    "field",
    ["", "sha-256=::", "sha-256=:AAAA:", "sha-512=:" + "A" * 86 + "==:", "sha-256=" + "A" * 43, "sha-256=:" + "A" * 42 + "B=:"],
)  # fmt: skip
def test_a_digest_has_one_spelling(field: str) -> None:
    with pytest.raises(HTTPSignatureMalformed):
        signatures.verify_content_digest(field, b"")


@given(
    text=st.text(max_size=200) | st.sampled_from([FIELD, RFC_SIGNATURE]), cut=st.integers(0, 200)
)
def test_parsers_refuse_and_nothing_else(text: str, cut: int) -> None:
    for piece in (text, text[cut:], text[:cut] + text):
        with suppress(InkanError):
            signatures.parse_signature_input(piece, label="inkan")
        with suppress(InkanError):
            signatures.parse_signature(piece, label="inkan")
        with suppress(InkanError):
            signatures.verify_content_digest(piece, b"")
        with suppress(InkanError):
            signatures.signature_base([("@method", piece)], piece)


@given(content=st.binary(max_size=100))
def test_a_digest_is_that_of_the_content(content: bytes) -> None:
    field = signatures.content_digest(content)
    assert signatures.verify_content_digest(field, content) == content
    other = hashlib.sha256(content).digest()
    with pytest.raises(HTTPSignatureWrong):
        signatures.verify_content_digest(field, other)
