"""The time of time-stamps: the wall clock, watched by the monotonic one, never going back.

A time-stamping authority that doubts its clock stops (ETSI EN 319 421 §7.7.2). The wall clock is compared with the
monotonic clock since the guard was made: NTP slews both and steps the wall clock alone, so what comes between them is
a step. The accuracy that tokens state has three parts: a quarter for steps that are let pass, a quarter for holding
the time still after a step back, and half for the host's own distance from UTC, which the operator watches.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from inkan.crypto.tsp import TimeNotAvailable
from inkan.kernel.clock import EPOCH, Clock

SHARE: Final = 4


class _Reading(NamedTuple):
    """The wall clock, read between two readings of the monotonic one (seconds)."""

    before: float
    wall: datetime
    after: float


class ClockGuard:
    """Gives out times that never decrease, or refuses."""

    def __init__(self, clock: Clock, *, accuracy: timedelta) -> None:
        """Begin to watch ``clock``; its present reading is believed, within what :meth:`begin_at` says."""
        self._clock = clock
        self._tolerance = accuracy / SHARE
        self._last = EPOCH
        self._start = self._read()

    def begin_at(self, earliest: datetime) -> timedelta:
        """Give out no time before ``earliest``: what was stamped before a restart.

        Returns how long :meth:`now` will refuse for that reason if the clock is right; zero or less: not at all.
        """
        self._last = max(self._last, earliest)
        return earliest - self._tolerance - (self._clock.wire_now() + self._clock.offset)

    def now(self) -> datetime:
        """The time to be stamped, to the millisecond.

        Raises:
            TimeNotAvailable: the wall clock was stepped, or lies before what was stamped already, by more than the
                tolerance; or the machine was too slow to read it.
        """
        reading = self._read()
        if reading.after - reading.before > self._tolerance.total_seconds():
            raise TimeNotAvailable("the clock could not be read quickly enough")
        self._verify_steady(reading)
        at = reading.wall + self._clock.offset
        at -= timedelta(microseconds=at.microsecond % 1000)
        if self._last - at > self._tolerance:
            raise TimeNotAvailable("the clock is behind what was stamped already")
        self._last = max(self._last, at)
        return self._last

    def _read(self) -> _Reading:
        before = self._clock.monotonic()
        wall = self._clock.wire_now()
        return _Reading(before, wall, self._clock.monotonic())

    def _verify_steady(self, reading: _Reading) -> None:
        """Compare how far both clocks went. Each pair of readings leaves an interval; all of it must be too far off."""
        went = reading.wall - self._start.wall
        least = timedelta(seconds=reading.before - self._start.after)
        most = timedelta(seconds=reading.after - self._start.before)
        if went > most + self._tolerance or went < least - self._tolerance:
            raise TimeNotAvailable("the clock was stepped")
