"""The transcript of a ceremony: what people compare afterwards, and what the log keeps the hash of."""

import msgspec
from cryptography import x509

from inkan.kernel.clock import rfc3339
from inkan.pki.model import Authority, CrossCertificate
from inkan.pki.service.custody import Approver
from inkan.pki.service.making import thumbprint

TRANSCRIPT_TYP = "inkan-transcript+jws"


class TranscriptLine(msgspec.Struct, frozen=True):
    """One thing a ceremony made, with the thumbprint that people compare (JPKI-36)."""

    name: str
    role: str
    subject: str
    thumbprint_sha256: str
    not_after: str


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """What a ceremony did.

    Attributes:
        file_sha256: base64url SHA-256 of the ceremony file.
        approvals: the custodians whose cards signed the file.
        made: every certificate, in the order in which they were made.
        revoked: names of authorities and cross-certificates that ended.
    """

    v: int = 1
    kind: str
    title: str
    file_sha256: str
    held_at: str
    is_rehearsal: bool
    approvals: list[Approver]
    made: list[TranscriptLine]
    revoked: list[str] = []


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
