"""What a card back end needs of readers: list, watch, connect, and a link that carries commands.

PC/SC is one implementation (:mod:`inkan.client.pcsc`); tests bring one in their own process.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from inkan.client.card import Listener, NoCard, NoReader, Reader
from inkan.client.card_refusals import SeveralCards


class Channel(Protocol):
    """Whatever carries one command to a card and brings its answer."""

    def transmit(self, command: bytes) -> bytes:
        """Return the answer with its two status octets (ISO/IEC 7816-4 §5.1).

        Raises:
            CardRemoved, CardReset, CardServiceMissing: the link is over.
        """


class Link(Channel, Protocol):
    """A connection to one card in one reader."""

    def transaction(self) -> AbstractContextManager[None]:
        """No other program speaks to the card until the block ends.

        Raises:
            CardRemoved, CardReset, CardServiceMissing: the link is over.
        """

    def close(self) -> None:
        """End it and reset the card, so that no PIN stays presented; a second call does nothing."""


class CardReaders(Protocol):
    """The readers of this computer. The calls block."""

    def readers(self) -> list[Reader]:
        """Return the connected readers.

        Raises:
            NoReader: there is none.
            CardServiceMissing: nobody can say.
        """

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener``, in a thread of its own, on every insertion and removal until the returned function is called."""

    def connect(self, reader: str) -> Link:
        """Connect to the card in a reader.

        Raises:
            NoReader, NoCard, CardInUse, CardServiceMissing: it cannot be done.
        """


def choose_reader(readers: list[Reader], name: str | None) -> str:
    """Return the reader of that name, or the only one that holds a card.

    Raises:
        NoReader: none of that name.
        NoCard: it is empty, or all are.
        SeveralCards: none was named and several hold one.
    """
    if name is not None and all(each.name != name for each in readers):
        raise NoReader(name)
    holding = [each.name for each in readers if each.has_card and name in {None, each.name}]
    if not holding:
        raise NoCard(name or "")
    if len(holding) > 1:
        raise SeveralCards(", ".join(holding))
    return holding[0]
