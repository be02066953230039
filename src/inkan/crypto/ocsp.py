"""OCSP (RFC 6960, in the profile of RFC 5019): requests, and the answers of a responder.

A responder answers with its own short-lived key, never with the authority's. One request asks about one certificate.
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
from inkan.crypto.keys import PrivateKey
from inkan.crypto.path import Revocation, RevocationReason
from inkan.crypto.signatures import digest_for
from inkan.crypto.x509_admission import LIBRARY_REFUSALS
from inkan.kernel.errors import Malformed, TooLarge

MAX_REQUEST_SIZE: Final = 4096
NONCE_SIZES: Final = range(1, 128 + 1)

LIBRARY_ERRORS: Final = (*LIBRARY_REFUSALS, NotImplementedError)


class OCSPRequestMalformed(Malformed):
    """Not one DER OCSP request about one certificate."""

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
    """A parsed request."""

    cert_id: CertID
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

    Raises:
        OCSPRequestTooLarge: more than 4 KiB.
        OCSPRequestMalformed: not DER, about several certificates, by another digest than SHA-1 or SHA-256, with an
            unknown critical extension, or with a nonce outside 1 to 128 bytes (RFC 9654).
    """
    if len(der) > MAX_REQUEST_SIZE:
        raise OCSPRequestTooLarge(limit_bytes=MAX_REQUEST_SIZE)
    try:
        request = ocsp.load_der_ocsp_request(der)
        cert_id = read_cert_id(request)
        nonce = read_nonce(request.extensions)
    except LIBRARY_ERRORS as error:
        raise OCSPRequestMalformed(f"not an OCSP request: {error}") from None
    if cert_id.serial < 0 or (nonce is not None and len(nonce) not in NONCE_SIZES):
        raise OCSPRequestMalformed("a negative serial number or a nonce of an impossible size")
    return OCSPRequest(cert_id=cert_id, nonce=nonce)


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


def build_response(
    request: OCSPRequest, answer: OCSPAnswer, *, responder: Certificate, key: PrivateKey
) -> bytes:
    """Return the DER response to a request, signed by a delegated responder whose certificate is enclosed.

    The nonce is echoed; an answer to be stored is built for a request without one. The library lets nobody choose
    producedAt, which is the machine's time; no verifier decides by it.
    """
    cert_id, revocation = request.cert_id, answer.revocation
    revoked_at = reason = None
    if revocation is not None:
        revoked_at = revocation.revoked_at
        if revocation.reason is not RevocationReason.UNSPECIFIED:
            reason = x509.ReasonFlags(revocation.reason.value)
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            cert_id.issuer_name_hash,
            cert_id.issuer_key_hash,
            cert_id.serial,
            _DIGESTS[cert_id.digest],
            STATUS[answer.status],
            answer.this_update,
            answer.next_update,
            revoked_at,
            reason,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder.x509)
        .certificates([responder.x509])
    )
    if request.nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(request.nonce), critical=False)
    return builder.sign(key, digest_for(key)).public_bytes(Encoding.DER)


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
