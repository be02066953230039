"""The phone's event stream: that something waits, or is announced; what it is, the phone then asks."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from inkan.client.event_stream import EventReader
from inkan.client.exchange import PlatformUnreachable
from inkan.client.phone_parts import PhoneParts

EVENTS: Final = "/phone/v1/approvals/events"


class Hint(msgspec.Struct, frozen=True):
    """One hint.

    Attributes:
        approvals: the ids of what waits for this phone now; None when the hint is about announcements.
    """

    approvals: list[str] | None = None


async def hints(parts: PhoneParts) -> AsyncIterator[Hint]:
    """Give each hint as the platform sends it, what waits now first; a stream that ends is opened again.

    A stream that breaks is opened once more; when that fails too, the refusal is raised.

    Raises:
        CallUnauthenticated: this phone was revoked or suspended.
        CallTooMany: as many streams of this phone are open as it may have.
        PlatformUnreachable: no connection.
    """
    broken = 0
    while True:
        reader = EventReader()
        try:
            async with parts.api.stream(EVENTS) as chunks:
                async for chunk in chunks:
                    for data in reader.feed(chunk):
                        broken = 0
                        yield msgspec.json.decode(data, type=Hint)
        except PlatformUnreachable:
            broken += 1
            if broken > 1:
                raise
