"""Native messaging: a browser's extension speaks to a program on its standard input and output.

A message is four octets of length in the machine's byte order and JSON. The same loop serves every host, whatever
its commands are. The host ends with its input; until then each request has a thread of its own, so that a second one
is answered (``card_agent_busy``) while a person thinks about the first.
"""

import sys
import threading
from collections.abc import Callable
from typing import BinaryIO, Final, Protocol

from inkan.client.card_agent import messages
from inkan.client.card_agent.refusals import (
    AgentBusy,
    AgentRequestMalformed,
    AgentRequestTooLarge,
)
from inkan.kernel.errors import InkanError

_HEAD: Final = 4
_BYTE_ORDER: Final = sys.byteorder
_AT_ONCE: Final = 4
_PATIENCE_S: Final = 10.0


class Commands(Protocol):
    """What a host does; :class:`~inkan.client.card_agent.commands.CardAgent` is one."""

    def answer(self, origin: str, data: bytes) -> bytes:
        """Return the answer to the request of a page of ``origin``; raises nothing, may block."""

    def close(self) -> None:
        """End whatever is under way."""


def answered(commands: Commands, origin: str, request: bytes) -> bytes:
    """The answer; a fault of the program is told as ``internal`` without a word on it, so that no page waits for ever."""
    try:
        return commands.answer(origin, request)
    except Exception:  # noqa: BLE001 - whatever it is, the page is owed an answer
        return messages.refusal(messages.request_id(request), InkanError())


def read_frame(source: BinaryIO, limit: int = messages.FRAME_LIMIT) -> bytes | None:
    """Return the next message, None at the end of the input.

    Raises:
        AgentRequestTooLarge: it is longer than ``limit``; nothing of it was read.
        AgentRequestMalformed: the input ended in the middle.
    """
    head = source.read(_HEAD)
    if not head:
        return None
    size = int.from_bytes(head, _BYTE_ORDER)
    if len(head) < _HEAD:
        raise AgentRequestMalformed(where="", expected="a length of four octets")
    if size > limit:
        raise AgentRequestTooLarge(limit_bytes=limit)
    data = source.read(size)
    if len(data) < size:
        raise AgentRequestMalformed(where="", expected=f"{size} octets")
    return data


def frame(data: bytes) -> bytes:
    """A message with its length."""
    return len(data).to_bytes(_HEAD, _BYTE_ORDER) + data


class NativeHost:
    """Serves one page of one browser until the browser closes the input.

    Args:
        source: where messages come from; reads block until they are whole.
        sink: where answers and events go.
        make: the commands, given the way to tell events.
        limit: octets of a message.
    """

    def __init__(
        self,
        source: BinaryIO,
        sink: BinaryIO,
        make: Callable[[Callable[[bytes], None]], Commands],
        *,
        limit: int = messages.FRAME_LIMIT,
    ) -> None:
        self._source = source
        self._sink = sink
        self._limit = limit
        self._writing = threading.Lock()
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._threads: list[threading.Thread] = []
        self._commands = make(self._send)

    def run(self) -> None:
        """Answer until the input ends, or holds something that is no message."""
        try:
            while (data := read_frame(self._source, self._limit)) is not None:
                self._take(data)
        except InkanError as refused:
            # What follows cannot be found any more: whose answer this is, neither.
            self._send(messages.refusal(0, refused))
        finally:
            self._commands.close()
            for thread in self._threads:
                thread.join(_PATIENCE_S)

    def _take(self, data: bytes) -> None:
        try:
            origin, request = messages.parse_wrapped(data)
        except InkanError as refused:
            self._send(messages.refusal(0, refused))
            return
        if not self._places.acquire(blocking=False):
            self._send(messages.refusal(messages.request_id(request), AgentBusy()))
            return
        thread = threading.Thread(target=self._answer, args=(origin, request), daemon=True)
        self._threads = [each for each in self._threads if each.is_alive()]
        self._threads.append(thread)
        thread.start()

    def _answer(self, origin: str, request: bytes) -> None:
        try:
            self._send(answered(self._commands, origin, request))
        finally:
            self._places.release()

    def _send(self, data: bytes) -> None:
        with self._writing:
            try:
                self._sink.write(frame(data))
                self._sink.flush()
            except (OSError, ValueError):
                # The browser is gone; the end of the input says so too.
                return
