"""OCSP (RFC 6960, in the profile of RFC 5019): requests, and what a responder states.

A responder answers with its own short-lived key, never with the authority's; how an answer is written stands in
:mod:`inkan.crypto.ocsp_encoding`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from inkan.crypto.certificates import Certificate
from inkan.crypto.der import DERMalformed
from inkan.crypto.ocsp_many import read_many
from inkan.crypto.path import Revocation
from inkan.crypto.x509_admission import LIBRARY_REFUSALS
from inkan.kernel.errors import Malformed, TooLarge

MAX_REQUEST_SIZE: Final = 4096
MAX_IDS: Final = 8
SERIAL_END: Final = 1 << 159
NONCE_SIZES: Final = range(1, 128 + 1)

LIBRARY_ERRORS: Final = (*LIBRARY_REFUSALS, NotImplementedError)


class OCSPRequestMalformed(Malformed):
    """Not one DER OCSP request about a few certificates."""

    code = "ocsp_request_malformed"
    title = "The status request cannot be read"
    public = ()


class OCSPRequestTooLarge(TooLarge):
    """More bytes than a request has."""

    code = "ocsp_request_too_large"
    title = "The status request is larger than allowed"


class CertificateStatus(StrEnum):
    """What an answer says (RFC 6960 §2.2)."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class ResponderError(StrEnum):
    """Why a responder gives no status (RFC 6960 §2.3); unsigned."""

    MALFORMED_REQUEST = "malformed_request"
    INTERNAL_ERROR = "internal_error"
    TRY_LATER = "try_later"
    UNAUTHORIZED = "unauthorized"


class CertID(msgspec.Struct, frozen=True, kw_only=True):
    """Which certificate a request asks about (RFC 6960 §4.1.1); usable as the key of a stored answer.

    Attributes:
        digest: ``sha1`` or ``sha256``; here SHA-1 only abbreviates a name.
        issuer_name_hash: of the issuer's DER name.
        issuer_key_hash: of the issuer's key bits.
        serial: of the certificate.
    """

    digest: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int


class OCSPRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed request: which certificates it asks about, at least one, and its nonce."""

    cert_ids: tuple[CertID, ...]
    nonce: bytes | None


class OCSPAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a responder states.

    Attributes:
        status: see :class:`CertificateStatus`.
        this_update: when it was true, aware.
        next_update: until when it may be relied upon, aware.
        revocation: exactly when the status is revoked.
    """

    status: CertificateStatus
    this_update: datetime
    next_update: datetime
    revocation: Revocation | None = None


_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303  (RFC 5019 §2.1.1: an abbreviation, not a protection)
    "sha256": hashes.SHA256(),
}
STATUS: Final = {
    CertificateStatus.GOOD: ocsp.OCSPCertStatus.GOOD,
    CertificateStatus.REVOKED: ocsp.OCSPCertStatus.REVOKED,
    CertificateStatus.UNKNOWN: ocsp.OCSPCertStatus.UNKNOWN,
}


def parse_request(der: bytes) -> OCSPRequest:
    """Return what a request asks (RFC 6960 §4.1).

    The library reads a request about one certificate in 2 µs, faster than any match that is written in Python; what it
    does not read, several certificates at once, goes another way (:mod:`inkan.crypto.ocsp_many`).

    Raises:
        OCSPRequestTooLarge: more than 4 KiB.
        OCSPRequestMalformed: not DER, about none or more than ``MAX_IDS`` certificates, by another digest than SHA-1 or
            SHA-256, with an unknown critical extension, a negative serial number, or one of more than 20 octets, or
            with a nonce outside 1 to 128 octets (RFC 9654 §2.1).
    """
    if len(der) > MAX_REQUEST_SIZE:
        raise OCSPRequestTooLarge(limit_bytes=MAX_REQUEST_SIZE)
    try:
        cert_ids, nonce = _read_one(der)
    except NotImplementedError:
        cert_ids, nonce = _read_many(der)
    except LIBRARY_ERRORS as error:
        raise OCSPRequestMalformed(f"not an OCSP request: {error}") from None
    if not 0 < len(cert_ids) <= MAX_IDS:
        raise OCSPRequestMalformed(f"about {len(cert_ids)} certificates")
    if any(not 0 <= each.serial < SERIAL_END for each in cert_ids):
        raise OCSPRequestMalformed("a serial number that no certificate has")
    if nonce is not None and len(nonce) not in NONCE_SIZES:
        raise OCSPRequestMalformed("a nonce of an impossible size")
    return OCSPRequest(cert_ids=cert_ids, nonce=nonce)


def _read_one(der: bytes) -> tuple[tuple[CertID, ...], bytes | None]:
    request = ocsp.load_der_ocsp_request(der)
    return (read_cert_id(request),), read_nonce(request.extensions)


def _read_many(der: bytes) -> tuple[tuple[CertID, ...], bytes | None]:
    try:
        named, nonce = read_many(der)
    except (DERMalformed, ValueError, IndexError) as error:
        raise OCSPRequestMalformed(f"not an OCSP request: {error}") from None
    return tuple(CertID(**each._asdict()) for each in named), nonce


def cert_id_of(certificate: Certificate, issuer: Certificate, *, digest: str = "sha1") -> CertID:
    """Return how a request names ``certificate`` of ``issuer``."""
    builder = ocsp.OCSPRequestBuilder()
    return read_cert_id(
        builder.add_certificate(certificate.x509, issuer.x509, _DIGESTS[digest]).build()
    )


def build_request(
    certificate: Certificate,
    issuer: Certificate,
    *,
    nonce: bytes | None = None,
    digest: str = "sha1",
) -> bytes:
    """Return the DER request about one certificate; SHA-1 names it where every responder understands it."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(
        certificate.x509, issuer.x509, _DIGESTS[digest]
    )
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def build_error(error: ResponderError) -> bytes:
    """Return the unsigned DER response that gives no status."""
    status = ocsp.OCSPResponseStatus[error.name]
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def read_cert_id(source: ocsp.OCSPRequest | ocsp.OCSPSingleResponse) -> CertID:
    """Return the CertID of a request or an answer; ValueError when its digest is neither SHA-1 nor SHA-256."""
    digest = source.hash_algorithm.name
    if digest not in _DIGESTS:
        raise ValueError(f"named by {digest}")
    return CertID(
        digest=digest,
        issuer_name_hash=source.issuer_name_hash,
        issuer_key_hash=source.issuer_key_hash,
        serial=source.serial_number,
    )


def read_nonce(extensions: x509.Extensions) -> bytes | None:
    """Return the nonce of a request or an answer; ValueError for any other critical extension."""
    nonce = None
    for extension in extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            nonce = extension.value.nonce
        elif extension.critical:
            raise ValueError(f"critical extension {extension.oid.dotted_string}")
    return nonce
