"""Trust anchors: a certificate or a name and a key (RFC 5280 §6.1.1 d), in one form."""

from functools import cached_property
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge
from inkan.crypto.der import verify_der
from inkan.crypto.validation.certificate import (
    REFUSALS,
    PathCertificate,
    key_hash,
    read_certificate,
)
from inkan.crypto.validation.names import CanonicalName, canonical_name
from inkan.crypto.validation.settings import Anchor, KeyAnchor
from inkan.crypto.validation.verdict import Reason, Refused, Step

MAX_NAME: Final = 4096
MAX_SPKI: Final = 2048


class TrustAnchor:
    """A name and a key that are trusted.

    Attributes:
        subject: comparable name.
        spki: DER SubjectPublicKeyInfo.
        certificate: None for a bare name and key.
    """

    def __init__(
        self, name: x509.Name, spki: bytes, certificate: PathCertificate | None = None
    ) -> None:
        self._name = name
        self.subject: CanonicalName = canonical_name(name)
        self.spki = spki
        self.certificate = certificate

    @property
    def key_id(self) -> bytes | None:
        """SubjectKeyIdentifier of its certificate."""
        return self.certificate.subject_key_id if self.certificate else None

    @cached_property
    def key_sha1(self) -> bytes:
        """SHA-1 of the key's bits."""
        return key_hash(self.spki)

    @cached_property
    def name_der(self) -> bytes:
        """The name as its certificate spells it."""
        return self._name.public_bytes()

    def admits(self, usage: str) -> bool:
        """Whether its certificate, if it has one, admits this use of the key."""
        return self.certificate is None or self.certificate.admits(usage)

    @property
    def step(self) -> Step:
        """How a path names it."""
        sha256 = self.certificate.sha256 if self.certificate else None
        return Step(subject=self._name.rfc4514_string(), sha256=sha256)


def read_anchor(anchor: Anchor) -> TrustAnchor:
    """Return an anchor in its comparable form.

    Raises:
        Refused: not a certificate that passes the gate, or no name and key.
    """
    if isinstance(anchor, KeyAnchor):
        return _of_key(anchor)
    try:
        certificate = read_certificate(anchor)
    except (CertificateMalformed, CertificateTooLarge) as error:
        raise Refused(Reason.ANCHOR_MALFORMED, str(error)) from None
    return TrustAnchor(certificate.x509.subject, certificate.spki, certificate)


def _of_key(anchor: KeyAnchor) -> TrustAnchor:
    if len(anchor.name) > MAX_NAME or len(anchor.spki) > MAX_SPKI:
        raise Refused(Reason.ANCHOR_MALFORMED, "larger than a name and a key are")
    try:
        verify_der(anchor.name)
        verify_der(anchor.spki)
        load_der_public_key(anchor.spki)
        return TrustAnchor(x509.Name.from_bytes(anchor.name), anchor.spki)
    except (*REFUSALS, UnsupportedAlgorithm) as error:
        raise Refused(Reason.ANCHOR_MALFORMED, f"not a name and a key: {error}") from None
