"""Faults on purpose, for one system at a time: what is hit is drawn from a seed, so that a test repeats.

They are kept in memory: a fault is an experiment of an hour, and a restart of the sandbox ends it.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError, Unavailable
from inkan.kernel.ids import SystemID
from inkan.sandbox.model import Fault, FaultCode, FaultOrder, FaultView
from inkan.web.limits import RateExceeded


@dataclass(frozen=True, slots=True)
class Hit:
    """What happens to one request.

    Attributes:
        latency_s: waited before anything else.
        refusal: given in place of an answer; nothing is done.
        drop: the request is carried out and its answer cut off.
    """

    latency_s: float = 0.0
    refusal: InkanError | None = None
    drop: bool = False

    @property
    def kinds(self) -> list[Fault]:
        """The faults of this request."""
        happens = {
            Fault.LATENCY: self.latency_s > 0,
            Fault.ERROR: self.refusal is not None,
            Fault.DROP: self.drop,
        }
        return [fault for fault, does in happens.items() if does]


@dataclass(frozen=True, slots=True)
class JobHit:
    """What happens to one job of the outbox.

    Attributes:
        is_lost: it is never delivered.
        wait_s: it is delivered so many seconds later.
    """

    is_lost: bool = False
    wait_s: float = 0.0

    @property
    def is_any(self) -> bool:
        """Whether anything happens to it."""
        return self.is_lost or self.wait_s > 0


def _lose(order: FaultOrder, number: int, _age_s: float) -> JobHit:
    return JobHit(is_lost=_fraction(order.seed, number, "push") < order.push_lost_rate)


def _delay(order: FaultOrder, _number: int, age_s: float) -> JobHit:
    return JobHit(wait_s=max(0.0, order.webhook_delay_s - age_s))


@dataclass(frozen=True, slots=True)
class JobFault:
    """A way in which a job can go wrong.

    Attributes:
        fault: as it is counted.
        hit: what becomes of a job: from the order, the job's number counted from 0, and its age in seconds.
    """

    fault: Fault
    hit: Callable[[FaultOrder, int, float], JobHit]


LOST_PUSH: Final = JobFault(Fault.PUSH_LOST, _lose)
LATE_WEBHOOK: Final = JobFault(Fault.WEBHOOK_DELAY, _delay)


@dataclass
class _Running:
    order: FaultOrder
    ends_at: float
    requests: int = 0
    jobs: Counter[Fault] = field(default_factory=Counter)
    injected: Counter[Fault] = field(default_factory=Counter)


class Faults:
    """The faults of every system of an instance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: dict[SystemID, _Running] = {}

    def set(self, system: SystemID, order: FaultOrder) -> FaultView:
        """Put faults into force; what was in force before ends, and the count starts anew."""
        ends_at = self._clock.monotonic() + order.lasts_s
        self._running[system] = _Running(order, ends_at)
        return self.view(system)

    def end(self, system: SystemID) -> None:
        """End the faults of a system; twice is once."""
        self._running.pop(system, None)

    def view(self, system: SystemID) -> FaultView:
        """The faults of a system."""
        running = self._find(system)
        if running is None:
            return FaultView(faults=None, ends_in_s=0, requests=0, pushes=0, injected={})
        return FaultView(
            faults=running.order,
            ends_in_s=max(0, int(running.ends_at - self._clock.monotonic())),
            requests=running.requests,
            pushes=running.jobs[Fault.PUSH_LOST],
            injected=dict(running.injected),
        )

    def draw(self, system: SystemID) -> Hit | None:
        """What happens to the system's next request; None when nothing does."""
        running = self._find(system)
        if running is None:
            return None
        hit = draw(running.order, running.requests)
        running.requests += 1
        running.injected.update(hit.kinds)
        return hit

    def draw_job(self, system: SystemID, kind: JobFault, *, age_s: float, tried: int) -> JobHit:
        """What happens to a job of this system, at its try of this number; each job is counted once."""
        running = self._find(system)
        if running is None:
            return JobHit()
        hit = kind.hit(running.order, running.jobs[kind.fault], age_s)
        if tried == 1:
            running.jobs[kind.fault] += 1
            running.injected[kind.fault] += hit.is_any
        return hit

    def _find(self, system: SystemID) -> _Running | None:
        running = self._running.get(system)
        if running is not None and running.ends_at <= self._clock.monotonic():
            del self._running[system]
            return None
        return running


def draw(order: FaultOrder, number: int) -> Hit:
    """What happens to the request of this number, counted from 0: a pure function of the order."""
    latency_s = order.latency_ms / 1000
    if _fraction(order.seed, number, "error") < order.error_rate:
        index = int(_fraction(order.seed, number, "which") * len(order.errors))
        return Hit(latency_s, _refusal(order.errors[index], order.retry_after_s))
    return Hit(latency_s, drop=_fraction(order.seed, number, "drop") < order.drop_rate)


def _fraction(seed: int, number: int, what: str) -> float:
    """A number in [0, 1) that looks drawn and is not."""
    digest = hashlib.sha256(f"{seed}:{number}:{what}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def _refusal(code: FaultCode, retry_after_s: int) -> InkanError:
    match code:
        case FaultCode.RATE_EXCEEDED:
            return RateExceeded("injected by the sandbox", retry_after_s=retry_after_s)
        case FaultCode.UNAVAILABLE:
            return Unavailable("injected by the sandbox", retry_after_s=retry_after_s)
        case FaultCode.INTERNAL:
            return InkanError("injected by the sandbox")
