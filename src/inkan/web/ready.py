"""Answers that are sent again as they were sent before, without a task, a scope or an exchange.

An OCSP responder answers the same few questions all day long, and nearly all of its time would go into looking
again at what a request is (decision 0009). A feature says of one answer that it may be repeated, for how long, and
what ends that early; the bytes that left through the ordinary way, headers and all, are then kept under the target
of the request. The server asks for them as soon as a head is read. Only a plain GET is answered so: a header that
is not in the table below sends the request the ordinary way.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Final, NamedTuple

from inkan.kernel.clock import Clock
from inkan.web.asgi import RawHeaders

# Headers that change nothing about a published object without variants.
PLAIN: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"connection",
        b"host",
        b"origin",
        b"user-agent",
    }
)
CAPACITY: Final = 16_384
"""Answers of one process; an OCSP answer with its head takes some 3 KiB."""
LIFE_S: Final = 5.0
"""How long an answer is repeated before it is made again: the bound where a wake-up call was lost."""


class Repeatable(NamedTuple):
    """Said by an endpoint of its answer: it may be sent again."""

    answers: "ReadyAnswers"
    generation: int
    """What :attr:`ReadyAnswers.generation` was before the answer was looked up."""
    until: datetime
    """The instance's time from which it must be made again."""
    max_age_s: int


class _Kept(NamedTuple):
    until: datetime
    monotonic: float
    head: bytes
    body: bytes
    max_age_s: int


class ReadyAnswers:
    """The kept answers of one feature.

    Attributes:
        generation: counts what ended all of them; an answer that was looked up before is not kept after.
    """

    def __init__(self, clock: Clock, *, life_s: float = LIFE_S, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._life_s = life_s
        self._capacity = capacity
        self._kept: dict[bytes, _Kept] = {}
        self._dates: dict[int, tuple[float, bytes]] = {}
        self.generation = 0

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """End them all, and those that are being made."""
        self.generation += 1
        self._kept.clear()

    def keep(
        self, target: bytes, lines: RawHeaders, body: bytes, *, repeatable: Repeatable
    ) -> None:
        """Keep what was answered to a GET of ``target`` with 200, unless something ended it meanwhile."""
        if repeatable.generation != self.generation:
            return
        if len(self._kept) >= self._capacity:
            # The working set is larger than the room: start again rather than choose.
            self._kept.clear()
        head = b"".join(
            b"%s: %s\r\n" % line for line in lines if line[0] not in {b"expires", b"content-length"}
        )
        self._kept[target] = _Kept(
            until=repeatable.until,
            monotonic=self._clock.monotonic() + self._life_s,
            head=b"%scontent-length: %d\r\n" % (head, len(body)),
            body=body,
            max_age_s=repeatable.max_age_s,
        )

    def find(self, target: bytes) -> tuple[bytes, ...] | None:
        """The rest of the answer, after its status line and date: head, empty line, body; or None."""
        kept = self._kept.get(target)
        if kept is None:
            return None
        moment = self._clock.monotonic()
        if moment >= kept.monotonic or self._clock.now() >= kept.until:
            del self._kept[target]
            return None
        return kept.head, self._expires(kept.max_age_s, moment), b"\r\n", kept.body

    def _expires(self, max_age_s: int, moment: float) -> bytes:
        """The Expires line of this second."""
        until, line = self._dates.get(max_age_s, (0.0, b""))
        if moment >= until:
            line = b"expires: %s\r\n" % expires(self._clock, max_age_s)
            self._dates[max_age_s] = (moment + 1, line)
        return line


def expires(clock: Clock, max_age_s: int) -> bytes:
    """The value of Expires: true time, which is what the Date of an answer and every cache goes by."""
    return http_date(clock.wire_now() + timedelta(seconds=max_age_s))


def http_date(moment: datetime) -> bytes:
    """IMF-fixdate (RFC 9110 §5.6.7) of an aware UTC time."""
    return format_datetime(moment, usegmt=True).encode("ascii")


def is_plain(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a request has nothing but headers of :data:`PLAIN`, its Host once."""
    hosts = 0
    for name, _ in headers:
        if name not in PLAIN:
            return False
        hosts += name == b"host"
    return hosts == 1
