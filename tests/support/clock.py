"""A clock that stands until a test moves it."""

from datetime import UTC, datetime, timedelta

from inkan.kernel.clock import Clock

START = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
"""09:00 in Taiwan, 10:00 in Japan, the first day of Japan's administrative year."""


class StandingClock(Clock):
    """True time is ``START`` plus what ``tick`` added; ``advance`` adds to the instance's time only.

    ``monotonic`` stays the machine's: waits are real.
    """

    def __init__(self) -> None:
        super().__init__(may_advance=True)
        self._true = START

    def wire_now(self) -> datetime:
        return self._true

    def tick(self, by: timedelta | float) -> datetime:
        """Let true time pass (seconds or a timedelta), and with it the instance's; return the latter."""
        self._true += by if isinstance(by, timedelta) else timedelta(seconds=by)
        return self.now()


class LevelClock(StandingClock):
    """A standing clock whose monotonic time goes on with true time, as on a healthy host; ``step`` breaks that."""

    def __init__(self) -> None:
        super().__init__()
        self._stepped = timedelta(0)

    def monotonic(self) -> float:
        return (self._true - self._stepped - START).total_seconds()

    def step(self, by: timedelta | float) -> None:
        """Set the wall clock forwards or back."""
        step = by if isinstance(by, timedelta) else timedelta(seconds=by)
        self._true += step
        self._stepped += step
