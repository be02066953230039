"""Certificates of TLS connections: a key, a term, a thumbprint."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge
from inkan.crypto.client_certificates import certificate_thumbprint, parse_client_certificate
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.errors import InkanError

DIGEST = SHA256()
AT = datetime(2026, 11, 22, tzinfo=UTC)


def made(key, *, digest=DIGEST) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1)
    builder = builder.not_valid_before(AT).not_valid_after(AT + timedelta(days=1))
    # A stock tool marks it as a CA and gives it no key usage, which the gate for authorities refuses.
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.public_key(key.public_key()).sign(key, digest).public_bytes(Encoding.DER)


@pytest.mark.parametrize("spec", [KeySpec.P256, KeySpec.RSA2048])
def test_what_is_read(spec):
    key = generate(spec)
    der = made(key)
    read = parse_client_certificate(der)
    assert read.key == key.public_key()
    assert read.x5t == base64url.encode(hashlib.sha256(der).digest()) == certificate_thumbprint(der)
    assert (read.not_before, read.not_after) == (AT, AT + timedelta(days=1))


def test_keys_that_are_not_used_here():
    small = rsa.generate_private_key(65537, 1024)
    for der in (made(small), made(ed25519.Ed25519PrivateKey.generate(), digest=None)):
        with pytest.raises(CertificateMalformed):
            parse_client_certificate(der)


def test_too_many_bytes():
    with pytest.raises(CertificateTooLarge):
        parse_client_certificate(b"0" * 20_000)


@given(st.binary(max_size=300))
def test_any_bytes(data):
    with pytest.raises(InkanError):
        parse_client_certificate(data)
