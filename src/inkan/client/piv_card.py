"""A card with the PIV application in a reader: a :class:`~inkan.client.card.CardConnection`, and the counter's part.

The two keys are rows of a table. Each call is one transaction: the application is selected anew, since another
program may have selected one of its own in between, and a PIN that was presented is taken back before it ends.
What costs no try comes first: form of the PIN, content, dialog, digits.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from inkan.client import card_proof, guessable_pins
from inkan.client.card import (
    PIN_TRIES,
    CardCertificate,
    CardNotOpen,
    CardRemoved,
    CardRequestRefused,
    CertificateNotOfCard,
    Confirm,
    Listener,
    Reader,
)
from inkan.client.card_known import read_known
from inkan.client.card_link import CardReaders, Link, choose_reader
from inkan.client.card_refusals import (
    CardReset,
    CardServiceMissing,
)
from inkan.client.guessable_pins import Known
from inkan.client.piv import ALGORITHMS, Piv
from inkan.client.piv_layout import (
    ISSUERS,
    KEYS,
    OBJECTS,
    CardObject,
    KeyUse,
    read_certificate,
    read_issuers,
    read_number,
    wrap_certificate,
)
from inkan.client.signed_types import agree
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.keys import KeySpec, PublicKey, key_spec
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret

_LINK_OVER: Final = (CardRemoved, CardReset, CardServiceMissing)
_RSA_OCTETS: Final = 256
# DigestInfo of SHA-256 up to the digest (RFC 8017 §9.2, note 1).
_DIGEST_INFO: Final = bytes.fromhex("3031300d060960864801650304020105000420")


class PivCard:
    """One card of the readers of this computer, seen through one of its two keys.

    Args:
        readers: the way to the readers.
        use: which key.
    """

    def __init__(self, readers: CardReaders, use: KeyUse = KeyUse.SIGNATURE) -> None:
        self._readers = readers
        self._key = KEYS[use]
        self._link: Link | None = None

    def readers(self) -> list[Reader]:
        """Return the connected readers."""
        return self._readers.readers()

    def watch(self, listener: Listener) -> Callable[[], None]:
        """Report insertion and removal in every reader."""
        return self._readers.watch(listener)

    def open(self, reader: str | None = None) -> None:
        """Connect, and see that the card has the application.

        Raises:
            NoReader, NoCard, SeveralCards, CardInUse, CardServiceMissing: there is nothing to connect to.
            CardUnknown: another kind of card.
        """
        self.close()
        self._link = self._readers.connect(choose_reader(self._readers.readers(), reader))
        try:
            with self._session():
                pass
        except InkanError:
            self.close()
            raise

    def certificates(self) -> list[CardCertificate]:
        """Return the certificate of the key, if there is one, with the issuers that the card holds."""
        with self._session() as piv:
            return self._certificates(piv)

    def issuer_certificates(self) -> list[bytes]:
        """Return the authorities' certificates in the card, the self-signed one among them (JPKI-36)."""
        with self._session() as piv:
            return read_issuers(piv)

    def number(self) -> str:
        """Return the card's number (:func:`~inkan.client.piv_layout.read_number`); anybody may read it."""
        with self._session() as piv:
            return read_number(piv)

    def known(self) -> Known:
        """Return what the card tells anybody of its holder, so that no new PIN is made of it."""
        with self._session() as piv:
            return read_known(piv)

    def tries_left(self) -> int:
        """How many wrong PINs the card still forgives; 0 means locked."""
        with self._session() as piv:
            left = piv.tries_left(self._key.pin_reference)
            # No PIN is left presented by this class; a card that says so has just forgiven everything.
            return PIN_TRIES if left is None else left

    def verify_pin(self, pin: Secret[str]) -> None:
        """Present the PIN, and take it back; the right one gives all tries back."""
        self._verify_form(pin)
        with self._session() as piv:
            piv.verify(self._key.pin_reference, pin)

    def change_pin(self, old: Secret[str], new: Secret[str]) -> None:
        """Replace the PIN; a wrong old one costs a try.

        Raises:
            PINMalformed, PINGuessable: one of them has another form, or others would guess the new one; no try is spent.
        """
        self._verify_form(old)
        self._verify_form(new)
        with self._session() as piv:
            guessable_pins.verify(new, read_known(piv))
            piv.change(self._key.pin_reference, old, new)

    def sign_request(
        self, content: bytes, *, content_type: str, pin: Secret[str], confirm: Confirm
    ) -> bytes:
        """Return the CMS SignedData (DER) of one typed request.

        Plan:
            1. There is a certificate, and the key is one that signs requests.
            2. Content, dialog and digits (:func:`~inkan.client.signed_types.agree`), outside of any transaction:
               people take their time.
            3. The PIN has the form of a PIN.
            4. In one transaction: the PIN, then at once the signature of SHA-256 over the signed attributes.
            5. The signature is one of the certificate's key.

        Raises:
            CardNotOpen, CardRemoved, CardReset, CardServiceMissing: the connection is over.
            CardRequestRefused, CardRequestDeclined, DigitsMismatch, PINMalformed: steps 1 to 3; no try is lost.
            WrongPIN, PINLocked: step 4.
            CardAnswerMalformed: step 5, or an answer that makes no sense before it.
        """
        held = self.certificates()  # 1
        if not (held and content_type in self._key.signs):
            raise CardRequestRefused("the card has no certificate that signs this")
        agree(content, content_type=content_type, confirm=confirm)  # 2
        self._verify_form(pin)  # 3
        public = parse_certificate(held[0].der).public_key
        with self._session() as piv:  # 4, 5
            return card_proof.sign_content(
                content,
                content_type=content_type,
                certificate=held[0],
                sign=self._signer(piv, public, pin),
            )

    def close(self) -> None:
        """End the connection; a second call does nothing."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    # --- what is done at a counter only ---------------------------------------------------------

    def make_key(
        self,
        spec: KeySpec = KeySpec.RSA2048,
        *,
        pin: Secret[str],
        management_key: Secret[bytes],
    ) -> bytes:
        """Make a new key pair inside the card and return its PKCS #10 request (DER, no names).

        The certificate of the old key goes first: a card that is pulled out in between has no certificate, and is
        finished by :meth:`put_certificate` or by making a key again.

        Raises:
            WrongPIN, PINLocked, WrongManagementKey: nothing was changed.
        """
        self._verify_form(pin)
        with self._session() as piv:
            piv.verify(self._key.pin_reference, pin)
            piv.authenticate_manager(management_key)
            piv.put_data(self._key.container, b"")
            public = piv.generate(self._key.slot, spec)
            return card_proof.key_request(public, self._signer(piv, public, pin))

    def put_certificate(
        self,
        der: bytes,
        *,
        issuers: Sequence[bytes] = (),
        pin: Secret[str],
        management_key: Secret[bytes],
    ) -> None:
        """Write the certificate of the card's key, after the key has proved to be its own, and its issuers.

        Args:
            der: the certificate.
            issuers: the self-signed one first, at most three; they replace those in the card. The certificate is
                written last, so that a card with one is whole.
            pin: of the key.
            management_key: of the card.

        Raises:
            CertificateNotOfCard: it certifies another key; nothing was written.
            CertificateMalformed: it is no certificate.
            WrongPIN, PINLocked, WrongManagementKey: nothing was written.
            ValueError: more than three issuers.
        """
        public = parse_certificate(der).public_key
        if len(issuers) > len(ISSUERS):
            raise ValueError("a card holds at most three issuers")
        self._verify_form(pin)
        with self._session() as piv:
            card_proof.prove_key(public, self._signer(piv, public, pin))
            piv.authenticate_manager(management_key)
            for container, issuer in zip(ISSUERS, issuers, strict=False):
                piv.put_data(container, wrap_certificate(issuer))
            piv.put_data(self._key.container, wrap_certificate(der))

    def unlock(self, unlock_key: Secret[str], new: Secret[str]) -> None:
        """Set a new PIN by the unlock key, which gives all tries back (JPKI-31, 33).

        Raises:
            PINMalformed, PINGuessable: the new one has another form, or others would guess it; nothing was tried.
            WrongUnlockKey, UnlockKeyLocked: of the unlock key.
        """
        self._verify_form(new)
        with self._session() as piv:
            guessable_pins.verify(new, read_known(piv))
            piv.unlock(self._key.pin_reference, unlock_key, new)

    def clear_certificate(self, *, management_key: Secret[bytes]) -> None:
        """Take the certificate of the key out of the card; a key without one signs nothing here.

        Raises:
            WrongManagementKey: nothing was changed.
        """
        with self._session() as piv:
            piv.authenticate_manager(management_key)
            piv.put_data(self._key.container, b"")

    def read_object(self, which: CardObject, pin: Secret[str] | None = None) -> bytes | None:
        """Return a data object, None when the card has none.

        Raises:
            CardAccessDenied: its rule asks for a PIN that was not given, or for the other key's.
            WrongPIN, PINLocked: of the PIN.
        """
        if pin is not None:
            self._verify_form(pin)
        with self._session() as piv:
            if pin is not None:
                piv.verify(self._key.pin_reference, pin)
            return piv.get_data(OBJECTS[which])

    def write_object(
        self, which: CardObject, contents: bytes, *, management_key: Secret[bytes]
    ) -> None:
        """Replace a data object; nothing empties it.

        Raises:
            WrongManagementKey: nothing was written.
        """
        with self._session() as piv:
            piv.authenticate_manager(management_key)
            piv.put_data(OBJECTS[which], contents)

    # --- parts ----------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _session(self) -> Iterator[Piv]:
        """One transaction; when the link is over, so is the connection."""
        link = self._link
        if link is None:
            raise CardNotOpen
        try:
            with link.transaction():
                piv = Piv(link)
                piv.select()
                try:
                    yield piv
                finally:
                    # Whatever went wrong is what the caller hears, not that the card is no longer there to forget.
                    with suppress(InkanError):
                        piv.forget(self._key.pin_reference)
        except _LINK_OVER:
            self.close()
            raise

    def _verify_form(self, pin: Secret[str]) -> None:
        if not self._key.pin_form.fullmatch(pin.reveal()):
            raise self._key.malformed

    def _certificates(self, piv: Piv) -> list[CardCertificate]:
        der = read_certificate(piv, self._key.container)
        if der is None:
            return []
        chain = card_proof.issuer_chain(read_issuers(piv))
        return [CardCertificate(der=der, chain=chain)]

    def _signer(self, piv: Piv, public: PublicKey, pin: Secret[str]) -> card_proof.SignMessage:
        """Present the PIN and sign at once: the signature key asks for the PIN before every use."""
        spec = key_spec(public)
        if ALGORITHMS[spec] is None:
            raise CertificateNotOfCard(f"no card has a key {spec}")

        def sign(message: bytes) -> bytes:
            digest = hashlib.sha256(message).digest()
            block = _padded(digest) if isinstance(public, RSAPublicKey) else digest
            piv.verify(self._key.pin_reference, pin)
            return piv.sign_block(self._key.slot, spec, block)

        return sign


def _padded(digest: bytes) -> bytes:
    """The block that an RSA key of 2048 bits signs (EMSA-PKCS1-v1_5, RFC 8017 §9.2)."""
    info = _DIGEST_INFO + digest
    return b"\x00\x01" + b"\xff" * (_RSA_OCTETS - len(info) - 3) + b"\x00" + info
