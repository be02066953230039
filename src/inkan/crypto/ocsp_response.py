"""OCSP answers of others: which certificate they speak of, who signed them, and until when they count (RFC 6960)."""

import hashlib
from datetime import datetime
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.der import contents_of, end_of
from inkan.crypto.ocsp import (
    LIBRARY_ERRORS,
    STATUS,
    OCSPAnswer,
    cert_id_of,
    read_cert_id,
    read_nonce,
)
from inkan.crypto.path import MAX_OCSP_SIZE, Revocation, RevocationReason
from inkan.crypto.signatures import verify_signature
from inkan.kernel.errors import Forbidden, Malformed, Unavailable

MAX_EMBEDDED: Final = 4

_READ_STATUS: Final = {theirs: ours for ours, theirs in STATUS.items()}


class OCSPResponseMalformed(Malformed):
    """Not one DER OCSP response about one certificate."""

    code = "ocsp_response_malformed"
    title = "The status answer cannot be read"
    public = ()


class OCSPResponderFailed(Unavailable):
    """The responder answered with an error instead of a status."""

    code = "ocsp_responder_failed"
    title = "The status service did not answer the question"
    public = ("status",)


class OCSPResponseMismatch(Forbidden):
    """An answer to another question: another certificate or another nonce."""

    code = "ocsp_response_mismatch"
    title = "The status answer does not belong to the question"


class OCSPResponseStale(Unavailable):
    """The answer is not in force at the time of the check."""

    code = "ocsp_response_stale"
    title = "The status answer is not current"
    public = ("this_update", "next_update")


class OCSPResponseUntrusted(Forbidden):
    """The answer was not signed by the authority or by a responder that it appointed."""

    code = "ocsp_response_untrusted"
    title = "The status answer does not come from the authority"


class VerifiedOCSP(msgspec.Struct, frozen=True, kw_only=True):
    """An authentic answer in force.

    Attributes:
        answer: what it states.
        responder_sha256: thumbprint of the certificate whose key signed it.
        sha256: of the response's DER.
    """

    answer: OCSPAnswer
    responder_sha256: bytes
    sha256: bytes


def parse_response(der: bytes) -> ocsp.OCSPResponse:
    """Return the successful response, about exactly one certificate, of strict DER bytes; nothing verified.

    Raises:
        OCSPResponseMalformed: any other bytes, more than 16 KiB, an unknown critical extension, no nextUpdate.
        OCSPResponderFailed: an error instead of a status.
    """
    if len(der) > MAX_OCSP_SIZE:
        raise OCSPResponseMalformed("larger than any accepted response")
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise OCSPResponderFailed(status=response.response_status.name.lower())
        (single,) = response.responses
        # The library reads lazily; what is looked at later is looked at now.
        read_nonce(response.extensions)
        read_cert_id(single)
        _read_answer(single)
        _ = response.certificates, response.responder_name, response.single_extensions
        _check_signature_octets(der)
    except LIBRARY_ERRORS as error:
        raise OCSPResponseMalformed(f"not an OCSP response: {error}") from None
    return response


def verify_response(
    der: bytes,
    *,
    certificate: Certificate,
    issuer: Certificate,
    at: datetime,
    nonce: bytes | None = None,
) -> VerifiedOCSP:
    """Return what an authentic answer in force says about ``certificate`` (RFC 6960 §3.2, §4.2.2).

    Plan:
        1. Strict DER of bounded size; a successful response about exactly one certificate; no critical extension.
        2. The certificate asked about, by issuer name, issuer key and serial number.
        3. The nonce, when one was sent.
        4. thisUpdate ≤ at ≤ nextUpdate; without nextUpdate nothing can be relied upon.
        5. The responder: the issuer itself, or an enclosed certificate that the issuer signed, in force, for OCSP
           signing only, and itself exempt from status checks (id-pkix-ocsp-nocheck).
        6. The signature, by an accepted algorithm.

    Raises:
        OCSPResponseMalformed, OCSPResponderFailed: step 1.
        OCSPResponseMismatch: steps 2 and 3.
        OCSPResponseStale: step 4.
        OCSPResponseUntrusted, CertificateMalformed: steps 5 and 6.
    """
    response = parse_response(der)  # 1
    (single,) = response.responses
    _verify_question(response, single, certificate, issuer, nonce)  # 2, 3
    answer = _read_answer(single)
    if not answer.this_update <= at <= answer.next_update:  # 4
        raise OCSPResponseStale(this_update=answer.this_update, next_update=answer.next_update)
    responder = _responder(response, issuer, at)  # 5
    try:
        verify_signature(  # 6
            responder.public_key,
            response.signature,
            response.tbs_response_bytes,
            algorithm=response.signature_algorithm_oid,
        )
    except InvalidSignature:
        raise OCSPResponseUntrusted("the signature does not hold") from None
    return VerifiedOCSP(
        answer=answer,
        responder_sha256=responder.sha256,
        sha256=hashlib.sha256(der).digest(),
    )


def _check_signature_octets(der: bytes) -> None:
    """Raise ValueError unless the signature is whole octets: what the library passes over, as for certificates.

    OCSPResponse holds a status, then [0] with the type and an OCTET STRING around BasicOCSPResponse, whose third
    element is the signature (RFC 6960 §4.2.1). The bytes were parsed before, so that the offsets are sound.
    """
    status = contents_of(der, 0)
    response_type = contents_of(der, contents_of(der, end_of(der, status)))
    basic = contents_of(der, end_of(der, response_type))
    signed = contents_of(der, basic)
    signature = end_of(der, end_of(der, signed))
    if der[contents_of(der, signature)] != 0:
        raise ValueError("the signature is not whole octets")


def _verify_question(
    response: ocsp.OCSPResponse,
    single: ocsp.OCSPSingleResponse,
    certificate: Certificate,
    issuer: Certificate,
    nonce: bytes | None,
) -> None:
    answered = read_cert_id(single)
    if answered != cert_id_of(certificate, issuer, digest=answered.digest):
        raise OCSPResponseMismatch("about another certificate")
    if nonce is not None and read_nonce(response.extensions) != nonce:
        raise OCSPResponseMismatch("with another nonce")


def _read_answer(single: ocsp.OCSPSingleResponse) -> OCSPAnswer:
    revocation = None
    if single.revocation_time_utc is not None:
        flag = single.revocation_reason
        reason = RevocationReason.UNSPECIFIED if flag is None else RevocationReason(flag.value)
        revocation = Revocation(revoked_at=single.revocation_time_utc, reason=reason)
    if single.next_update_utc is None:
        raise OCSPResponseMalformed("without nextUpdate")
    return OCSPAnswer(
        status=_READ_STATUS[single.certificate_status],
        this_update=single.this_update_utc,
        next_update=single.next_update_utc,
        revocation=revocation,
    )


def _responder(response: ocsp.OCSPResponse, issuer: Certificate, at: datetime) -> Certificate:
    """The certificate whose key must have signed, named by the responder id."""
    if _is_named(response, issuer):
        return issuer
    enclosed = response.certificates
    if len(enclosed) > MAX_EMBEDDED:
        raise OCSPResponseUntrusted("more certificates than a responder needs")
    for parsed in enclosed:
        candidate = parse_certificate(parsed.public_bytes(Encoding.DER))
        if _is_named(response, candidate) and _is_appointed(candidate, issuer, at):
            return candidate
    raise OCSPResponseUntrusted("signed by nobody whom the authority appointed")


def _is_named(response: ocsp.OCSPResponse, candidate: Certificate) -> bool:
    if response.responder_name is not None:
        return response.responder_name == candidate.subject
    identifier = x509.SubjectKeyIdentifier.from_public_key(candidate.public_key)
    return response.responder_key_hash == identifier.digest


def _is_appointed(candidate: Certificate, issuer: Certificate, at: datetime) -> bool:
    """RFC 6960 §4.2.2.2: signed by the issuer itself, for OCSP signing, without a status of its own to check."""
    try:
        candidate.x509.verify_directly_issued_by(issuer.x509)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return (
        candidate.not_before <= at <= candidate.not_after
        and candidate.extended_key_usage == {ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string}
        and "digitalSignature" in candidate.key_usage
        and candidate.find_extension(ExtensionOID.OCSP_NO_CHECK.dotted_string) is not None
    )
