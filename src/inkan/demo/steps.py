"""The steps that a story is told in, and what is reported of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec


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
