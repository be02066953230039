"""The manage program's own dialog: a person in front of the counter sets or types a PIN, unseen by the page."""

from typing import Protocol

import msgspec

from inkan.client.card_agent.dialog import Ending
from inkan.client.guessable_pins import Known
from inkan.client.piv_layout import KeyUse
from inkan.kernel.sensitive import Secret


class PINAsked(msgspec.Struct, frozen=True, kw_only=True):
    """What the dialog says beside the field.

    Attributes:
        use: whose PIN: 6 to 16 letters and digits, or 4 digits (``piv_layout.KEYS``).
        origin: whose page handed the command over.
        card: number of the card in the reader.
        tries_left: of a PIN that is there; None for a new one.
        known: what no new PIN may be made of.
    """

    use: KeyUse
    origin: str
    card: str
    tries_left: int | None = None
    known: Known = Known()


class ManagerDialog(Protocol):
    """Where the person types. The calls block until the person, or ``ending``, ends them."""

    def new_pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """Return a new PIN that was typed twice; one that others would guess is asked for again, with the reason.

        Raises:
            CardRequestDeclined: the person does not want to, or the ending came first.
            DialogUnavailable: nobody could be asked.
        """

    def pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """Return the PIN that the person knows; refusals as of :meth:`new_pin`."""
