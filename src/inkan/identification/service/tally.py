"""How sessions fare now: counts and durations of the last hour, for ``GET /v1/status``.

It is kept in the memory of the process. A query over the sessions would give the same figures, at the price of an
index that every session writes or of a scan that anybody may ask for; here a session costs some additions. What is
counted holds no id and no name. A restart forgets it, and where several processes serve an instance each answers
for itself; the answer says both (``since``, ``scope``).

A figure that anybody may read must not tell about a person what the relying party is not told (threat 15). So an end
is counted by the reason that the relying party reads, and at the moment at which it may read it: a session that a phone
ended behind the veil counts as the expiry that its reader will see, in the minute in which it sees it.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from inkan.identification.service.cancelling import TakenBack
from inkan.kernel.clock import Clock, to_seconds
from inkan.wire.forms import parse_moment
from inkan.wire.reasons import ROWS, Group, Reason
from inkan.wire.session import Outcome

K = TypeVar("K")

HOUR: Final = 60
"""Minutes that are kept."""
AHEAD: Final = 15
"""Minutes by which an end may be counted later; a session lives 10."""
NO_DOOR: Final = "none"
STEPS_PER_DOUBLING: Final = 8
"""Durations fall into steps, each 9 % above the one before: the error of a percentile."""
SHORTEST_S: Final = 0.000_1
LONGEST_STEP: Final = 240


class Fate:
    """How a session ended, as far as a failure rate cares."""

    OK: Final = "ok"
    USER: Final = "user"
    FAILED: Final = "failed"
    CANCELLED: Final = "cancelled"


class DoorStatus(msgspec.Struct, frozen=True):
    """What became of the sessions of one door.

    Attributes:
        door: as the receipt names it; ``none`` when no phone came.
        ok: answered with yes.
        user: ended by what the person did or left undone; no failure of anybody.
        failed: ended by anything else.
        cancelled: taken back by the relying party.
        failure_rate: failed ÷ (ok + failed), to four places; null when neither happened.
    """

    door: str
    ok: int
    user: int
    failed: int
    cancelled: int
    failure_rate: float | None


class Durations(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds, within 9 %; null when nothing was measured."""

    p50_ms: float | None
    p95_ms: float | None


class WindowStatus(msgspec.Struct, frozen=True):
    """The last so many minutes.

    Attributes:
        created: sessions opened.
        doors: what ended, by door.
        create: from the request to the stored session.
        release: from the decision to the release; whole seconds, as receipts have them.
    """

    minutes: int
    created: int
    doors: list[DoorStatus]
    create: Durations
    release: Durations


class _Minute:
    __slots__ = ("create", "created", "ended", "release")

    def __init__(self) -> None:
        self.created = 0
        self.ended: Counter[tuple[str, str]] = Counter()
        self.create: Counter[int] = Counter()
        self.release: Counter[int] = Counter()


class _Released(msgspec.Struct, frozen=True):
    """The members of a receipt's payload that are counted."""

    door: str | None
    outcome: Outcome
    reason: Reason | None
    decided_at: str
    released_at: str


_decode_released = msgspec.json.Decoder(_Released).decode


class Tally:
    """Counts by minute of the instance's time.

    Attributes:
        since: when counting began.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._minutes: dict[int, _Minute] = {}
        self.since = clock.now()

    def created(self, seconds: float) -> None:
        """A session was opened, which took so long."""
        minute = self._minute(self._clock.now())
        minute.created += 1
        minute.create[_step(seconds)] += 1

    def cancelled(self, taken_back: TakenBack | None) -> None:
        """A session was taken back; None when it had been before.

        What a phone had ended behind the veil was counted as a coming expiry, which now never shows.
        """
        if taken_back is None:
            return
        self._minute(self._clock.now()).ended[NO_DOOR, Fate.CANCELLED] += 1
        if taken_back.unseen_end is not None:
            self._minute(taken_back.unseen_end).ended[NO_DOOR, Fate.USER] -= 1

    def expired(self, number: int = 1, *, seen_at: datetime | None = None) -> None:
        """Sessions ended undecided as far as their readers see, now or at a later moment."""
        self._minute(seen_at or self._clock.now()).ended[NO_DOOR, Fate.USER] += number

    def released(self, payload: bytes) -> None:
        """A session was released with this receipt, which says what the relying party reads."""
        said = _decode_released(payload)
        minute = self._minute(self._clock.now())
        minute.ended[said.door or NO_DOOR, _fate(said.outcome, said.reason)] += 1
        waited = parse_moment(said.released_at) - parse_moment(said.decided_at)
        minute.release[_step(waited.total_seconds())] += 1

    def window(self, minutes: int) -> WindowStatus:
        """What was counted in the present minute and the ones before it, ``minutes`` in all."""
        last = _number(self._clock.now())
        found = [
            minute for number, minute in self._minutes.items() if last - minutes < number <= last
        ]
        ended = _sum(minute.ended for minute in found)
        doors = sorted({door for door, _ in ended})
        return WindowStatus(
            minutes=minutes,
            created=sum(minute.created for minute in found),
            doors=[_door(door, ended) for door in doors],
            create=_durations(_sum(minute.create for minute in found)),
            release=_durations(_sum(minute.release for minute in found)),
        )

    def _minute(self, moment: datetime) -> _Minute:
        number = _number(moment)
        minute = self._minutes.get(number)
        if minute is None:
            oldest = _number(self._clock.now()) - HOUR
            kept = {
                n: each for n, each in self._minutes.items() if oldest < n <= oldest + HOUR + AHEAD
            }
            minute = kept[number] = _Minute()
            self._minutes = kept
        return minute


def _fate(outcome: Outcome, reason: Reason | None) -> str:
    if outcome is Outcome.OK:
        return Fate.OK
    is_users = reason is not None and ROWS[reason].group is Group.USER
    return Fate.USER if is_users or outcome is Outcome.REFUSED else Fate.FAILED


def _door(door: str, ended: Mapping[tuple[str, str], int]) -> DoorStatus:
    ok, failed = ended.get((door, Fate.OK), 0), ended.get((door, Fate.FAILED), 0)
    return DoorStatus(
        door=door,
        ok=ok,
        user=ended.get((door, Fate.USER), 0),
        failed=failed,
        cancelled=ended.get((door, Fate.CANCELLED), 0),
        failure_rate=round(failed / (ok + failed), 4) if ok + failed else None,
    )


def _number(moment: datetime) -> int:
    return to_seconds(moment) // 60


def _sum(counters: Iterable[Counter[K]]) -> Counter[K]:
    total: Counter[K] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _step(seconds: float) -> int:
    if seconds <= SHORTEST_S:
        return 0
    return min(LONGEST_STEP, math.ceil(math.log2(seconds / SHORTEST_S) * STEPS_PER_DOUBLING))


def _milliseconds(step: int) -> float:
    return round(1000 * SHORTEST_S * 2 ** (step / STEPS_PER_DOUBLING), 1) if step else 0.0


def _durations(steps: Counter[int]) -> Durations:
    return Durations(p50_ms=_percentile(steps, 50), p95_ms=_percentile(steps, 95))


def _percentile(steps: Counter[int], percent: int) -> float | None:
    """The step that so many percent of the durations do not exceed (nearest rank)."""
    rank = math.ceil(steps.total() * percent / 100)
    for step in sorted(steps):
        rank -= steps[step]
        if rank <= 0:
            return _milliseconds(step)
    return None
