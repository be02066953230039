"""The agent's own dialog as a port: what the person is told, what they give, and how it ends without them.

PIN and digits come from here and from nowhere else; no page ever holds them.
"""

import threading
from collections.abc import Callable
from typing import Protocol

import msgspec

from inkan.client.card import Giving
from inkan.client.guessable_pins import Known
from inkan.client.piv_layout import KeyUse
from inkan.kernel.sensitive import Secret


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the dialog tells.

    Attributes:
        origin: of the page that asks, as the browser states it.
        key: whose PIN is asked for.
        tries_left: at least one.
        photo: whether the page is told the SHA-256 of the card's photo as well.
        giving: what the PIN gives away, read from the very content; None when the PIN is to be changed.
        known: what no new PIN may be made of.
    """

    origin: str
    key: KeyUse
    tries_left: int
    giving: Giving | None = None
    photo: bool = False
    known: Known = Known()


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the person typed.

    Attributes:
        pin: of the key; its form is not checked yet.
        digits: the 8 digits on the phone, empty when none are needed.
    """

    pin: Secret[str]
    digits: str = ""


class NewPIN(msgspec.Struct, frozen=True, kw_only=True):
    """An old PIN and the one that replaces it, typed twice."""

    old: Secret[str]
    new: Secret[str]


class Ending:
    """Says that nobody waits for a dialog any more: the card was pulled out, or the page is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._has_ended = False
        self._close: Callable[[], None] | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it has."""
        return self._has_ended

    def end(self) -> None:
        """Close the dialog that is open, and any that would be opened from now on."""
        with self._lock:
            self._has_ended = True
            if self._close is not None:
                self._close()

    def closes(self, close: Callable[[], None] | None) -> None:
        """Name what closes the open dialog, None when none is open; called at once when it has ended already."""
        with self._lock:
            self._close = close
            if close is not None and self._has_ended:
                close()


class Dialog(Protocol):
    """Asks the person who sits at this computer. The calls block until the person or ``ending`` ends them."""

    def ask(self, question: Question, ending: Ending) -> Given:
        """Show who asks and what is given; return the PIN, and the digits where they are needed.

        Raises:
            CardRequestDeclined: the person said no, or the ending came first.
            DialogUnavailable: nobody could be asked.
        """

    def ask_change(self, question: Question, ending: Ending) -> NewPIN:
        """Show who asks; return the old PIN and the new one.

        A new one that others would guess (:func:`inkan.client.guessable_pins.find`) is asked for again, with the
        reason; one that is returned all the same is refused by the card's program.

        Raises:
            CardRequestDeclined, DialogUnavailable: as :meth:`ask`.
        """
