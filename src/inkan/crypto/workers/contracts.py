"""The jobs that a child can do: name, arguments, result. Types only, so that the server may import it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from inkan.crypto.certificate_view import CertificateView
from inkan.crypto.cms import SignedContent, VerifiedCMS
from inkan.crypto.lint import CertificateLinter, LintReport
from inkan.crypto.paper import Paper
from inkan.crypto.path import EvidenceKind, ValidatedPath, ValidationPolicy
from inkan.crypto.revocation import RevocationReading


class LintCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a certificate (DER) against one set of rules."""

    der: bytes
    linter: CertificateLinter = CertificateLinter.PKIX


class LintCRL(msgspec.Struct, frozen=True, kw_only=True):
    """Hold a CRL (DER) against RFC 5280."""

    der: bytes


class LintOCSP(msgspec.Struct, frozen=True, kw_only=True):
    """Hold an OCSP response (DER) against RFC 6960."""

    der: bytes


class VerifyPath(msgspec.Struct, frozen=True, kw_only=True):
    """Find a path from a certificate (DER) to an anchor that satisfies the policy."""

    certificate: bytes
    policy: ValidationPolicy


class VerifyCMS(msgspec.Struct, frozen=True, kw_only=True):
    """Verify a CMS SignedData (DER) with exactly this eContentType (dotted OID)."""

    der: bytes
    content_type: str
    policy: ValidationPolicy


class VerifyCMSOf(msgspec.Struct, frozen=True, kw_only=True):
    """Verify a CMS SignedData (DER) of this eContentType by one of these very certificates (SHA-256 of DER)."""

    der: bytes
    content_type: str
    signers: frozenset[bytes]


class ReadRevocation(msgspec.Struct, frozen=True, kw_only=True):
    """Read what a CRL or an OCSP response (DER) says of a certificate of an issuer (both DER)."""

    kind: EvidenceKind
    der: bytes
    certificate: bytes
    issuer: bytes
    at: datetime


class ReadCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """Take a certificate (DER, PEM or base64) apart for people to look at."""

    data: bytes


class WritePaper(msgspec.Struct, frozen=True, kw_only=True):
    """Make PDF of a paper to be printed."""

    paper: Paper


class Contract(msgspec.Struct, frozen=True):
    """Types of one job."""

    arguments: type[msgspec.Struct]
    result: type[Any]


CONTRACTS: Final[Mapping[str, Contract]] = {
    "lint_certificate": Contract(LintCertificate, LintReport),
    "lint_crl": Contract(LintCRL, LintReport),
    "lint_ocsp": Contract(LintOCSP, LintReport),
    "read_certificate": Contract(ReadCertificate, CertificateView),
    "verify_path": Contract(VerifyPath, ValidatedPath),
    "verify_cms": Contract(VerifyCMS, VerifiedCMS),
    "verify_cms_of": Contract(VerifyCMSOf, SignedContent),
    "read_revocation": Contract(ReadRevocation, RevocationReading),
    "write_paper": Contract(WritePaper, bytes),
}
