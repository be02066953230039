"""Request rates: how often one sender may ask, kept in memory, told in headers.

A rate guards the process, not a right: it is lost on restart and counted per process. Quotas that must
hold (PIN tries, pushes per person) are rows of the feature that owns them. Keys are opaque ids, never
addresses or numbers of people. The rule is the generic cell rate algorithm: one number per key, the
moment at which its bucket would be full again.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta

from inkan.kernel.errors import TooMany


class RateExceeded(TooMany):
    """This sender asks faster than the route's rate."""

    code = "rate_exceeded"
    title = "Requests come faster than is allowed here"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """``requests`` at once, regained evenly over ``window``."""

    name: str
    requests: int
    window: timedelta

    @property
    def window_s(self) -> float:
        """Seconds in which the whole allowance comes back."""
        return self.window.total_seconds()

    def times(self, factor: int) -> "RateLimit":
        """The same limit with a multiple of its requests, for a sender who was promised more."""
        return self if factor == 1 else replace(self, requests=self.requests * factor)

    @property
    def header(self) -> bytes:
        """The ``RateLimit-Policy`` field (draft-ietf-httpapi-ratelimit-headers §3)."""
        return f'"{self.name}";q={self.requests};w={math.ceil(self.window_s)}'.encode("ascii")


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after a request was admitted."""

    limit: RateLimit
    remaining: int
    full_after_s: float

    def headers(self) -> list[tuple[bytes, bytes]]:
        """The ``RateLimit`` fields of the answer."""
        state = f'"{self.limit.name}";r={self.remaining};t={math.ceil(self.full_after_s)}'
        return [
            (b"ratelimit-policy", self.limit.header),
            (b"ratelimit", state.encode("ascii")),
        ]


class RateWindows:
    """The buckets of all senders, bounded in number.

    Over the bound the sender that was quiet for longest is forgotten: a flood of fresh keys can at most
    return somebody's allowance early, never take it away.
    """

    def __init__(self, *, capacity: int = 100_000) -> None:
        self._capacity = capacity
        self._full_at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def take(self, limit: RateLimit, key: str, *, now: float) -> Allowance:
        """Take one request of ``key`` at ``now`` (monotonic seconds) and return what is left.

        Raises:
            RateExceeded: none is left; ``retry_after_s`` says when there will be one.
        """
        place = (limit.name, key)
        cost = limit.window_s / limit.requests
        full_at = max(self._full_at.get(place, now), now) + cost
        wait = full_at - now - limit.window_s
        if wait > 1e-9:
            raise RateExceeded(f"{limit.name} is used up", retry_after_s=math.ceil(wait))
        self._full_at[place] = full_at
        self._full_at.move_to_end(place)
        if len(self._full_at) > self._capacity:
            self._full_at.popitem(last=False)
        return Allowance(limit, int((now + limit.window_s - full_at) / cost + 1e-9), full_at - now)

    def __len__(self) -> int:
        return len(self._full_at)
