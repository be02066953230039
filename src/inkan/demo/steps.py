"""The steps that a story is told in, and what is reported of each."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

import msgspec

from inkan.client import CallRefused
from inkan.kernel.errors import InkanError


class StepReport(msgspec.Struct):
    """One step of the story.

    Attributes:
        binding: the level that an identification reached and its evidence; empty where none was.
    """

    name: str
    door: str
    checks: list[str]
    outcome: str
    ms: float
    binding: str = ""


class StoryReport(msgspec.Struct):
    """What the story found; ``ok`` when every step passed."""

    ok: bool
    steps: list[StepReport]


class CheckFailed(Exception):
    """A check of the story did not hold."""


@dataclass
class Step:
    """A step under way."""

    name: str
    door: str
    checks: list[str] = field(default_factory=list)
    binding: str = ""

    def bound(self, level: str, evidence: Sequence[str]) -> None:
        """Note the binding level of the answer and what it rests on."""
        self.binding = f"{level} ({', '.join(evidence)})" if evidence else level

    def check(self, what: str, holds: object) -> None:
        """Note a check that holds.

        Raises:
            CheckFailed: it does not.
        """
        if not holds:
            raise CheckFailed(f"{self.name}: {what}")
        self.checks.append(what)


async def refused(attempt: Awaitable[object], code: str, step: Step) -> None:
    """Note that an attempt is refused with this code, by the platform or before it is asked.

    Raises:
        CheckFailed: it was not, or with another code.
    """
    try:
        await attempt
    except (CallRefused, InkanError) as refusal:
        said = getattr(refusal, "problem_code", None) or refusal.code
        step.check(f"refused: {code}", said == code)
        return
    step.check(f"refused: {code}", False)  # noqa: FBT003 - the check itself
