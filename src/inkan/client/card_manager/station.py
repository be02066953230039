"""One card in one reader while a case is at work, and the PINs that were set for it.

A PIN is remembered between the step that makes keys and the one that writes certificates, so that a person types it
once: for this card, in this connection, for ten minutes at most. It is dropped when the card leaves the reader, when
the time is over, and when the certificates are written.
"""

import threading
from collections.abc import Callable
from typing import Final

from inkan.client.card import CardEvent, CardNotOpen, Reader
from inkan.client.card_agent.dialog import Ending
from inkan.client.card_link import CardReaders, choose_reader
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.kernel.errors import Conflict, InkanError
from inkan.kernel.sensitive import Secret

PIN_LIFE_S: Final = 600.0


class CardNumberDiffers(Conflict):
    """Another card is in the reader than the one that the step is for."""

    code = "card_number_differs"
    title = "There is another card in the reader"


class Station:
    """The card in the reader of a terminal.

    Args:
        readers: the way to the readers.
        reader: name of the reader; None for the only one that holds a card.
        pin_life_s: how long a PIN is remembered.

    Attributes:
        is_gone: whether the connected card has left the reader.
        ending: ends the dialog that is open for this card.
    """

    def __init__(
        self, readers: CardReaders, *, reader: str | None = None, pin_life_s: float = PIN_LIFE_S
    ) -> None:
        self._readers = readers
        self._wanted = reader
        self._pin_life_s = pin_life_s
        self._cards: dict[KeyUse, PivCard] = {}
        self._number: str | None = None
        self._reader: str | None = None
        self.is_gone = False
        self.ending = Ending()
        self._stop_watching: Callable[[], None] | None = None
        self._pins: dict[KeyUse, Secret[str]] = {}
        self._timer: threading.Timer | None = None
        self._guard = threading.Lock()

    def connect(self, expected: str | None = None) -> str:
        """Connect, unless the card is still the one of the last step, and return its number.

        Raises:
            NoReader, NoCard, SeveralCards, CardInUse, CardUnknown, CardServiceMissing: there is nothing to connect to.
            CardAnswerMalformed: it has no number.
            CardNumberDiffers: it is another card than the expected one.
        """
        if not self._is_same():
            self.close()
            self._open()
        number = self._number
        if number is None or (expected is not None and number != expected):
            self.close()
            raise CardNumberDiffers
        return number

    def card(self, use: KeyUse) -> PivCard:
        """The connected card, seen through one of its keys.

        Raises:
            CardNotOpen: the connection was ended meanwhile: the page is gone.
        """
        card = self._cards.get(use)
        if card is None:
            raise CardNotOpen
        return card

    def remember(self, pins: dict[KeyUse, Secret[str]]) -> None:
        """Remember PINs that were just set; not when card or page went in the meantime: nothing would drop them then."""
        with self._guard:
            if self._timer is not None:
                self._timer.cancel()  # of PINs that these replace
            self._pins, self._timer = {}, None
            if self.is_gone or self.ending.has_ended or not self._cards:
                return
            self._pins = dict(pins)
            self._timer = threading.Timer(self._pin_life_s, self.forget)
            self._timer.daemon = True
            self._timer.start()

    def remembered(self, use: KeyUse) -> Secret[str] | None:
        """The PIN that was set for this card in this connection, while it is remembered."""
        return self._pins.get(use)

    def forget(self) -> None:
        """Drop the PINs."""
        with self._guard:
            self._pins = {}
            timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """End the connection and drop the PINs; a second call does nothing."""
        stop, self._stop_watching = self._stop_watching, None
        if stop is not None:
            stop()
        cards, self._cards = self._cards, {}
        self.forget()
        for card in cards.values():
            card.close()
        self._number = self._reader = None

    def _open(self) -> None:
        self.is_gone, self.ending = False, Ending()
        self._reader = choose_reader(self._readers.readers(), self._wanted)
        # Watched before it is opened: a card that goes at once is missed by nobody.
        self._stop_watching = self._readers.watch(self._heard)
        try:
            for use in KeyUse:
                card = PivCard(self._readers, use)
                card.open(self._reader)
                self._cards[use] = card
            self._number = self._cards[KeyUse.SIGNATURE].number()
        except InkanError:
            self.close()
            raise

    def _is_same(self) -> bool:
        """Whether the card of the last step answers still, by its number."""
        if not self._cards or self.is_gone:
            return False
        try:
            return all(card.number() == self._number for card in self._cards.values())
        except InkanError:
            return False

    def _heard(self, reader: Reader, event: CardEvent) -> None:
        """In the watch's thread: it must not end the watch, which waits for this very thread."""
        if event is CardEvent.REMOVED and reader.name == self._reader:
            self.is_gone = True
            self.forget()
            self.ending.end()
