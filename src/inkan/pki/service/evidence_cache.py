"""Lists and answers of others, kept for a while: bounded, and each asked for once however many wait for it."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from datetime import datetime, timedelta
from typing import NamedTuple

from inkan.kernel.clock import Clock

LIMIT_BYTES = 32 * 1024 * 1024
LIMIT_ENTRIES = 4096


class Evidence(NamedTuple):
    """A list or an answer (DER) that was verified when it came, and its two dates."""

    der: bytes
    this_update: datetime
    next_update: datetime


class _Held(NamedTuple):
    evidence: Evidence
    until: datetime


class EvidenceCache:
    """Keeps evidence until its ``next_update``, and at most for ``life``; the least used goes first."""

    def __init__(
        self,
        *,
        clock: Clock,
        life: timedelta,
        limit_bytes: int = LIMIT_BYTES,
        limit_entries: int = LIMIT_ENTRIES,
    ) -> None:
        self._clock = clock
        self._life = life
        self._limit_bytes = limit_bytes
        self._limit_entries = limit_entries
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()
        self._size = 0
        self._flights: dict[Hashable, asyncio.Task[bytes]] = {}

    async def get(self, key: Hashable, fetch: Callable[[], Awaitable[Evidence]]) -> bytes:
        """Return the DER held under ``key``, or what ``fetch`` brings; its refusal is every waiter's.

        A refusal is not kept. A waiter who gives up leaves the others theirs.
        """
        held = self._held.get(key)
        if held is not None and self._clock.now() < held.until:
            self._held.move_to_end(key)
            return held.evidence.der
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fill(key, fetch))
            self._flights[key] = flight
            flight.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(flight)

    async def _fill(self, key: Hashable, fetch: Callable[[], Awaitable[Evidence]]) -> bytes:
        evidence = await fetch()
        held = self._held.get(key)
        # Time does not go back: whoever replays an older list, still in force, hides what came since.
        if held is not None and evidence.this_update < held.evidence.this_update:
            evidence = held.evidence
        self._drop(key)
        until = min(evidence.next_update, self._clock.now() + self._life)
        self._held[key] = _Held(evidence, until)
        self._size += len(evidence.der)
        while self._size > self._limit_bytes or len(self._held) > self._limit_entries:
            self._drop(next(iter(self._held)))
        return evidence.der

    def _landed(self, key: Hashable, flight: asyncio.Task[bytes]) -> None:
        del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # heard, also when every waiter has left

    def _drop(self, key: Hashable) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._size -= len(held.evidence.der)
