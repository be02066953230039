"""The only source of time.

``now`` carries the instance's offset and dates everything that lives inside one instance: terms,
certificates, sessions, audit. ``wire_now`` has no offset and dates what is checked against another
party's clock: DPoP proofs, client assertions, tokens, webhooks. Outside production the offset may grow
(the demo and the sandbox travel forward); it never shrinks, so nothing that ended can open again.
"""

import time
from datetime import UTC, datetime, timedelta

from inkan.kernel.errors import Forbidden

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockFixed(Forbidden):
    """This instance runs on true time."""

    code = "clock_fixed"
    title = "The clock of this instance cannot be moved"


class Clock:
    """Wall time plus an offset that only grows."""

    def __init__(self, *, offset: timedelta = timedelta(0), may_advance: bool = False) -> None:
        if offset < timedelta(0) or (offset and not may_advance):
            raise ClockFixed("an offset needs an instance that may advance, and is never negative")
        self._offset = offset
        self._may_advance = may_advance

    @property
    def offset(self) -> timedelta:
        """How far this instance is ahead of true time."""
        return self._offset

    def wire_now(self) -> datetime:
        """True time, aware UTC."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """The instance's time, aware UTC."""
        return self.wire_now() + self._offset

    def monotonic(self) -> float:
        """Seconds for measuring waits; unrelated to dates."""
        return time.monotonic()

    def advance(self, by: timedelta) -> datetime:
        """Move the instance forward and return its new time.

        Raises:
            ClockFixed: production, or a step backwards.
        """
        if not self._may_advance or by < timedelta(0):
            raise ClockFixed
        self._offset += by
        return self.now()


def to_microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z of an aware datetime."""
    return (moment - EPOCH) // MICROSECOND


def from_microseconds(value: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970-01-01T00:00Z."""
    return EPOCH + value * MICROSECOND


def to_seconds(moment: datetime) -> int:
    """Whole seconds since the epoch (JOSE NumericDate, QR frame)."""
    return (moment - EPOCH) // timedelta(seconds=1)


def from_seconds(value: int) -> datetime:
    """The aware UTC datetime of whole seconds since the epoch."""
    return EPOCH + timedelta(seconds=value)


def rfc3339(moment: datetime) -> str:
    """``2026-11-21T22:55:04Z``: RFC 3339 in UTC with whole seconds, the form of every wire format."""
    # A fifth of the price of strftime; every answer holds half a dozen of them.
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="seconds")[:19] + "Z"
