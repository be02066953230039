"""The work of one validation, counted; and the signatures that were verified before, remembered."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

from inkan.crypto.validation.settings import Bounds
from inkan.crypto.validation.verdict import Exhausted, Reason
from inkan.kernel.clock import Clock

K = TypeVar("K")
V = TypeVar("V")

_CLOCK: Final = Clock()


class Budget:
    """Counts down the bounds of one validation.

    Attributes:
        signatures: verified so far.
        candidates: paths looked at so far.
    """

    def __init__(self, bounds: Bounds, clock: Clock = _CLOCK) -> None:
        self._bounds = bounds
        self._clock = clock
        self._ends = clock.monotonic() + bounds.deadline_s
        self.signatures = self.candidates = self._steps = self._comparisons = 0

    def signature(self) -> None:
        """Pay for one signature."""
        self.signatures += 1
        self._check(self.signatures, self._bounds.signatures, "signatures")

    def candidate(self) -> None:
        """Pay for the validation of one path."""
        self.candidates += 1
        self._check(self.candidates, self._bounds.candidates, "paths")

    def step(self) -> None:
        """Pay for one attempt to extend a path."""
        self._steps += 1
        self._check(self._steps, self._bounds.steps, "extensions of a path")

    def compare(self, count: int = 1) -> None:
        """Pay for comparisons of names, policies or entries."""
        self._comparisons += count
        self._check(self._comparisons, self._bounds.comparisons, "comparisons")

    def _check(self, spent: int, bound: int, what: str) -> None:
        if spent > bound:
            raise Exhausted(Reason.TOO_COMPLEX, f"more than {bound} {what}")
        if self._clock.monotonic() > self._ends:
            raise Exhausted(Reason.TOO_COMPLEX, "the deadline has passed")


class Recent(Generic[K, V]):
    """The last ``size`` values by key; the one that was asked for longest ago goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, or None."""
        if key in self._rows:
            self._rows.move_to_end(key)
            return self._rows[key]
        return None

    def put(self, key: K, value: V) -> V:
        """Remember a value and return it."""
        self._rows[key] = value
        if len(self._rows) > self._size:
            self._rows.popitem(last=False)
        return value
