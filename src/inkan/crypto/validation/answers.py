"""OCSP answers as path validation sees them (RFC 6960): what they tell of a certificate, and who signed them."""

import hashlib
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from inkan.crypto import der_reader
from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge
from inkan.crypto.der import verify_der
from inkan.crypto.ocsp_response import MAX_EMBEDDED, OCSPResponseMalformed
from inkan.crypto.path import MAX_OCSP_SIZE, RevocationReason
from inkan.crypto.validation.algorithms import Signed
from inkan.crypto.validation.anchors import TrustAnchor
from inkan.crypto.validation.certificate import (
    MAX_DEPTH,
    REFUSALS,
    PathCertificate,
    read_certificate,
)
from inkan.crypto.validation.lists import Entry
from inkan.crypto.validation.names import CanonicalName, canonical_name
from inkan.crypto.validation.settings import Settings

MAX_SINGLES: Final = 16
_SIGNING: Final = ExtendedKeyUsageOID.OCSP_SIGNING.dotted_string
_ECDSA: Final = frozenset(
    {
        SignatureAlgorithmOID.ECDSA_WITH_SHA1,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
_RSA: Final = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA1,
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
    }
)
_CRITICAL: Final = b"\x01\x01\xff"
_DIGESTS: Final = frozenset({"sha1", "sha256", "sha384", "sha512"})


class AnswerStatus(StrEnum):
    """What an answer says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Told(NamedTuple):
    """One status, in force; the entry exactly when revoked."""

    status: AnswerStatus
    entry: Entry | None = None


class _Single(NamedTuple):
    digest: str
    name_hash: bytes
    key_hash: bytes
    serial: int
    told: Told
    this_update: datetime
    next_update: datetime | None


class _Artefact:
    """A response with the properties that certificates and lists have."""

    def __init__(self, response: ocsp.OCSPResponse) -> None:
        self.signature = response.signature
        self.signature_algorithm_oid = response.signature_algorithm_oid
        self.signature_hash_algorithm = response.signature_hash_algorithm

    @property
    def signature_algorithm_parameters(self) -> Any:
        """Padding or scheme; ValueError for RSA-PSS and whatever else no responder uses."""
        digest = self.signature_hash_algorithm
        if digest is None:
            raise ValueError("not an algorithm of responders")
        if self.signature_algorithm_oid in _ECDSA:
            return ECDSA(digest)
        if self.signature_algorithm_oid in _RSA:
            return PKCS1v15()
        raise ValueError("not an algorithm of responders")


class Answer:
    """A response that could be read; nothing is verified.

    Attributes:
        responder_name: comparable name of the signer, when it is named so.
        responders: enclosed certificates that passed the gate.
        nonce: that it repeats.
        signed: what was signed.
    """

    def __init__(self, der: bytes) -> None:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise ValueError(f"an error instead of a status: {response.response_status.name}")
        name = response.responder_name
        self.responder_name: CanonicalName | None = None if name is None else canonical_name(name)
        self._key_hash: bytes | None = response.responder_key_hash
        self._singles = [_single(row) for row in response.responses]
        self.nonce = _nonce(response.extensions)
        if len(self._singles) == 1:
            _refuse_critical(response.single_extensions)
        elif _CRITICAL in response.tbs_response_bytes:
            # The library shows extensions of a single status only when it is the only one.
            raise ValueError("a critical extension among several statuses")
        self._embedded = [row.public_bytes(Encoding.DER) for row in response.certificates]
        if len(self._singles) > MAX_SINGLES or len(self._embedded) > MAX_EMBEDDED:
            raise ValueError("more statuses or certificates than an answer needs")
        self.signed = Signed(_Artefact(response), response.tbs_response_bytes)

    @cached_property
    def responders(self) -> list[PathCertificate]:
        """The enclosed certificates; one that does not pass the gate appoints nobody."""
        found = []
        for der in self._embedded:
            try:
                found.append(read_certificate(der))
            except (CertificateMalformed, CertificateTooLarge):
                continue
        return found

    def is_by(self, signer: PathCertificate | TrustAnchor) -> bool:
        """Whether the responder id names this signer."""
        if self.responder_name is not None:
            return self.responder_name == signer.subject
        return self._key_hash == signer.key_sha1

    def tell(
        self,
        certificate: PathCertificate,
        issuer: PathCertificate | TrustAnchor,
        settings: Settings,
    ) -> Told | None:
        """Return what it says of a certificate at the time of the check; None when it says nothing that counts."""
        nonce = settings.require.nonce
        if nonce is not None and self.nonce != nonce:
            return None
        name, key = certificate.x509.issuer.public_bytes(), key_bits(issuer.spki)
        for row in self._singles:
            if row.serial != certificate.serial:
                continue
            same_name = (
                hashlib.new(row.digest, name, usedforsecurity=False).digest() == row.name_hash
            )
            same_key = hashlib.new(row.digest, key, usedforsecurity=False).digest() == row.key_hash
            is_current = (
                row.next_update is not None and row.this_update <= settings.at <= row.next_update
            )
            if same_name and same_key and is_current:
                return row.told
        return None


def read_answer(der: bytes) -> Answer:
    """Return an answer of DER bytes (at most 16 KiB), strictly read; nothing verified.

    Raises:
        OCSPResponseMalformed: any other bytes, an error instead of a status, an unknown critical extension.
    """
    if len(der) > MAX_OCSP_SIZE:
        raise OCSPResponseMalformed("larger than any accepted response")
    try:
        verify_der(der, max_depth=MAX_DEPTH)
        return Answer(der)
    except REFUSALS as error:
        raise OCSPResponseMalformed(f"not an OCSP response: {error}") from None


def is_responder(certificate: PathCertificate, at: datetime) -> bool:
    """Whether a certificate says of itself that it signs OCSP answers, and is in force (RFC 6960 §4.2.2.2)."""
    return (
        certificate.not_before <= at <= certificate.not_after
        and _SIGNING in certificate.extended_key_usage
        and certificate.admits("digitalSignature")
        and certificate.unknown_critical is None
    )


def key_bits(spki: bytes) -> bytes:
    """The bits of a DER SubjectPublicKeyInfo, which OCSP hashes."""
    return der_reader.children(der_reader.read(spki).contents)[1].contents[1:]


def _single(row: ocsp.OCSPSingleResponse) -> _Single:
    digest = row.hash_algorithm.name
    if digest not in _DIGESTS:
        raise ValueError(f"a certificate named by {digest}")
    told = Told(AnswerStatus(row.certificate_status.name.lower()))
    if row.revocation_time_utc is not None:
        flag = row.revocation_reason
        reason = RevocationReason.UNSPECIFIED if flag is None else RevocationReason(flag.value)
        told = told._replace(entry=Entry(row.revocation_time_utc, reason))
    return _Single(
        digest,
        row.issuer_name_hash,
        row.issuer_key_hash,
        row.serial_number,
        told,
        row.this_update_utc,
        row.next_update_utc,
    )


def _nonce(extensions: x509.Extensions) -> bytes | None:
    nonce = None
    for row in extensions:
        if isinstance(row.value, x509.OCSPNonce):
            nonce = row.value.nonce
    _refuse_critical(extensions)
    return nonce


def _refuse_critical(extensions: x509.Extensions) -> None:
    for row in extensions:
        if row.critical and not isinstance(row.value, x509.OCSPNonce):
            raise ValueError(f"critical extension {row.oid.dotted_string}")
