"""The certificate of a client's TLS connection: a key, a term and a thumbprint (RFC 8705).

It is a wrapper around a key that is known already, often self-signed, so that its path, roles and names say nothing:
this is not the gate of :mod:`inkan.crypto.certificates`.
"""

from datetime import datetime
from hashlib import sha256

import msgspec
from cryptography import x509

from inkan.crypto import base64url
from inkan.crypto.certificates import CERTIFICATE_LIMIT, CertificateMalformed, CertificateTooLarge
from inkan.crypto.keys import PublicKey
from inkan.crypto.x509_admission import LIBRARY_REFUSALS, admitted_key, check_key_size


class ClientCertificate(msgspec.Struct, frozen=True):
    """What is read of it.

    Attributes:
        key: RSA of 2048 to 8192 bits, or on a NIST prime curve.
        x5t: base64url SHA-256 of the DER: ``x5t#S256`` (RFC 8705 §3.1).
        not_before, not_after: the first and the last valid second, aware UTC.
    """

    key: PublicKey
    x5t: str
    not_before: datetime
    not_after: datetime


def parse_client_certificate(der: bytes) -> ClientCertificate:
    """Return the certificate of a DER encoding.

    Raises:
        CertificateTooLarge: more than 16 KiB.
        CertificateMalformed: no certificate, or a key of another kind.
    """
    if len(der) > CERTIFICATE_LIMIT:
        raise CertificateTooLarge(limit_bytes=CERTIFICATE_LIMIT)
    try:
        parsed = x509.load_der_x509_certificate(der)
        key = admitted_key(parsed)
        check_key_size(key)
        return ClientCertificate(
            key=key,
            x5t=certificate_thumbprint(der),
            not_before=parsed.not_valid_before_utc,
            not_after=parsed.not_valid_after_utc,
        )
    except LIBRARY_REFUSALS as error:
        raise CertificateMalformed(f"no client certificate: {error}") from None


def certificate_thumbprint(der: bytes) -> str:
    """Return ``x5t#S256`` of a certificate (RFC 8705 §3.1)."""
    return base64url.encode(sha256(der).digest())
