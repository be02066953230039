"""The server's own end, as thousands of long answers hear of it: by a call each has left, not by a task of its own."""

import asyncio
from collections.abc import Callable


class Closing(asyncio.Event):
    """Set when the server begins to stop. All methods belong to the event loop's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: set[Callable[[], object]] = set()

    def set(self) -> None:
        """Begin to stop: whoever waits goes on, and what was left is called."""
        super().set()
        for call in tuple(self._calls):
            call()

    def hear(self, call: Callable[[], object]) -> None:
        """Have this called when the server begins to stop; at once if it has begun."""
        if self.is_set():
            call()
        self._calls.add(call)

    def forget(self, call: Callable[[], object]) -> None:
        """Call it no more."""
        self._calls.discard(call)
