"""Watching a card where nothing tells of it: a look now and then, in a thread of its own."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from inkan.client.card import CardEvent, Listener, Reader

INTERVAL_S: Final = 0.2


def poll(seen: Callable[[], frozenset[str]], listener: Listener) -> Callable[[], None]:
    """Report cards that come and go, within a fifth of a second and the time that a look takes.

    Args:
        seen: the names of the readers that hold a card now; called in the thread, and once before it.
        listener: hears of each reader that changed, in the order of their names.

    Returns:
        What ends the watch; it returns when no report is under way any more.
    """
    stopped = Event()
    at_first = seen()

    def look() -> None:
        before = at_first
        while not stopped.wait(INTERVAL_S):
            now = seen()
            for name in sorted(before ^ now):
                event = CardEvent.INSERTED if name in now else CardEvent.REMOVED
                listener(Reader(name, has_card=name in now), event)
            before = now

    watcher = Thread(target=look, daemon=True)
    watcher.start()

    def stop() -> None:
        stopped.set()
        watcher.join()

    return stop
