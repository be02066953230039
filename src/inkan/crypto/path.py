"""Certification paths: what a verifier demands, what it gets, and why a certificate is refused. Data only.

The check itself runs in a worker (:mod:`inkan.crypto.workers.validation`); every setting is an argument, nothing is
fetched and nothing is trusted by default. Revocation is required for every certificate below the anchor and fails
closed: no usable evidence is a refusal of its own, :class:`RevocationUnknown`, never an acceptance.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from inkan.kernel.errors import Forbidden, TooLarge, Unavailable

MAX_CERTIFICATES: Final = 8
MAX_PATH: Final = 5
MAX_ANCHORS: Final = 32
MAX_INTERMEDIATES: Final = 24
MAX_EVIDENCE: Final = 16
MAX_CRL_SIZE: Final = 4 * 1024 * 1024
MAX_OCSP_SIZE: Final = 16 * 1024


class CertificateUntrusted(Forbidden):
    """No path of valid signatures, names and constraints leads from the certificate to an accepted anchor."""

    code = "certificate_untrusted"
    title = "The certificate was not issued by an accepted authority"


class CertificateExpired(Forbidden):
    """The certificate, or one above it, had ended at the time of the check."""

    code = "certificate_expired"
    title = "The certificate has expired"
    public = ("ended_at",)


class CertificateNotYetValid(Forbidden):
    """The certificate, or one above it, had not begun at the time of the check."""

    code = "certificate_not_yet_valid"
    title = "The certificate is not valid yet"
    public = ("begins_at",)


class CertificateRevoked(Forbidden):
    """The certificate, or one above it, was revoked; ``reason`` by its name in RFC 5280 §5.3.1."""

    code = "certificate_revoked"
    title = "The certificate has been revoked"
    public = ("reason", "revoked_at")


class CertificateWrongPurpose(Forbidden):
    """Key usage or extended key usage do not admit what the key was used for."""

    code = "certificate_wrong_purpose"
    title = "The certificate may not be used for this"


class CertificatePolicyUnmet(Forbidden):
    """The path asserts none of the demanded certificate policies."""

    code = "certificate_policy_unmet"
    title = "The certificate was not issued under a policy that is accepted here"


class RevocationUnknown(Unavailable):
    """No fresh, authentic CRL or OCSP answer covers a certificate of the path; nothing was decided."""

    code = "revocation_unknown"
    title = "Whether the certificate has been revoked cannot be established at the moment"


class PathTooLarge(TooLarge):
    """More certificates or evidence, or larger ones, than a path may bring along."""

    code = "path_too_large"
    title = "Too many or too large certificates were sent along"


class KeyUsage(StrEnum):
    """The bits of the key usage extension (RFC 5280 §4.2.1.3) that a signer's certificate can be asked for."""

    DIGITAL_SIGNATURE = "digitalSignature"
    CONTENT_COMMITMENT = "contentCommitment"
    KEY_CERT_SIGN = "keyCertSign"
    CRL_SIGN = "cRLSign"


class RevocationReason(StrEnum):
    """Why a certificate was revoked, by its name in RFC 5280 §5.3.1."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"
    CERTIFICATE_HOLD = "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"
    AA_COMPROMISE = "aACompromise"


class Revocation(msgspec.Struct, frozen=True, kw_only=True):
    """When and why a certificate was revoked.

    Attributes:
        revoked_at: aware, to the second.
        reason: ``unspecified`` when none was given.
    """

    revoked_at: datetime
    reason: RevocationReason = RevocationReason.UNSPECIFIED


class EvidenceKind(StrEnum):
    """How a certificate was shown not to be revoked."""

    CRL = "crl"
    OCSP = "ocsp"


class ValidationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a path has to satisfy. Nothing has a default that could let something through.

    Attributes:
        anchors: DER certificates that are trusted as they are, at most 32; must be in force at ``at``.
        at: the time for which everything is judged, aware.
        key_usage: every one of these bits must be set in the certificate.
        policies: at least one of these certificate policies (dotted OIDs) must hold for the whole path, in the
            domain of the anchor (RFC 5280 §6.1.1 c, e); empty demands none, and is the caller's explicit word.
        extended_key_usage: every one of these purposes (dotted OIDs) must be listed.
        intermediates: DER certificates for building the path, at most 24, trusted for nothing.
        crls: DER CRLs, at most 16.
        ocsps: DER OCSP responses, at most 16.
        max_path: how many certificates a path has at most, certificate and anchor included.
    """

    anchors: tuple[bytes, ...]
    at: datetime
    key_usage: frozenset[KeyUsage]
    policies: frozenset[str]
    extended_key_usage: frozenset[str] = frozenset()
    intermediates: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()
    ocsps: tuple[bytes, ...] = ()
    max_path: int = MAX_PATH


class RevocationEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """One artefact that shows one certificate of the path not revoked.

    Attributes:
        certificate_sha256: thumbprint of the certificate that it speaks of.
        kind: CRL or OCSP.
        sha256: of the artefact's DER.
        this_update: when it was true.
        next_update: until when it may be relied upon.
    """

    certificate_sha256: bytes
    kind: EvidenceKind
    sha256: bytes
    this_update: datetime
    next_update: datetime


class ValidatedPath(msgspec.Struct, frozen=True, kw_only=True):
    """A path that holds.

    Attributes:
        chain: SHA-256 thumbprints from the certificate to the anchor.
        policies: the certificate policies that hold, in the domain of the anchor; empty when none was demanded
            and none holds.
        evidence: for every certificate but the anchor at least one.
        at: the time for which it holds.
    """

    chain: tuple[bytes, ...]
    policies: frozenset[str]
    evidence: tuple[RevocationEvidence, ...]
    at: datetime
