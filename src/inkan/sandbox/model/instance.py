"""What an instance does because it is a sandbox: its clock travels, and things go wrong on purpose."""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec


class Fault(StrEnum):
    """A way in which a request, a push or a webhook can go wrong on purpose."""

    LATENCY = "latency"
    ERROR = "error"
    DROP = "drop"
    PUSH_LOST = "push_lost"
    WEBHOOK_DELAY = "webhook_delay"


class FaultCode(StrEnum):
    """The refusals that can be injected: those that every client has to be ready for."""

    RATE_EXCEEDED = "rate_exceeded"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``PUT /v1/sandbox/faults``: what goes wrong with this system's sessions, and for how long.

    Attributes:
        latency_ms: added to every answer.
        error_rate: share of requests that are refused before anything is done.
        errors: the refusals, drawn evenly.
        drop_rate: share of requests that are carried out and whose answer is cut off.
        retry_after_s: what ``rate_exceeded`` and ``unavailable`` say.
        push_lost_rate: share of pushes that never leave; each sending is drawn anew.
        webhook_delay_s: how much later than it happened the system is told of a change.
        seed: the same seed draws the same faults for the same sequence of requests.
        lasts_s: after so many seconds of true time the faults end by themselves.
    """

    latency_ms: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    error_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    errors: Annotated[list[FaultCode], msgspec.Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: [FaultCode.UNAVAILABLE]
    )
    drop_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    retry_after_s: Annotated[int, msgspec.Meta(ge=1, le=120)] = 5
    push_lost_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    webhook_delay_s: Annotated[int, msgspec.Meta(ge=0, le=600)] = 0
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    lasts_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 3600


class FaultView(msgspec.Struct, frozen=True):
    """The faults in force.

    Attributes:
        ends_in_s: seconds of true time until they end; 0 when none are in force.
        requests, pushes: how many they were drawn for.
        injected: how many of each kind were injected.
    """

    faults: FaultOrder | None
    ends_in_s: int
    requests: int
    pushes: int
    injected: dict[Fault, int]


class ClockView(msgspec.Struct, frozen=True):
    """The clock of the sandbox. It is one clock: whoever moves it moves it for every system of the instance."""

    now: str
    ahead_s: int
    may_advance: bool
    scope: Literal["instance"] = "instance"


class ClockOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/sandbox/clock``: how far forward, in seconds; a year at most."""

    advance_s: Annotated[int, msgspec.Meta(ge=1, le=31_622_400)]
