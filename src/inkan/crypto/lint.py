"""What a linter says of a certificate, CRL or OCSP response. Data only; the linters run in a worker.

Nothing is signed before its unsigned twin has been linted (design §5.2 step 5), so a report decides an issue:
errors stop it, warnings are recorded.
"""

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How grave a finding is, as pkilint grades it."""

    FATAL = "fatal"
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"
    INFO = "info"
    DEBUG = "debug"


class CertificateLinter(StrEnum):
    """Which rules a certificate is held against; the ETSI sets (EN 319 412) contain the PKIX set."""

    PKIX = "pkix"
    ETSI_NATURAL_PERSON = "etsi_natural_person"
    ETSI_LEGAL_PERSON = "etsi_legal_person"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One departure from one rule.

    Attributes:
        severity: see :class:`Severity`.
        code: pkilint's name of the rule, for example ``pkix.crl_number_missing``.
        where: path of the element inside the document.
        message: what pkilint adds, or empty.
    """

    severity: Severity
    code: str
    where: str
    message: str


class LintReport(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of severity notice and above, in document order."""

    findings: tuple[Finding, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What must stop an issue."""
        return self._of(Severity.FATAL, Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What an officer should see."""
        return self._of(Severity.WARNING)

    def _of(self, *severities: Severity) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.severity in severities)
