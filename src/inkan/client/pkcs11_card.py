"""A card through a PKCS #11 module (OpenSC's, or a card maker's): a :class:`~inkan.client.card.CardConnection`.

The module's path is configuration. A module tells less than a card: of the tries it says locked, the last one, or
more, so :meth:`Pkcs11Card.tries_left` answers 0, 1 or 2, of which 2 means "at least two".
"""

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn, Self

from inkan.client import card_proof, guessable_pins
from inkan.client.card import (
    CardCertificate,
    CardNotOpen,
    CardRemoved,
    CardRequestRefused,
    Confirm,
    Listener,
    NoCard,
    NoReader,
    PINLocked,
    Reader,
    WrongPIN,
)
from inkan.client.card_known import known_of
from inkan.client.card_link import choose_reader
from inkan.client.card_polling import poll
from inkan.client.card_refusals import (
    CardAnswerMalformed,
    CardServiceMissing,
    SignaturePINMalformed,
)
from inkan.client.piv_layout import KEYS, KeyUse
from inkan.client.signed_types import agree
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.key_providers import KeyStoreLocked
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret

_PIN_FORM: Final = KEYS[KeyUse.SIGNATURE].pin_form
_SIGNS: Final = "contentCommitment"


class Pkcs11Card:
    """One card of the slots of a module.

    Args:
        module: path of the shared library.
        issuers: DER of the authorities between the card's certificate and the root, for modules that do not show
            those in the card.

    Raises:
        CardServiceMissing: the module or the library for modules is not installed.
    """

    def __init__(self, module: Path, *, issuers: Sequence[bytes] = ()) -> None:
        try:
            # The library is an extra: only who uses a module needs it.
            tokens: Any = importlib.import_module("inkan.crypto.pkcs11.card_tokens")
            self._module = tokens.CardModule(module)
        except (ImportError, KeyStoreLocked) as error:
            raise CardServiceMissing(f"the PKCS #11 module: {error}") from None
        self._trouble = tokens.TokenTrouble
        self._kinds = tokens.Trouble
        self._issuers = card_proof.issuer_chain(issuers)
        self._token: Any = None

    def readers(self) -> list[Reader]:
        """Return the slots of the module.

        Raises:
            NoReader: there is none.
        """
        with self._asked():
            found = [Reader(slot.name, has_card=slot.has_token) for slot in self._module.slots()]
        if not found:
            raise NoReader
        return found

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Report insertion and removal within a fifth of a second and the time that the module takes to look."""
        return poll(self._seen, listener)

    def open(self, reader: str | None = None) -> None:
        """Connect to the card in a slot.

        Raises:
            NoReader, NoCard, SeveralCards: there is nothing to connect to.
        """
        self.close()
        name = choose_reader(self.readers(), reader)
        try:
            with self._asked():
                self._token = self._module.open(name)
        except CardRemoved:
            raise NoCard(name) from None

    def certificates(self) -> list[CardCertificate]:
        """Return the certificates whose keys sign for their holder (key usage contentCommitment), with their issuers."""
        return [certificate for _, certificate in self._certificates()]

    def tries_left(self) -> int:
        """0 locked, 1 the last try, 2 at least two."""
        with self._session() as token:
            return int(token.tries())

    def verify_pin(self, pin: Secret[str]) -> None:
        """Present the PIN, and take it back."""
        _verify_form(pin)
        with self._session() as token:
            token.verify(pin)

    def change_pin(self, old: Secret[str], new: Secret[str]) -> None:
        """Replace the PIN; a wrong old one costs a try."""
        _verify_form(old)
        _verify_form(new)
        guessable_pins.verify(new, known_of(self.certificates()))
        with self._session() as token:
            token.change(old, new)

    def sign_request(
        self, content: bytes, *, content_type: str, pin: Secret[str], confirm: Confirm
    ) -> bytes:
        """Return the CMS SignedData (DER) of one typed request; steps and refusals as every card's."""
        held = self._certificates()
        if not held:
            raise CardRequestRefused("the card has no certificate that signs requests")
        agree(content, content_type=content_type, confirm=confirm)
        _verify_form(pin)
        key_id, certificate = held[0]
        with self._session() as token:
            return card_proof.sign_content(
                content,
                content_type=content_type,
                certificate=certificate,
                sign=lambda message: token.sign(key_id, message, pin),
            )

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        token, self._token = self._token, None
        if token is not None:
            token.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _seen(self) -> frozenset[str]:
        """The slots that hold a card; none where the module cannot say."""
        try:
            with self._asked():
                return frozenset(self._module.present())
        except InkanError:
            return frozenset()

    def _certificates(self) -> list[tuple[bytes, CardCertificate]]:
        with self._session() as token:
            found = token.certificates()
        for _, der in found:
            card_proof.read_card_certificate(der)
        parsed = [(key_id, der, parse_certificate(der)) for key_id, der in found]
        inside = card_proof.issuer_chain([der for _, der, each in parsed if each.is_ca])
        chain = tuple(dict.fromkeys((*inside, *self._issuers)))
        return [
            (key_id, CardCertificate(der=der, chain=chain))
            for key_id, der, each in parsed
            if _SIGNS in each.key_usage and not each.is_ca
        ]

    @contextmanager
    def _session(self) -> Iterator[Any]:
        """The open token; a card that is gone ends the connection."""
        token = self._token
        if token is None:
            raise CardNotOpen
        try:
            with self._asked(token):
                yield token
        except CardRemoved:
            self.close()
            raise

    @contextmanager
    def _asked(self, token: Any = None) -> Iterator[None]:
        try:
            yield
        except self._trouble as trouble:
            self._refuse(trouble, token)

    def _refuse(self, trouble: Any, token: Any) -> NoReturn:
        """Say in the words of cards what the module refused."""
        kind, kinds = trouble.trouble, self._kinds
        if kind is kinds.REMOVED:
            raise CardRemoved(str(trouble)) from None
        if kind is kinds.PIN_FORM:
            raise SignaturePINMalformed from None
        if kind is kinds.LOCKED:
            raise PINLocked from None
        if kind is kinds.WRONG_PIN:
            with self._asked():
                left = token.tries()
            if left == 0:
                raise PINLocked from None
            raise WrongPIN(tries_left=left) from None
        raise CardAnswerMalformed(f"the PKCS #11 module: {trouble}") from None


def _verify_form(pin: Secret[str]) -> None:
    if not _PIN_FORM.fullmatch(pin.reveal()):
        raise SignaturePINMalformed
