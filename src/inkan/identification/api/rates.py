"""How often the RP API may be asked: the rows that routes, headers and ``GET /v1/limits`` share."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from inkan.relying_parties import SystemPrincipal
from inkan.web.limits import RateLimit
from inkan.web.principal import Principal

MINUTE = timedelta(minutes=1)


def per_minute(name: str, requests: int) -> RateLimit:
    """So many requests at once, regained evenly within a minute."""
    return RateLimit(name=name, requests=requests, window=MINUTE)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """The rates of one instance.

    Attributes:
        sessions: creating sessions, by system.
        calls: every other call of a system, by system.
        published: what is open to all, by sender.
        verifications: ``POST /v1/receipts/verify``, by sender.
        times: by system code, how many times the ordinary rate that system has; an announced load test lifts it.
    """

    sessions: RateLimit
    calls: RateLimit
    published: RateLimit
    verifications: RateLimit
    times: Mapping[str, int]

    @property
    def by_system(self) -> tuple[RateLimit, ...]:
        """The rates that count by system."""
        return (self.sessions, self.calls)

    @property
    def by_sender(self) -> tuple[RateLimit, ...]:
        """The rates that count by the sender's address."""
        return (self.published, self.verifications)

    def share(self, principal: Principal) -> int:
        """How many times the ordinary rate a principal has."""
        record = principal.record
        if not isinstance(record, SystemPrincipal):
            return 1
        promised = self.times.get(record.system.code, 1)
        return max(promised, math.ceil((record.load_rate or 0) / self.sessions.requests))
