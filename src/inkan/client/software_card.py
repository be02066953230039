"""A file that behaves like an IC card: it makes its own key, counts wrong PINs, and signs typed requests only.

It stands where a reader with a card will stand (tests, demo, command line) and keeps the card's promises where a
file can: the key leaves it only as a signature, a try is spent on the disk before the PIN is looked at, and the
dialog is the card's, not the page's. What a file cannot promise is that nobody copies it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal, Self

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.client import durable_file, guessable_pins
from inkan.client.card import (
    PIN_TRIES,
    CardCertificate,
    CardNotOpen,
    CardRemoved,
    CardRequestRefused,
    CertificateNotOfCard,
    Confirm,
    Listener,
    NoCard,
    NoReader,
    PINLocked,
    PINMalformed,
    Reader,
    WrongPIN,
)
from inkan.client.card_known import known_of
from inkan.client.card_polling import poll
from inkan.client.durable_file import FileExists, FileLock, FileMissing
from inkan.client.passphrase import Scrypted, ScryptUnbearable
from inkan.client.signed_types import agree
from inkan.crypto import aead, cms, jcs, keys
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.keys import KeySpec, PrivateKey
from inkan.kernel.errors import InkanError, Malformed
from inkan.kernel.sensitive import Secret

READER: Final = "Software reader"
_PIN_LENGTHS: Final = range(6, 12 + 1)
_PIN_COST: Final = 2**14


class CardFileMalformed(Malformed):
    """Not the file of a software card."""

    code = "card_file_malformed"
    title = "This is not the file of a software card"


class CardExists(FileExists):
    """A new card would overwrite an existing one."""

    code = "card_exists"
    title = "There is a card in this place already"


class _Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: Literal["inkan-card"] = "inkan-card"
    v: Literal[1] = 1
    spki: bytes
    scrypt: Scrypted
    sealed_key: bytes
    tries_left: int = PIN_TRIES
    certificate: bytes | None = None
    chain: tuple[bytes, ...] = ()

    @property
    def place(self) -> bytes:
        """The associated data of the sealed key."""
        scrypt = self.scrypt.described()
        return jcs.canonical({"format": self.format, "spki": self.spki.hex(), "scrypt": scrypt})


class SoftwareCard:
    """The card that lies in one file; a :class:`~inkan.client.card.CardConnection`.

    Args:
        path: the file; it may appear and disappear, as cards do.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: FileLock | None = None

    @classmethod
    def make(
        cls, path: Path, *, pin: Secret[str], spec: KeySpec = KeySpec.RSA2048
    ) -> tuple[Self, bytes]:
        """Make a card with a key of its own; return it and its PKCS #10 request (DER, no names).

        Raises:
            PINMalformed: the PIN is not 6 to 12 digits.
            PINGuessable: others would guess it.
            CardExists: there is one.
        """
        _verify_new_pin(pin)
        guessable_pins.verify(pin)
        if path.exists():
            raise CardExists(str(path))
        key = keys.generate(spec)
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
        card = cls(path)
        card._write(_seal(key, pin))
        return card, request.sign(key, SHA256()).public_bytes(Encoding.DER)

    def put_certificate(self, der: bytes, *, chain: Sequence[bytes] = ()) -> None:
        """Write the certificate of the card's key, with its issuers up to but without the root.

        Raises:
            CertificateNotOfCard: it certifies another key.
            CertificateMalformed: it is no certificate.
        """
        card = self._read()
        if keys.spki_der(parse_certificate(der).public_key) != card.spki:
            raise CertificateNotOfCard
        self._write(msgspec.structs.replace(card, certificate=der, chain=tuple(chain)))

    def readers(self) -> list[Reader]:
        """Return the one reader that a file has."""
        return [Reader(READER, has_card=self._path.exists())]

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Report when the file appears and disappears, within a fifth of a second."""
        return poll(lambda: frozenset({READER} if self._path.exists() else ()), listener)

    def open(self, reader: str | None = None) -> None:
        """Connect; until :meth:`close` no other program can.

        Raises:
            NoReader: another reader was named.
            NoCard: there is no file.
            CardFileMalformed: the file is no card.
            FileBusy: another program uses the card.
        """
        if reader not in {None, READER}:
            raise NoReader(reader or "")
        if not self._path.exists():
            raise NoCard(str(self._path))
        lock = FileLock(self._path)
        lock.acquire()
        self._lock = lock
        try:
            self._read()
        except InkanError:
            self.close()
            raise

    def certificates(self) -> list[CardCertificate]:
        """Return the certificate of the card, if it has got one."""
        card = self._opened()
        if card.certificate is None:
            return []
        return [CardCertificate(der=card.certificate, chain=card.chain)]

    def tries_left(self) -> int:
        """How many wrong PINs the card still forgives; 0 means locked."""
        return self._opened().tries_left

    def verify_pin(self, pin: Secret[str]) -> None:
        """Present the PIN; the right one gives all tries back."""
        self._unlock(pin)

    def change_pin(self, old: Secret[str], new: Secret[str]) -> None:
        """Replace the PIN; a wrong old one costs a try.

        Raises:
            PINMalformed, PINGuessable: the new one is not 6 to 12 digits, or others would guess it; no try is spent.
        """
        _verify_new_pin(new)
        guessable_pins.verify(new, known_of(self.certificates()))
        key = self._unlock(old)
        card = _seal(key, new)
        held = self._opened()
        self._write(msgspec.structs.replace(card, certificate=held.certificate, chain=held.chain))

    def sign_request(
        self, content: bytes, *, content_type: str, pin: Secret[str], confirm: Confirm
    ) -> bytes:
        """Return the CMS SignedData (DER) of one enrolment request.

        Plan:
            1. There is a card with a certificate.
            2. The content is a request of the purpose that its type names; nothing else is ever signed.
            3. The dialog names what is being given, and the person agrees.
            4. The digits that were typed are those of these very bytes.
            5. The PIN, one try spent before it is looked at.
            6. Sign what was shown in 3, under its type.

        Raises:
            CardNotOpen, CardRemoved, CardRequestRefused: steps 1 and 2.
            CardRequestDeclined: step 3, raised by the dialog; no try is lost.
            DigitsMismatch: step 4; no try is lost.
            WrongPIN, PINLocked: step 5.
        """
        card = self._opened()  # 1
        if card.certificate is None:
            raise CardRequestRefused("the card has no certificate")
        agree(content, content_type=content_type, confirm=confirm)  # 2-4
        key = self._unlock(pin)  # 5
        return cms.build_signed_data(  # 6
            content,
            content_type=content_type,
            chain=[card.certificate, *card.chain],
            algorithm=cms.algorithm_of(key),
            sign=cms.key_signer(key),
        )

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> _Card:
        if self._lock is None:
            raise CardNotOpen
        try:
            return self._read()
        except FileMissing:
            self.close()
            raise CardRemoved from None

    def _unlock(self, pin: Secret[str]) -> PrivateKey:
        """Spend a try on the disk, then look at the PIN: a process that dies in between has lost the try."""
        card = self._opened()
        if card.tries_left <= 0:
            raise PINLocked
        left = card.tries_left - 1
        self._write(msgspec.structs.replace(card, tries_left=left))
        key = self._open_key(card, pin)
        if key is not None:
            self._write(msgspec.structs.replace(card, tries_left=PIN_TRIES))
            return key
        if left == 0:
            raise PINLocked
        raise WrongPIN(tries_left=left)

    def _open_key(self, card: _Card, pin: Secret[str]) -> PrivateKey | None:
        try:
            pkcs8 = aead.unseal(card.scrypt.key(pin), card.sealed_key, aad=card.place)
        except aead.SealBroken:
            return None
        return keys.load_private(Secret(pkcs8))

    def _read(self) -> _Card:
        try:
            card = msgspec.json.decode(durable_file.read_file(self._path), type=_Card)
            card.scrypt.verify_bearable()
        except (msgspec.DecodeError, UnicodeDecodeError, ScryptUnbearable) as error:
            raise CardFileMalformed(str(error)) from None
        return card

    def _write(self, card: _Card) -> None:
        durable_file.replace_file(self._path, msgspec.json.encode(card))


def _seal(key: PrivateKey, pin: Secret[str]) -> _Card:
    scrypt = Scrypted.fresh(n=_PIN_COST, p=1)
    card = _Card(spki=keys.spki_der(key.public_key()), scrypt=scrypt, sealed_key=b"")
    sealed = aead.seal(scrypt.key(pin), keys.private_der(key).reveal(), aad=card.place)
    return msgspec.structs.replace(card, sealed_key=sealed)


def _verify_new_pin(pin: Secret[str]) -> None:
    digits = pin.reveal()
    if len(digits) not in _PIN_LENGTHS or not (digits.isascii() and digits.isdigit()):
        raise PINMalformed
