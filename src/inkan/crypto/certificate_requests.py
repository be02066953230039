"""Certificate requests: read without belief, then proved (PKCS #10, RFC 2986).

The signature of a request under its own key is the proof of possession; that the key is the one a card vouched for
is compared by the caller through ``spki_sha256`` (threat 6).
"""

from hashlib import sha256
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.crypto.keys import PrivateKey, PublicKey, spki_der, verify_key_strength
from inkan.crypto.x509_admission import (
    LIBRARY_REFUSALS,
    admitted_key,
    check_signature_algorithm,
    check_signature_octets,
)
from inkan.kernel.errors import Malformed, TooLarge

CSR_LIMIT: Final = 4 * 1024


class CSRTooLarge(TooLarge):
    """More bytes than a certificate request may have; nothing of them was parsed."""

    code = "csr_too_large"
    title = "A certificate request is larger than allowed"


class CSRMalformed(Malformed):
    """Not one PKCS #10 request of the form that the gate admits."""

    code = "csr_malformed"
    title = "This is not a valid certificate request"


class CSRSignatureWrong(Malformed):
    """The request is not signed by the key that it holds: possession is not proved."""

    code = "csr_signature_wrong"
    title = "The certificate request is not signed by its own key"


class UnverifiedCSR(msgspec.Struct, frozen=True):
    """A request of the right form: whoever sent it may or may not hold the key.

    Attributes:
        der: as it was received.
        spki: DER SubjectPublicKeyInfo that it asks a certificate for.
        spki_sha256: its 32-byte hash, to compare with what the card signed.
    """

    der: bytes
    spki: bytes
    spki_sha256: bytes


class CSR(msgspec.Struct, frozen=True):
    """A request whose sender holds the key, and the key is strong.

    Attributes:
        der: as it was received.
        public_key: the key.
        spki: its DER SubjectPublicKeyInfo.
        spki_sha256: the hash of that.
    """

    der: bytes
    public_key: PublicKey
    spki: bytes
    spki_sha256: bytes


def build_csr(private_key: PrivateKey) -> bytes:
    """Return the request (DER) of a key: proof of possession, without names.

    Who the person is, the issuer knows and the phone must not say.
    """
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return request.sign(private_key, SHA256()).public_bytes(Encoding.DER)


def parse_csr(der: bytes) -> UnverifiedCSR:
    """Return a PKCS #10 request (RFC 2986) without believing it.

    Of its contents only the key counts: names and extensions are the profile's, whatever the request asks for.

    Raises:
        CSRTooLarge: more than 4 KiB.
        CSRMalformed: not one strict DER request with an RSA or elliptic-curve key.
    """
    if len(der) > CSR_LIMIT:
        raise CSRTooLarge(limit_bytes=CSR_LIMIT)
    spki = spki_der(_load(der)[1])
    return UnverifiedCSR(der, spki, sha256(spki).digest())


def verify_csr(csr: UnverifiedCSR) -> CSR:
    """Return the request as proved: its sender holds the key (threat 6), and the key is strong (threat 7).

    Plan:
        1. RSA or ECDSA over SHA-256 or longer;
        2. the key passes :func:`inkan.crypto.keys.verify_key_strength`;
        3. the signature holds under the very key of the request.

    Raises:
        CSRMalformed: step 1.
        WeakKey: step 2.
        CSRSignatureWrong: step 3.
    """
    parsed, key = _load(csr.der)  # 1
    verify_key_strength(key)  # 2
    if not parsed.is_signature_valid:  # 3
        raise CSRSignatureWrong
    spki = spki_der(key)
    return CSR(csr.der, key, spki, sha256(spki).digest())


def _load(der: bytes) -> tuple[x509.CertificateSigningRequest, PublicKey]:
    try:
        parsed = x509.load_der_x509_csr(der)
        check_signature_algorithm(parsed)
        check_signature_octets(der, parsed.signature)
        return parsed, admitted_key(parsed)
    except LIBRARY_REFUSALS as error:
        raise CSRMalformed(f"not one strict DER request: {error}") from None
