"""When a conversation is held once more: after which refusals, how often, and how long after.

| What came | The request may arrive twice | It may not |
|---|---|---|
| no answer, or status 5xx | again | the caller decides: it may have worked |
| status 429 that says when | again: nothing was done | again |
| status 429 that does not | no: waiting does not help | no |
| anything else | no: the answer would be the same | no |

Pauses grow and are spread by chance, so that callers who failed together do not come back together. A pause that the
platform asks for is kept, unless it is longer than the caller's patience; then the refusal is the answer.
"""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from inkan.client.exchange import (
    CallRefused,
    CallTooMany,
    CallUnavailable,
    Conversation,
    Pause,
    PlatformUnreachable,
)
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import random_below

T = TypeVar("T")
_PARTS: Final = 1_000


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a caller goes on asking.

    Attributes:
        pauses_s: the pause before each further try, before it is spread by half in both directions.
        longest_s: the longest pause that is kept when the platform names one.
        spread_s: up to so many seconds are added to a pause that the platform named.
    """

    pauses_s: tuple[float, ...] = (0.2, 1.0)
    longest_s: float = 30.0
    spread_s: float = 0.5


PATIENCE: Final = Patience()
NO_PATIENCE: Final = Patience(pauses_s=())
REPEATABLE: Final = (PlatformUnreachable, CallUnavailable, CallTooMany)


def repeated(
    attempt: Callable[[], Conversation[T]], *, twice: bool = True, patience: Patience = PATIENCE
) -> Conversation[T]:
    """Hold a conversation until the platform answers it, within the caller's patience.

    Args:
        attempt: begins it anew; proofs and assertions in it are made anew too.
        twice: whether its request may arrive twice: a read, or a write that the platform knows again by key or bytes.
        patience: how often and how long.

    Raises:
        PlatformUnreachable, CallUnavailable, CallTooMany: the last time too.
    """
    for pause_s in patience.pauses_s:
        try:
            return (yield from attempt())
        except REPEATABLE as refusal:
            if not twice and not isinstance(refusal, CallTooMany):
                raise
            wait_s = pause_after(refusal, pause_s, patience)
            if wait_s is None:
                raise
        yield Pause(wait_s)
    return (yield from attempt())


def pause_after(refusal: InkanError, pause_s: float, patience: Patience) -> float | None:
    """Return how long to wait after a refusal; None when the next try is not worth it."""
    told = refusal.problem.retry_after_s if isinstance(refusal, CallRefused) else None
    if told is not None:
        return told + patience.spread_s * chance() if told <= patience.longest_s else None
    return None if isinstance(refusal, CallTooMany) else spread(pause_s)


def spread(pause_s: float) -> float:
    """Return a pause between half and one and a half of ``pause_s``."""
    return pause_s * (0.5 + chance())


def chance() -> float:
    """Return a number from 0 up to 1, evenly drawn."""
    return random_below(_PARTS) / _PARTS
