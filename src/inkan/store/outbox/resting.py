"""Receivers that fail rest for a while, so that one dead receiver does not hold up the others.

A try at a receiver that hangs takes its whole timeout. While it rests its jobs fail at once, without a connection.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError

FIRST_REST_S: Final = 5.0
LONGEST_REST_S: Final = 300.0
RESTING_LIMIT: Final = 10_000


class Rest(msgspec.Struct):
    """Until when (monotonic seconds) a receiver rests, and how long this rest is."""

    until: float
    seconds: float


class Resting:
    """The receivers that rest now, in this process.

    Attributes:
        rests: receiver to its rest; the longest known go first when there are too many.
    """

    def __init__(self, clock: Clock, *, refusal: type[InkanError]) -> None:
        """``refusal`` is what a job for a resting receiver fails with."""
        self.rests: dict[str, Rest] = {}
        self._clock = clock
        self._refusal = refusal

    async def attempt(self, receiver: str, send: Callable[[], Awaitable[None]]) -> None:
        """Send to a receiver unless it rests; a refusal of the sending lets it rest.

        Raises:
            InkanError: the refusal of this object, or what ``send`` raises.
        """
        rest = self.rests.get(receiver)
        if rest is not None and self._clock.monotonic() < rest.until:
            raise self._refusal()
        try:
            await send()
        except InkanError:
            self.note_failure(receiver)
            raise
        self.rests.pop(receiver, None)

    def note_failure(self, receiver: str) -> None:
        """Let a receiver rest: twice as long as the last time, up to the longest rest."""
        now = self._clock.monotonic()
        before = self.rests.pop(receiver, None)
        if before is not None and now < before.until:
            # Tries that were under way together fail together, and count once.
            self.rests[receiver] = before
            return
        seconds = min(LONGEST_REST_S, before.seconds * 2) if before else FIRST_REST_S
        self.rests[receiver] = Rest(now + seconds, seconds)
        if len(self.rests) > RESTING_LIMIT:
            del self.rests[next(iter(self.rests))]
