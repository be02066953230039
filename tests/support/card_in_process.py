"""A reader without PC/SC: the test card's applet in this process, put in and pulled out at will."""

import threading
from contextlib import contextmanager

from inkan.client.card import CardEvent, CardRemoved, NoCard, NoReader, Reader
from support.piv_applet import PivApplet

NAME = "Reader in this process"


class ReaderInProcess:
    """One reader.

    Attributes:
        applet: the card that is in it, if any.
        before: called with each command before the card sees it; to pull the card at a step.
    """

    def __init__(self, applet: PivApplet | None = None) -> None:
        self.applet = applet
        self.before = lambda command: None
        self.links: list[LinkInProcess] = []
        self._listeners = []

    def insert(self, applet: PivApplet) -> None:
        """Put a card in."""
        self.applet = applet
        self._tell(CardEvent.INSERTED)

    def pull(self) -> None:
        """Take the card out; every link to it is over."""
        applet, self.applet = self.applet, None
        if applet is not None:
            applet.reset()
            self._tell(CardEvent.REMOVED)

    def readers(self) -> list[Reader]:
        return [Reader(NAME, has_card=self.applet is not None)]

    def watch(self, listener):
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def connect(self, reader: str) -> "LinkInProcess":
        if reader != NAME:
            raise NoReader(reader)
        if self.applet is None:
            raise NoCard(reader)
        self.links.append(LinkInProcess(self))
        return self.links[-1]

    def _tell(self, event: CardEvent) -> None:
        for listener in tuple(self._listeners):
            listener(self.readers()[0], event)


class LinkInProcess:
    """A link to the card that was in the reader when it was made."""

    def __init__(self, reader: ReaderInProcess) -> None:
        self._reader = reader
        self._applet = reader.applet
        self._one = threading.RLock()
        self.is_open = True

    def transmit(self, command: bytes) -> bytes:
        self._reader.before(command)
        self._require()
        return self._applet.transmit(command)

    @contextmanager
    def transaction(self):
        with self._one:
            self._require()
            yield

    def close(self) -> None:
        self.is_open = False
        self._applet.reset()

    def _require(self) -> None:
        if self._reader.applet is not self._applet:
            raise CardRemoved
