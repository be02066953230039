"""A reader of the demo with several test cards beside it: one is put in and taken out by hand, on a page of the card desk.

It keeps :class:`inkan.client.card_link.CardReaders`, so that the card agent and the manage program do not see a
difference to PC/SC.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from inkan.client.card import CardEvent, CardRemoved, Listener, NoCard, NoReader, Reader
from inkan.demo.test_card import PivApplet

NAME: Final = "Reader of the card desk"


class HeldCard(NamedTuple):
    """A card beside the reader.

    Attributes:
        key: names it in forms.
        label: as it is written on the card, with what a newcomer has to know of it.
    """

    key: str
    label: str
    applet: PivApplet


class SoftwareReader:
    """One reader and the cards beside it; threads may use it at the same time."""

    def __init__(self, cards: list[HeldCard]) -> None:
        self._cards = {each.key: each for each in cards}
        self._inserted: str | None = None
        self._listeners: list[Listener] = []
        self._guard = threading.RLock()

    # --- by hand ------------------------------------------------------------------------------------

    def choices(self) -> list[tuple[str, str]]:
        """Key and label of every card."""
        return [(each.key, each.label) for each in self._cards.values()]

    @property
    def inserted(self) -> str | None:
        """Key of the card that is in."""
        return self._inserted

    def insert(self, key: str) -> None:
        """Put a card in; one that is in comes out first. An unknown key does nothing."""
        with self._guard:
            if key not in self._cards:
                return
            self.take_out()
            self._inserted = key
        self._tell(CardEvent.INSERTED)

    def take_out(self) -> None:
        """Take the card out; every link to it is over."""
        with self._guard:
            key, self._inserted = self._inserted, None
        if key is not None:
            self._cards[key].applet.reset()
            self._tell(CardEvent.REMOVED)

    # --- by programs ----------------------------------------------------------------------------------

    def readers(self) -> list[Reader]:
        """The one reader."""
        return [Reader(NAME, has_card=self._inserted is not None)]

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Tell of insertion and removal, in the thread of whoever's hand it was."""
        with self._guard:
            self._listeners.append(listener)

        def stop() -> None:
            with self._guard:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return stop

    def connect(self, reader: str) -> "SoftwareLink":
        """Connect to the card that is in.

        Raises:
            NoReader: another reader.
            NoCard: none is in.
        """
        if reader != NAME:
            raise NoReader(reader)
        applet = self.applet()
        if applet is None:
            raise NoCard(reader)
        return SoftwareLink(self, applet)

    def applet(self) -> PivApplet | None:
        """The card that is in."""
        key = self._inserted
        return self._cards[key].applet if key is not None else None

    def _tell(self, event: CardEvent) -> None:
        for listener in tuple(self._listeners):
            listener(self.readers()[0], event)


class SoftwareLink:
    """A connection to the card that was in when it was made."""

    def __init__(self, reader: SoftwareReader, applet: PivApplet) -> None:
        self._reader = reader
        self._applet = applet
        self._one = threading.RLock()

    def transmit(self, command: bytes) -> bytes:
        """Return the card's answer.

        Raises:
            CardRemoved: it is not in any more.
        """
        self._require()
        return self._applet.transmit(command)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep other threads of this link away until the block ends.

        Raises:
            CardRemoved: as :meth:`transmit`.
        """
        with self._one:
            self._require()
            yield

    def close(self) -> None:
        """End the connection and reset the card."""
        self._applet.reset()

    def _require(self) -> None:
        if self._reader.applet() is not self._applet:
            raise CardRemoved
