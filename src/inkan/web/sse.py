"""Event streams (WHATWG HTML §9.2): one answer that goes on until there is no more to say.

A stream is only ever a hint that something changed; whoever loses it asks again. A comment every few
seconds keeps proxies from closing it and finds dead connections; the server's own end, the sender's
going away and the end of the events all lead to the same clean-up.
"""

import asyncio
from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Final

import msgspec

from inkan.kernel.errors import Malformed
from inkan.web.exchange import Exchange
from inkan.web.response import Response

EVENT_STREAM: Final = "text/event-stream"
HEARTBEAT_S: Final = 15.0
_ID_LIMIT: Final = 128
_COMMENT: Final = b": \n\n"


class ServerEvent(msgspec.Struct, frozen=True):
    """One event: its text, its name, and the id from which the reader may resume."""

    data: str
    name: str = ""
    id: str = ""

    def encode(self) -> bytes:
        """The lines of the event.

        Raises:
            ValueError: a name or id that would end its line.
        """
        if any(char in self.name + self.id for char in "\r\n\0"):
            raise ValueError("an event's name and id are single lines")
        lines = [f"id: {self.id}"] if self.id else []
        lines += [f"event: {self.name}"] if self.name else []
        lines += [f"data: {line}" for line in self.data.splitlines() or [""]]
        return ("\n".join(lines) + "\n\n").encode()


def event_stream(
    exchange: Exchange,
    events: AsyncGenerator[ServerEvent, None],
    *,
    heartbeat_s: float = HEARTBEAT_S,
    retry_ms: int = 2_000,
) -> Response:
    """Answer with ``events`` as they come; for bare endpoints.

    ``retry_ms`` is how long a reader waits before it opens a lost stream again. The generator is closed
    in every case, so its ``finally`` is the place to give up a subscription.
    """
    pieces = _pieces(exchange, events, heartbeat_s, retry_ms)
    response = Response(HTTPStatus.OK, pieces, media_type=EVENT_STREAM)
    # nginx holds answers back unless told otherwise.
    return response.with_header("x-accel-buffering", "no")


async def _pieces(
    exchange: Exchange,
    events: AsyncGenerator[ServerEvent, None],
    heartbeat_s: float,
    retry_ms: int,
) -> AsyncGenerator[bytes, None]:
    gone = asyncio.ensure_future(exchange.wait_until_gone())
    leave = gone.cancel  # the server's end is as good as the sender's
    exchange.site.closing.hear(leave)
    upcoming = asyncio.ensure_future(anext(events, None))
    try:
        yield b"retry: %d\n\n" % retry_ms
        while True:
            await asyncio.wait(
                {upcoming, gone},
                timeout=heartbeat_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if gone.done():
                return
            if not upcoming.done():
                yield _COMMENT
                continue
            event = upcoming.result()
            if event is None:
                return
            yield event.encode()
            upcoming = asyncio.ensure_future(anext(events, None))
    finally:
        exchange.site.closing.forget(leave)
        for task in (gone, upcoming):
            task.cancel()
        await asyncio.gather(gone, upcoming, return_exceptions=True)
        await events.aclose()


def last_event_id(exchange: Exchange) -> str | None:
    """Where a reader that lost its stream stopped.

    Raises:
        Malformed: not an id that a stream could have given.
    """
    text = exchange.header("last-event-id")
    if text is not None and not (text.isascii() and text.isprintable() and len(text) <= _ID_LIMIT):
        raise Malformed("not an event id", where="last-event-id", expected="printable ASCII")
    return text or None
