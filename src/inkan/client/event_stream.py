"""A reader for server-sent events (WHATWG HTML §9.2.6), without input or output of its own."""

import re
from typing import Final

from inkan.client.exchange import AnswerTooLarge

EVENT_LIMIT: Final = 256 * 1024
_LINE = re.compile(rb"\r\n|\n|\r")


class EventReader:
    """Takes the bytes of a stream as they come and gives the data of each complete event.

    Names and ids of events are not used by the platform's streams and are skipped, as are comments (the
    heartbeat).
    """

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the data of the events that ``chunk`` completes.

        Raises:
            AnswerTooLarge: an event of more than 256 KiB.
        """
        *lines, self._rest = self._split(self._rest + chunk)
        found = [data for line in lines if (data := self._take(line)) is not None]
        if len(self._rest) + sum(map(len, self._data)) > EVENT_LIMIT:
            raise AnswerTooLarge(limit_bytes=EVENT_LIMIT)
        return found

    def _split(self, data: bytes) -> list[bytes]:
        if not data.endswith(b"\r"):
            return _LINE.split(data)
        # The line feed that belongs to it may still come.
        *lines, last = _LINE.split(data[:-1])
        return [*lines, last + b"\r"]

    def _take(self, line: bytes) -> bytes | None:
        """Note one line; an empty one ends the event and returns its data."""
        if line:
            name, _, value = line.partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
            return None
        data, self._data = self._data, []
        return b"\n".join(data) if data else None
