"""The steps that a story is told in, and what is reported of each."""

from dataclasses import dataclass, field

import msgspec


class StepReport(msgspec.Struct):
    """One step of the story."""

    name: str
    door: str
    checks: list[str]
    outcome: str
    ms: float


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

    def check(self, what: str, holds: object) -> None:
        """Note a check that holds.

        Raises:
            CheckFailed: it does not.
        """
        if not holds:
            raise CheckFailed(f"{self.name}: {what}")
        self.checks.append(what)
