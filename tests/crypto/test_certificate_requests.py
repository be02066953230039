"""Certificate requests: read without belief, proved by their own key (threats 6 and 7)."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from crypto import weak_keys
from inkan.crypto import certificate_requests as requests
from inkan.crypto import keys
from inkan.crypto.certificate_requests import CSRMalformed, CSRSignatureWrong, CSRTooLarge
from inkan.crypto.keys import KeySpec, WeakKey
from inkan.kernel.errors import InkanError

KEY = keys.generate(KeySpec.P256)
OTHER = keys.generate(KeySpec.P256)
RSA = keys.generate(KeySpec.RSA2048)
SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
SHA1_WITH_RSA = bytes.fromhex("2a864886f70d010105")


def request(key: Any = KEY, algorithm: Any = SHA256(), **options: Any) -> bytes:  # noqa: B008
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    return builder.sign(key, algorithm, **options).public_bytes(Encoding.DER)


def with_key(der: bytes, old: bytes, new: bytes) -> bytes:
    """Swap the SPKI and mend the two lengths around it; the signature stays the old one."""
    grown = len(new) - len(old)
    data = bytearray(der.replace(old, new))
    for position in (2, 6):
        length = int.from_bytes(data[position : position + 2], "big") + grown
        data[position : position + 2] = length.to_bytes(2, "big")
    return bytes(data)


@pytest.mark.parametrize("spec", KeySpec)
def test_a_request_proves_its_key(spec: KeySpec) -> None:
    key = keys.generate(spec)
    unverified = requests.parse_csr(request(key))
    assert unverified.spki == keys.spki_der(key.public_key())
    csr = requests.verify_csr(unverified)
    assert csr.public_key == key.public_key()
    assert csr.spki_sha256 == unverified.spki_sha256 == keys.spki_sha256(key.public_key())


def test_other_admitted_signatures_prove_it_too() -> None:
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    for der in (request(KEY, SHA384()), request(RSA, rsa_padding=pss)):
        assert requests.verify_csr(requests.parse_csr(der))


@pytest.mark.req("HCA-47")
def test_a_swapped_key_is_not_proved() -> None:
    """Threat 6: the key is replaced after the holder has signed."""
    old, new = (keys.spki_der(key.public_key()) for key in (KEY, OTHER))
    swapped = request().replace(old, new)
    assert requests.parse_csr(swapped).spki == new
    with pytest.raises(CSRSignatureWrong):
        requests.verify_csr(requests.parse_csr(swapped))


def test_a_signature_of_another_request_is_refused() -> None:
    der = request()
    with pytest.raises(CSRSignatureWrong):
        requests.verify_csr(requests.parse_csr(der[:-1] + bytes([der[-1] ^ 1])))


@pytest.mark.parametrize(
    "modulus", [weak_keys.close_primes_modulus, weak_keys.roca_modulus, weak_keys.square_modulus]
)
def test_a_weak_key_is_refused_before_its_signature_is_looked_at(modulus: Any) -> None:
    old = keys.spki_der(RSA.public_key())
    der = with_key(request(RSA), old, weak_keys.spki(modulus()))
    with pytest.raises(WeakKey):
        requests.verify_csr(requests.parse_csr(der))


def test_small_and_foreign_keys_are_weak() -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256K1())):
        with pytest.raises(WeakKey):
            requests.verify_csr(requests.parse_csr(request(key)))


def test_an_even_exponent_does_not_load() -> None:
    old = keys.spki_der(RSA.public_key())
    even = weak_keys.spki(RSA.public_key().public_numbers().n, 65538)
    with pytest.raises(CSRMalformed):
        requests.parse_csr(with_key(request(RSA), old, even))


@pytest.mark.parametrize(
    "der",
    [
        b"",
        request()[:-1],
        request() + b"\0",
        b"\x30\x80" + request()[2:] + b"\0\0",
        request(RSA).replace(SHA256_WITH_RSA, SHA1_WITH_RSA),
        request(ed25519.Ed25519PrivateKey.generate(), None),
    ],
    ids=["nothing", "truncated", "bytes after it", "indefinite length", "SHA-1", "Ed25519"],
)
def test_other_bytes_and_algorithms_are_refused(der: bytes) -> None:
    with pytest.raises(CSRMalformed):
        requests.parse_csr(der)


def test_an_oversized_request_is_not_parsed() -> None:
    with pytest.raises(CSRTooLarge):
        requests.parse_csr(b"\xff" * (requests.CSR_LIMIT + 1))


GOOD = request()


@given(
    st.binary(max_size=60)
    | st.integers(0, len(GOOD) - 1).flatmap(
        lambda at: st.binary(min_size=1, max_size=3).map(
            lambda b: GOOD[:at] + b + GOOD[at + len(b) :]
        )
    )
)
def test_any_bytes_are_the_good_request_or_a_refusal(der: bytes) -> None:
    try:
        requests.verify_csr(requests.parse_csr(der))
    except InkanError:
        return
    assert der == GOOD


@pytest.mark.parametrize("key", [KEY, RSA], ids=["EC", "RSA"])
def test_one_signature_has_one_request(key: Any) -> None:
    """Where the last bit is 0 by chance, the library reads the same signature from other bytes."""
    made = (
        x509.CertificateSigningRequestBuilder(x509.Name([]))
        .add_attribute(x509.ObjectIdentifier("1.2.3.4"), b"\x04\x01" + bytes([number]))
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
        for number in range(200)
    )
    der = next(each for each in made if each[-1] & 1 == 0)
    unused = len(der) - len(x509.load_der_x509_csr(der).signature) - 1
    changed = der[:unused] + b"\x01" + der[unused + 1 :]
    assert x509.load_der_x509_csr(changed).is_signature_valid
    assert requests.verify_csr(requests.parse_csr(der))
    with pytest.raises(CSRMalformed, match="whole octets"):
        requests.parse_csr(changed)


@given(st.integers(1, 255))
def test_a_signature_that_is_not_whole_octets_is_refused(unused: int) -> None:
    changed = bytearray(GOOD)
    changed[-len(x509.load_der_x509_csr(GOOD).signature) - 1] = unused
    with pytest.raises(CSRMalformed):
        requests.parse_csr(bytes(changed))
