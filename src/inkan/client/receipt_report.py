"""What the offline verifier answers: a verdict of three values, the checks, and what was taken on trust."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.wire.evidence import PlatformWord
from inkan.wire.receipt import Receipt


class Verdict(StrEnum):
    """The three answers (ETSI EN 319 102-1 §5.1): proved, disproved, or not enough to say."""

    VALID = "valid"
    INVALID = "invalid"
    INDETERMINATE = "indeterminate"


class Result(StrEnum):
    """How one check ended.

    ``unknown`` leaves the verdict open; ``unproved`` does not: what the check would have proved stays the
    platform's word.
    """

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    UNPROVED = "unproved"


class Trust(StrEnum):
    """What a verdict of ``valid`` rests on beyond cryptography: the platform's word."""

    APPROVAL = "approval"
    LOGGED = "logged"
    SIGNER_STATUS = "signer_status"
    SUBJECT = PlatformWord.SUBJECT
    CLAIMS = PlatformWord.CLAIMS
    BINDING = PlatformWord.BINDING
    YOUNG = PlatformWord.YOUNG
    BACK_END = PlatformWord.BACK_END
    TIMES = PlatformWord.TIMES
    STATUS = PlatformWord.STATUS
    SHOWN = PlatformWord.SHOWN


SENTENCES: Final[Mapping[Trust, str]] = MappingProxyType(
    {
        Trust.APPROVAL: "that a person approved this at all: no evidence was given",
        Trust.LOGGED: "that the decision stands in the audit log",
        Trust.SIGNER_STATUS: "that the receipt signer's certificate was not revoked",
        Trust.SUBJECT: "that the reference stands for the holder of the certificate",
        Trust.CLAIMS: "the values of the attributes",
        Trust.BINDING: "how the approval was tied to the asking browser",
        Trust.YOUNG: "how old the phone's binding was",
        Trust.BACK_END: "where the phone keeps its keys",
        Trust.TIMES: "the times of decision and release: no authority has stamped them",
        Trust.STATUS: "that the phone was active, and that no suspension was lifted in between",
        Trust.SHOWN: "that the words on the screen were those of the template",
    }
)


_OPEN: Final = frozenset({Result.FAILED, Result.UNKNOWN})


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered step of the plan and how it ended."""

    number: int
    name: str
    result: Result
    detail: str = ""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to "does this receipt hold?".

    Attributes:
        verdict: the answer.
        at: the time for which it was asked, aware; None when the receipt could not even be read.
        receipt: what it says; None when it could not be read. Means nothing unless the verdict is ``valid``.
        checks: the steps that were taken, in their order; the first failure ends them.
        rests_on_platform: what the verdict takes on the platform's word.
    """

    verdict: Verdict
    at: datetime | None
    receipt: Receipt | None
    checks: tuple[Check, ...]
    rests_on_platform: tuple[Trust, ...]

    @property
    def summary(self) -> str:
        """One line for a log: the verdict and the first check that decided against it or left it open."""
        open_ones = (check for check in self.checks if check.result in _OPEN)
        first = next(open_ones, None)
        if first is None:
            return str(self.verdict)
        return f"{self.verdict}: {first.number}. {first.name}: {first.detail}"

    @property
    def is_logged(self) -> bool:
        """Whether it is proved that the decision stands in the platform's audit log."""
        return Trust.LOGGED not in self.rests_on_platform

    @property
    def trust(self) -> list[str]:
        """What rests on the platform's word, as English sentences."""
        return [SENTENCES[word] for word in self.rests_on_platform]
