"""What one list or one answer says of one certificate, by the strict readers of this package.

The evidence may be megabytes that a stranger sent, so servers run this in a worker.
"""

from datetime import datetime
from typing import Final

import msgspec
from cryptography.x509.oid import ExtensionOID

from inkan.crypto import crl, ocsp, ocsp_response
from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.path import EvidenceKind, Revocation, RevocationUnknown

_FRESHEST_CRL: Final = ExtensionOID.FRESHEST_CRL.dotted_string


class RevocationReading(msgspec.Struct, frozen=True, kw_only=True):
    """What authentic evidence in force says of a certificate.

    Attributes:
        revocation: None when the certificate is good.
        this_update: when it was true, aware.
        next_update: until when it may be relied upon, aware.
    """

    revocation: Revocation | None
    this_update: datetime
    next_update: datetime


def read_revocation(
    kind: EvidenceKind, der: bytes, *, certificate: bytes, issuer: bytes, at: datetime
) -> RevocationReading:
    """Return what ``der`` says of ``certificate`` (DER), which ``issuer`` (DER) signed, at ``at``.

    Raises:
        the refusals of :func:`inkan.crypto.crl.verify_crl` with CRLOutOfScope, or of
        :func:`inkan.crypto.ocsp_response.verify_response`: the evidence does not count.
        RevocationUnknown: the authority itself does not know; or a delta list would be needed.
        CertificateMalformed, CertificateTooLarge: one of the certificates.
    """
    leaf, authority = parse_certificate(certificate), parse_certificate(issuer)
    if kind is EvidenceKind.CRL:
        return _read_list(der, leaf, authority, at)
    return _read_answer(der, leaf, authority, at)


def _read_list(
    der: bytes, certificate: Certificate, issuer: Certificate, at: datetime
) -> RevocationReading:
    verified = crl.verify_crl(der, issuer=issuer, at=at)
    revocation = verified.find_revocation(certificate)
    needs_delta = certificate.find_extension(_FRESHEST_CRL) is not None
    if revocation is None and (needs_delta or verified.names_delta):
        raise RevocationUnknown("a delta list has the last word, and is not read here")
    return RevocationReading(
        revocation=revocation,
        this_update=verified.this_update,
        next_update=verified.next_update,
    )


def _read_answer(
    der: bytes, certificate: Certificate, issuer: Certificate, at: datetime
) -> RevocationReading:
    verified = ocsp_response.verify_response(der, certificate=certificate, issuer=issuer, at=at)
    answer = verified.answer
    if answer.revocation is None and answer.status is not ocsp.CertificateStatus.GOOD:
        raise RevocationUnknown("the authority does not know this certificate")
    return RevocationReading(
        revocation=answer.revocation,
        this_update=answer.this_update,
        next_update=answer.next_update,
    )
