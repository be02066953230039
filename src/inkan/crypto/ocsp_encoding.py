"""Writing OCSP answers octet by octet (RFC 6960 §4.2).

The library's builder takes twice as long, parses the responder's certificate at each call, answers about one
certificate only and dates producedAt by the machine's clock. Here everything that is the same in all answers of a
responder is written once, when its certificate is loaded (decision 0009).
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from cryptography import x509

from inkan.crypto import der_writer as der
from inkan.crypto.certificates import Certificate
from inkan.crypto.crl_encoding import REASON_CODES
from inkan.crypto.keys import PrivateKey
from inkan.crypto.ocsp import CertID, CertificateStatus, OCSPAnswer
from inkan.crypto.path import Revocation

_SUCCESSFUL: Final = bytes.fromhex("0a0100")
_BASIC: Final = bytes.fromhex("06092b0601050507300101")
_NONCE: Final = bytes.fromhex("06092b0601050507300102")
_EXPLICIT_0: Final = 0xA0
_EXPLICIT_1: Final = 0xA1
_BY_KEY: Final = 0xA2
_REVOKED: Final = 0xA1
_GOOD: Final = bytes.fromhex("8000")
_UNKNOWN: Final = bytes.fromhex("8200")
# OCSPResponse, responseBytes, ResponseBytes, response, BasicOCSPResponse.
_RESPONSE: Final = (
    (der.SEQUENCE, _SUCCESSFUL),
    (_EXPLICIT_0, b""),
    (der.SEQUENCE, _BASIC),
    (der.OCTET_STRING, b""),
    (der.SEQUENCE, b""),
)
# responseExtensions: Extensions, Extension, extnValue, Nonce.
_NONCES: Final = (
    (_EXPLICIT_1, b""),
    (der.SEQUENCE, b""),
    (der.SEQUENCE, _NONCE),
    (der.OCTET_STRING, b""),
    (der.OCTET_STRING, b""),
)
_DIGESTS: Final = {
    "sha1": bytes.fromhex("300906052b0e03021a0500"),
    "sha256": bytes.fromhex("300d06096086480165030402010500"),
}


class OCSPSigner:
    """Answers in the name of one delegated responder, whose certificate is enclosed in each of them."""

    def __init__(self, responder: Certificate, key: PrivateKey) -> None:
        """``key`` belongs to the certificate."""
        identifier = x509.SubjectKeyIdentifier.from_public_key(responder.public_key).digest
        self._id = der.value(_BY_KEY, der.value(der.OCTET_STRING, identifier))
        self._enclosed = der.value(_EXPLICIT_0, der.value(der.SEQUENCE, responder.der))
        self._signer = der.Signer(key)

    def sign(
        self,
        answers: Sequence[tuple[CertID, OCSPAnswer]],
        *,
        produced_at: datetime,
        nonce: bytes | None = None,
    ) -> bytes:
        """Return the DER response that states ``answers`` in their order; ``nonce`` is echoed.

        An answer that is to be stored is made without one.
        """
        tbs = der.value(
            der.SEQUENCE,
            self._id,
            der.generalized_time(produced_at),
            der.value(der.SEQUENCE, *(_single(cert_id, answer) for cert_id, answer in answers)),
            _nonce(nonce),
        )
        return der.nested(_RESPONSE, tbs, self._signer.sign(tbs), self._enclosed)


def _single(cert_id: CertID, answer: OCSPAnswer) -> bytes:
    issuer = _issuer(cert_id.digest, cert_id.issuer_name_hash, cert_id.issuer_key_hash)
    return der.value(
        der.SEQUENCE,
        der.value(der.SEQUENCE, issuer, der.integer(cert_id.serial)),
        _status(answer),
        der.generalized_time(answer.this_update),
        _next_update(answer.next_update),
    )


@lru_cache(maxsize=64)
def _issuer(digest: str, name_hash: bytes, key_hash: bytes) -> bytes:
    names = [der.value(der.OCTET_STRING, each) for each in (name_hash, key_hash)]
    return b"".join((_DIGESTS[digest], *names))


@lru_cache(maxsize=64)
def _next_update(moment: datetime) -> bytes:
    return der.value(_EXPLICIT_0, der.generalized_time(moment))


def _status(answer: OCSPAnswer) -> bytes:
    if answer.revocation is not None:
        return _revoked(answer.revocation)
    if answer.status is CertificateStatus.REVOKED:
        raise ValueError("a revoked certificate has a date")
    return _GOOD if answer.status is CertificateStatus.GOOD else _UNKNOWN


def _revoked(revocation: Revocation) -> bytes:
    code = REASON_CODES[revocation.reason]
    # RFC 5280 §5.3.1: no reason code rather than "unspecified".
    reason = b"" if code is None else der.value(der.ENUMERATED, bytes((code,)))
    return der.value(
        _REVOKED,
        der.generalized_time(revocation.revoked_at),
        der.value(_EXPLICIT_0, reason) if reason else b"",
    )


def _nonce(nonce: bytes | None) -> bytes:
    if nonce is None:
        return b""
    return der.nested(_NONCES, nonce)
