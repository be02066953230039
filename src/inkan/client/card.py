"""The IC card as programs see it: one interface for the software card and for real readers.

A card connection signs typed enrolment requests and nothing else: there is no call that takes a digest, so
that no page can have the card sign what its holder cannot know (threats 5 and 6). Everything that a person
can run into has its own refusal, because "card error" helps nobody at a counter.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Malformed, NotFound, Unavailable
from inkan.kernel.sensitive import Secret

PIN_TRIES: Final = 5  # security.md threat 27; pki.md §3.1


class NoReader(NotFound):
    """No card reader of that name is connected."""

    code = "card_no_reader"
    title = "No card reader was found"


class NoCard(NotFound):
    """The reader is empty."""

    code = "card_missing"
    title = "There is no card in the reader"


class CardRemoved(Unavailable):
    """The card was pulled out; the connection is over."""

    code = "card_removed"
    title = "The card was removed"


class CardNotOpen(Conflict):
    """Nobody opened the card, or it was closed."""

    code = "card_not_open"
    title = "The card is not open"


class WrongPIN(Forbidden):
    """A try is lost; ``tries_left`` says how many remain."""

    code = "card_wrong_pin"
    title = "The PIN is wrong"
    public = ("tries_left",)

    @property
    def tries_left(self) -> int:
        """How many tries remain, at least one."""
        return int(self.facts["tries_left"])


class PINLocked(Forbidden):
    """No try is left; a counter can unlock the card."""

    code = "card_pin_locked"
    title = "The card is locked after too many wrong PINs"


class PINMalformed(Malformed):
    """A PIN does not have the form that this card's PINs have; of a software card 6 to 12 digits."""

    code = "card_pin_malformed"
    title = "A PIN has 6 to 12 digits"


class CardRequestRefused(Forbidden):
    """What should be signed is no enrolment request of the type that was named: the card signs nothing else."""

    code = "card_request_refused"
    title = "The card does not sign this"


class DigitsMismatch(Forbidden):
    """The digits that were typed do not belong to the request in front of the card."""

    code = "card_digits_mismatch"
    title = "The digits do not match those on the phone"


class CardRequestDeclined(Forbidden):
    """The person said no in the card's dialog."""

    code = "card_request_declined"
    title = "The request was declined at the card"


class CertificateNotOfCard(Malformed):
    """A certificate of another key than the card's."""

    code = "card_certificate_of_another_key"
    title = "The certificate does not belong to the key of this card"


class CardEvent(StrEnum):
    """What a reader reports."""

    INSERTED = "inserted"
    REMOVED = "removed"


class Reader(msgspec.Struct, frozen=True):
    """A connected reader."""

    name: str
    has_card: bool


class CardCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate of the card (DER) with its issuers, root left out."""

    der: bytes
    chain: tuple[bytes, ...] = ()


class Giving(msgspec.Struct, frozen=True, kw_only=True):
    """What the card's own dialog tells the person: what is given away by the PIN.

    Attributes:
        purpose: bind, renew, revoke, window or ceremony; card_login, card_revoke or submission.
        scheme: the rule set; of a ceremony its title.
        audience: the platform that will act on the request; of a ceremony the hash of its file.
        phone_name: the name that the phone goes by, where there is one.
        needs_digits: whether the 8 digits on the phone must be typed.
        origin: the web origin that asks, where the content names one.
        lines: label and value of what is given, in the order in which people read it; of a submission its fields.
    """

    purpose: str
    scheme: str
    audience: str
    phone_name: str | None
    needs_digits: bool
    origin: str | None = None
    lines: tuple[tuple[str, str], ...] = ()


# The card client's own dialog. It names what is being given and returns the 8 digits that the person typed
# (any text when none are needed); it never receives them. To decline it raises CardRequestDeclined.
Confirm = Callable[[Giving], str]
Listener = Callable[[Reader, CardEvent], None]


class CardConnection(Protocol):
    """One card in one reader.

    The calls block: a card takes its time, and a thread or the reader's own process waits for it.
    """

    def readers(self) -> list[Reader]:
        """Return the connected readers.

        Raises:
            NoReader: there is none.
        """

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on every insertion and removal until the returned function is called."""

    def open(self, reader: str | None = None) -> None:
        """Connect to the card in ``reader``, or in the only reader that has one.

        Raises:
            NoReader: no such reader.
            NoCard: it is empty.
        """

    def certificates(self) -> list[CardCertificate]:
        """Return the certificates that enrolment requests can be signed with, best first.

        Raises:
            CardNotOpen, CardRemoved: there is nothing to read.
        """

    def tries_left(self) -> int:
        """How many wrong PINs the card still forgives; 0 means locked.

        Raises:
            CardNotOpen, CardRemoved: there is nothing to read.
        """

    def verify_pin(self, pin: Secret[str]) -> None:
        """Present the PIN.

        Raises:
            PINMalformed: cards in readers only: no PIN of this key has that form; nothing was tried.
            WrongPIN: with the tries that are left.
            PINLocked: none is left.
            CardNotOpen, CardRemoved: there is nothing to ask.
        """

    def change_pin(self, old: Secret[str], new: Secret[str]) -> None:
        """Replace the PIN; a wrong old one costs a try.

        Raises:
            PINMalformed: the new one has not the form of a PIN of this card; nothing was tried.
            WrongPIN, PINLocked, CardNotOpen, CardRemoved: as :meth:`verify_pin`.
        """

    def sign_request(
        self, content: bytes, *, content_type: str, pin: Secret[str], confirm: Confirm
    ) -> bytes:
        """Return the CMS SignedData (DER) of one enrolment request.

        Args:
            content: the request's canonical bytes, as the platform gave them.
            content_type: the dotted OID of its purpose.
            pin: the card's PIN.
            confirm: the dialog.

        Raises:
            CardRequestRefused: not such a request, or of another purpose than the type says.
            CardRequestDeclined: the person said no; no try is lost.
            DigitsMismatch: other digits were typed; no try is lost.
            WrongPIN, PINLocked, CardNotOpen, CardRemoved: as :meth:`verify_pin`.
        """

    def close(self) -> None:
        """End the connection; a second call does nothing."""
