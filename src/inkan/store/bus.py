"""Wake-up calls inside one process, and to the others through the database.

A wake-up is only ever a hint: whoever waits reads its row again when woken, on connecting and every few
seconds, so that a lost hint costs latency and never an answer.
"""

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self


class Subscription:
    """One waiter on one topic; use it as an asynchronous context.

    Read the row inside the context and wait after that: a call that comes between the two is kept, and the
    next ``wait`` returns at once.
    """

    __slots__ = ("_bus", "_topic", "_waiter", "_woken")

    def __init__(self, bus: "Bus", topic: str) -> None:
        self._bus = bus
        self._topic = topic
        self._woken = False
        self._waiter: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        self._bus.waiters.setdefault(self._topic, set()).add(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        waiters = self._bus.waiters[self._topic]
        waiters.discard(self)
        if not waiters:
            del self._bus.waiters[self._topic]

    async def wait(self, timeout_s: float) -> bool:
        """Return True as soon as the topic was called since the last wait, False after ``timeout_s``."""
        if not self._woken:
            loop = asyncio.get_running_loop()
            waiter = self._waiter = loop.create_future()
            timer = loop.call_later(timeout_s, _finish, waiter)
            try:
                await waiter
            finally:
                timer.cancel()
                self._waiter = None
        woken, self._woken = self._woken, False
        return woken

    def wake(self) -> None:
        """Let the present or the next ``wait`` return."""
        self._woken = True
        if self._waiter is not None:
            _finish(self._waiter)


class Bus:
    """Topics of one process. All methods belong to the event loop's thread."""

    def __init__(self) -> None:
        self.waiters: dict[str, set[Subscription]] = {}
        self._listeners: dict[str, list[Callable[[], None]]] = {}

    def subscribe(self, topic: str) -> Subscription:
        """Return a subscription; it hears from the moment its context is entered."""
        return Subscription(self, topic)

    def listen(self, topic: str, heard: Callable[[], None]) -> None:
        """Call ``heard`` at every call of the topic, before whoever made it hears that it is done.

        For what must not outlive a change by even one turn of the loop; the listener stays as long as the bus.
        """
        self._listeners.setdefault(topic, []).append(heard)

    def publish(self, topics: Iterable[str]) -> None:
        """Wake everybody who waits on one of the topics."""
        for topic in topics:
            for heard in self._listeners.get(topic, ()):
                heard()
            for waiter in self.waiters.get(topic, ()):
                waiter.wake()

    def wake_all(self) -> None:
        """Wake every waiter: calls may have been missed, or the clock has jumped."""
        self.publish({*self.waiters, *self._listeners})


def _finish(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
