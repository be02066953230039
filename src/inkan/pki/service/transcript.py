"""The lines of a ceremony's transcript: what people compare afterwards, and what the log keeps the hash of."""

from cryptography import x509

from inkan.kernel.clock import rfc3339
from inkan.pki.model import Authority, CrossCertificate
from inkan.pki.service.making import thumbprint
from inkan.wire.ceremony_transcript import TranscriptLine


def transcript_line(authority: Authority) -> TranscriptLine:
    """What the transcript says of an authority's certificate."""
    return _line(authority.name, authority.role.value, authority.certificate)


def cross_line(cross: CrossCertificate) -> TranscriptLine:
    """What the transcript says of a cross-certificate."""
    return _line(cross.name, "link" if cross.is_link else "cross", cross.certificate)


def _line(name: str, role: str, der: bytes) -> TranscriptLine:
    certificate = x509.load_der_x509_certificate(der)
    return TranscriptLine(
        name=name,
        role=role,
        subject=certificate.subject.rfc4514_string(),
        thumbprint_sha256=thumbprint(der),
        not_after=rfc3339(certificate.not_valid_after_utc),
    )
