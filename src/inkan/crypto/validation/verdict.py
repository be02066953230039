"""What a validation answers: one of three words, one stable reason, and the path that it speaks of."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from inkan.crypto.path import (
    CertificateExpired,
    CertificateNotYetValid,
    CertificatePolicyUnmet,
    CertificateRevoked,
    CertificateUntrusted,
    CertificateWrongPurpose,
    PathTooLarge,
    RevocationUnknown,
)
from inkan.kernel.errors import InkanError


class Status(StrEnum):
    """Proved, disproved, or not enough to say."""

    VALID = "valid"
    INVALID = "invalid"
    INDETERMINATE = "indeterminate"


class Reason(StrEnum):
    """Why; each belongs to one status (:data:`STATUS`). Stable: programs decide by it."""

    OK = "ok"
    CERTIFICATE_MALFORMED = "certificate_malformed"
    CERTIFICATE_TOO_LARGE = "certificate_too_large"
    NO_PATH = "no_path"
    SIGNATURE_INVALID = "signature_invalid"
    ALGORITHM_REFUSED = "algorithm_refused"
    EXPIRED = "certificate_expired"
    NOT_YET_VALID = "certificate_not_yet_valid"
    CRITICAL_EXTENSION = "critical_extension_unknown"
    NOT_AUTHORITY = "issuer_not_authority"
    ISSUER_KEY_USAGE = "issuer_key_usage"
    PATH_LENGTH = "path_length_exceeded"
    NAME_CONSTRAINTS = "name_constraints_violated"
    POLICY = "policy_unmet"
    POLICY_MAPPING = "policy_mapping_invalid"
    BRIDGE = "bridge_refused"
    PROFILE = "profile_violated"
    PURPOSE = "wrong_purpose"
    REVOKED = "certificate_revoked"
    REVOCATION_UNKNOWN = "revocation_unknown"
    EVIDENCE_MALFORMED = "evidence_malformed"
    ANCHOR_MALFORMED = "anchor_malformed"
    TOO_MANY = "too_many_inputs"
    TOO_COMPLEX = "too_complex"
    REQUEST_MALFORMED = "request_malformed"


_UNDECIDED: Final = frozenset(
    {
        Reason.REVOCATION_UNKNOWN,
        Reason.EVIDENCE_MALFORMED,
        Reason.ANCHOR_MALFORMED,
        Reason.TOO_MANY,
        Reason.TOO_COMPLEX,
        Reason.REQUEST_MALFORMED,
    }
)
STATUS: Final[Mapping[Reason, Status]] = {
    reason: Status.INDETERMINATE if reason in _UNDECIDED else Status.INVALID for reason in Reason
} | {Reason.OK: Status.VALID}


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate of a path.

    Attributes:
        subject: RFC 4514 text.
        sha256: lower-case thumbprint; None for an anchor that is a name and a key.
    """

    subject: str
    sha256: str | None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        reason: see :class:`Reason`.
        detail: one English clause for whoever looks into it; empty when valid.
        path: from the certificate to the anchor; of a refusal the path that the reason is about, or empty.
        policies: user-constrained-policy-set (RFC 5280 §6.1.6) of a valid path, sorted.
        facts: ``ended_at``, ``begins_at``, ``revoked_at`` (aware), ``revocation_reason``, ``certificate`` (thumbprint).
        signatures: how many were verified anew.
        candidates: how many paths were looked at.
    """

    reason: Reason
    detail: str = ""
    path: tuple[Step, ...] = ()
    policies: tuple[str, ...] = ()
    facts: Mapping[str, Any] = {}
    signatures: int = 0
    candidates: int = 0

    @property
    def status(self) -> Status:
        """Valid, invalid or indeterminate."""
        return STATUS[self.reason]

    def require_valid(self) -> None:
        """Return when the path is valid, else raise the refusal that the rest of the platform knows.

        Raises:
            CertificateRevoked, CertificateExpired, CertificateNotYetValid, CertificateWrongPurpose,
            CertificatePolicyUnmet, RevocationUnknown, PathTooLarge, CertificateUntrusted.
        """
        if self.reason is not Reason.OK:
            raise _refusal(self)


class Refused(Exception):
    """Inside the package only: this path does not hold, or this artefact does not count."""

    def __init__(self, reason: Reason, detail: str = "", **facts: str | datetime) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.facts: dict[str, Any] = dict(facts)


class Exhausted(Refused):
    """Inside the package only: a bound was reached; nothing more is looked at."""


def _refusal(verdict: Verdict) -> InkanError:
    facts = verdict.facts
    match verdict.reason:
        case Reason.REVOKED:
            return CertificateRevoked(
                reason=facts["revocation_reason"], revoked_at=facts["revoked_at"]
            )
        case Reason.EXPIRED:
            return CertificateExpired(ended_at=facts["ended_at"])
        case Reason.NOT_YET_VALID:
            return CertificateNotYetValid(begins_at=facts["begins_at"])
        case Reason.PURPOSE:
            return CertificateWrongPurpose(verdict.detail)
        case Reason.POLICY:
            return CertificatePolicyUnmet(verdict.detail)
        case Reason.REVOCATION_UNKNOWN | Reason.EVIDENCE_MALFORMED:
            return RevocationUnknown(verdict.detail)
        case Reason.TOO_MANY:
            return PathTooLarge(verdict.detail)
        case reason:
            return CertificateUntrusted(f"{reason}: {verdict.detail}")
