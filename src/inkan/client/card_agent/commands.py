"""What the agent does for a page: the commands of *use*, one at a time, for origins of its list.

The caller hands over the origin that the browser stated and the page's request, and gets the answer's bytes; nothing
is raised. A card is opened for one command and closed with it. While a person is asked the reader is watched: a card
that is pulled out ends the dialog, the connection and the command.
"""

import hashlib
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol

import msgspec

from inkan.client.card import (
    CardConnection,
    CardEvent,
    CardRemoved,
    CardRequestDeclined,
    CardRequestRefused,
    Giving,
    NoReader,
    PINLocked,
    Reader,
)
from inkan.client.card_agent import messages
from inkan.client.card_agent.dialog import Dialog, Ending, Given, Question
from inkan.client.card_agent.origins import origin_of
from inkan.client.card_agent.refusals import (
    AgentBusy,
    AgentRequestMalformed,
    OriginRefused,
    OriginUnlisted,
    PhotoRefused,
)
from inkan.client.card_link import CardReaders, choose_reader
from inkan.client.durable_file import FileBusy, FileLock
from inkan.client.guessable_pins import Known
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KEYS, CardObject, KeyUse
from inkan.client.signed_types import agree
from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire.enrolment_request import CONTENT_TYPES, Purpose

VERSION: Final = 1
KIND: Final = "use"
_BIND: Final = CONTENT_TYPES[Purpose.BIND]

Tell = Callable[[bytes], None]


class AgentCard(CardConnection, Protocol):
    """What the agent needs of a card: a connection that also tells the authorities' certificates in the card."""

    def issuer_certificates(self) -> list[bytes]:
        """Return their DER, the self-signed one first; empty where the card holds none."""

    def read_object(self, which: CardObject, pin: Secret[str] | None = None) -> bytes | None:
        """Return a data object, None when the card has none."""

    def known(self) -> Known:
        """Return what no new PIN may be made of; empty where the card tells nothing."""


class CardAgent:
    """The commands of one page, or of all pages of a loopback agent.

    Args:
        readers: makes the way to the readers; asked for each command, since the service may come and go.
        dialog: asks the person.
        origins: who may ask.
        kiosks: who of them is told the SHA-256 of the photo in the card.
        lock: held while the card is used: two pages may have two agents.
        tell: takes events to the page; None where there is no way.
        cards: makes the connection to the card of a command, not open yet; another one for another kind of card.
    """

    def __init__(
        self,
        *,
        readers: Callable[[], CardReaders],
        dialog: Dialog,
        origins: Collection[str],
        kiosks: Collection[str] = (),
        lock: FileLock,
        tell: Tell | None = None,
        cards: Callable[[CardReaders, KeyUse], AgentCard] = PivCard,
    ) -> None:
        self._readers = readers
        self._cards = cards
        self._dialog = dialog
        self._origins = frozenset(origins)
        self._kiosks = frozenset(kiosks)
        self._file = lock
        self._tell = tell
        self._one = threading.Lock()
        self._over = Ending()
        self._stop_watch: Callable[[], None] | None = None
        # What asks nothing of a card is answered while another request has it.
        self._free: Mapping[type, Callable[[], dict[str, Any]]] = {
            messages.Hello: self._hello,
            messages.Status: self._status,
            messages.Watch: self._watch,
        }
        self._with_card: Mapping[type, Callable[[Any, str], dict[str, Any]]] = {
            messages.Certificates: self._certificates,
            messages.Sign: self._sign,
            messages.Tries: self._tries,
            messages.ChangePIN: self._change_pin,
        }

    def answer(self, origin: str, data: bytes) -> bytes:
        """Return the answer to a page's request; blocks as long as the person takes.

        Args:
            origin: of the page, from the browser.
            data: the request.
        """
        try:
            self._verify_listed(origin)
            request = messages.parse_request(data)
            done = self._do(request, origin)
        except InkanError as refused:
            return messages.refusal(messages.request_id(data), refused)
        return messages.answer(request.id, done)

    def close(self) -> None:
        """End dialog, card and watch: the page is gone."""
        self._over.end()
        stop, self._stop_watch = self._stop_watch, None
        if stop is not None:
            stop()

    def _verify_listed(self, origin: str) -> None:
        if origin not in self._origins:
            raise OriginUnlisted(origin=origin)

    def _do(self, request: messages.UseRequest, origin: str) -> dict[str, Any]:
        free = self._free.get(type(request))
        if free is not None:
            return free()
        with self._alone():
            return self._with_card[type(request)](request, origin)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else uses the card through an agent of this person.

        Raises:
            AgentBusy: somebody does.
        """
        if not self._one.acquire(blocking=False):
            raise AgentBusy
        try:
            self._file.acquire()
        except FileBusy:
            self._one.release()
            raise AgentBusy from None
        except BaseException:
            # A folder that is gone, a lock of somebody else: not busy for ever after.
            self._one.release()
            raise
        try:
            yield
        finally:
            self._file.release()
            self._one.release()

    @contextmanager
    def _card(self, use: KeyUse) -> Iterator[tuple[AgentCard, Ending]]:
        """The only card, watched; its removal ends the dialog.

        Raises:
            NoReader, NoCard, SeveralCards, CardInUse, CardUnknown, CardServiceMissing: there is none to use.
            CardRemoved: it was pulled out meanwhile.
        """
        readers = self._readers()
        name = choose_reader(readers.readers(), None)
        removed = threading.Event()
        ending = Ending()

        def listen(reader: Reader, event: CardEvent) -> None:
            if reader.name == name and event is CardEvent.REMOVED:
                removed.set()
                ending.end()

        # Before the card is opened: what is pulled out in between is missed by neither.
        stop = readers.watch(listen)
        card = self._cards(readers, use)
        self._over.closes(ending.end)
        try:
            card.open(name)
            yield card, ending
        except CardRequestDeclined:
            if removed.is_set():
                raise CardRemoved from None
            raise
        finally:
            self._over.closes(None)
            card.close()
            stop()

    # --- the commands ---------------------------------------------------------------------------

    def _hello(self) -> dict[str, Any]:
        return {"version": VERSION, "kind": KIND}

    def _status(self) -> dict[str, Any]:
        try:
            found = self._readers().readers()
        except NoReader:
            found = []
        readers = [{"name": each.name, "has_card": each.has_card} for each in found]
        return {"version": VERSION, "readers": readers}

    def _watch(self) -> dict[str, Any]:
        tell = self._tell
        if tell is None:
            raise AgentRequestMalformed(
                where="/command", expected="a command of the loopback agent"
            )
        if self._stop_watch is None:
            self._stop_watch = self._readers().watch(
                lambda reader, event: tell(messages.event(event.value, reader.name))
            )
        return {}

    def _certificates(self, request: messages.Certificates, _: str) -> dict[str, Any]:
        with self._card(request.key) as (card, _ending):
            held = [base64url.encode(each.der) for each in card.certificates()]
            issuers = [base64url.encode(der) for der in card.issuer_certificates()]
        return {"certificates": held, "issuers": issuers}

    def _tries(self, request: messages.Tries, _: str) -> dict[str, Any]:
        with self._card(request.key) as (card, _ending):
            return {"tries_left": card.tries_left()}

    def _sign(self, request: messages.Sign, origin: str) -> dict[str, Any]:
        """Have the card sign.

        Plan:
            1. A card with a certificate, of the key that signs this type, not locked.
            2. The content is of its type and names the origin that asks.
            3. The dialog: who asks, what is given; digits and PIN.
            4. The card signs, which reads the content once more.
            5. Where a kiosk asks for it: the SHA-256 of the photo, absent when the card holds none. The photo itself
               goes to nobody.
        """
        content = base64url.decode(request.content)
        if request.photo and (origin not in self._kiosks or request.content_type != _BIND):
            raise PhotoRefused(origin=origin)
        with self._card(request.key) as (card, ending):
            question = _asked(card, request.key, origin, photo=request.photo)  # 1
            if not card.certificates() or request.content_type not in KEYS[request.key].signs:
                raise CardRequestRefused("the card has no certificate that signs this")
            given: list[Given] = []

            def confirm(giving: Giving) -> str:
                _verify_origin(giving, origin)  # 2
                given.append(self._dialog.ask(_showing(question, giving), ending))  # 3
                return given[-1].digits

            agree(content, content_type=request.content_type, confirm=confirm)
            typed = given[-1]
            cms = card.sign_request(  # 4
                content,
                content_type=request.content_type,
                pin=typed.pin,
                confirm=lambda _: typed.digits,
            )
            photo = card.read_object(CardObject.PHOTO, typed.pin) if request.photo else None  # 5
        answer = {"cms": base64url.encode(cms)}
        if photo is not None:
            answer["photo_sha256"] = base64url.encode(hashlib.sha256(photo).digest())
        return answer

    def _change_pin(self, request: messages.ChangePIN, origin: str) -> dict[str, Any]:
        with self._card(request.key) as (card, ending):
            question = msgspec.structs.replace(
                _asked(card, request.key, origin), known=card.known()
            )
            typed = self._dialog.ask_change(question, ending)
            card.change_pin(typed.old, typed.new)
        return {}


def _asked(card: CardConnection, key: KeyUse, origin: str, *, photo: bool = False) -> Question:
    """The question of a key that is not locked.

    Raises:
        PINLocked: it is.
    """
    left = card.tries_left()
    if left == 0:
        raise PINLocked
    return Question(origin=origin, key=key, tries_left=left, photo=photo)


def _showing(question: Question, giving: Giving) -> Question:
    return msgspec.structs.replace(question, giving=giving)


def _verify_origin(giving: Giving, origin: str) -> None:
    """A page has signed only what was made for it (threats 5, 6).

    Raises:
        OriginRefused: the content names another origin, or none.
    """
    named = giving.origin or origin_of(giving.audience)
    if named != origin:
        raise OriginRefused(origin=named or "")
