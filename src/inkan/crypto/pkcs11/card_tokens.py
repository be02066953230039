"""Cards as tokens of a PKCS #11 module: certificates, PIN, signature; the module's answers told in few words.

The module (OpenSC's or a card maker's) does what the card needs; the person's PIN goes to it and nowhere else. One
call at a time enters any module: what is logged in is logged in for the whole process (PKCS #11 v3.1 §5.6.8), so a
PIN is presented, used and taken back under one lock.
"""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Any, Final, NamedTuple

import pkcs11
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11 import exceptions

from inkan.crypto.pkcs11.module import load_module
from inkan.kernel.sensitive import Secret

_one = threading.RLock()


class Trouble(StrEnum):
    """What a module's refusal means."""

    REMOVED = "removed"
    WRONG_PIN = "wrong PIN"
    LOCKED = "locked"
    PIN_FORM = "no such PIN"
    FAILED = "failed"


class TokenTrouble(Exception):
    """A module refused.

    Attributes:
        trouble: what it means.
    """

    def __init__(self, trouble: Trouble, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


_TROUBLES: Final = {
    exceptions.DeviceRemoved: Trouble.REMOVED,
    exceptions.TokenNotPresent: Trouble.REMOVED,
    exceptions.TokenNotRecognised: Trouble.REMOVED,
    exceptions.SessionHandleInvalid: Trouble.REMOVED,
    exceptions.SessionClosed: Trouble.REMOVED,
    exceptions.SlotIDInvalid: Trouble.REMOVED,
    exceptions.PinIncorrect: Trouble.WRONG_PIN,
    exceptions.PinLocked: Trouble.LOCKED,
    exceptions.PinInvalid: Trouble.PIN_FORM,
    exceptions.PinLenRange: Trouble.PIN_FORM,
}
# What the flags of a token tell of its tries (§4.4.3): locked, the last one, more.
_LOCKED_TRIES, _LAST_TRY, MORE_TRIES = 0, 1, 2


class Slot(NamedTuple):
    """A slot of the module: a reader, or a token that is always there."""

    name: str
    has_token: bool


class CardModule:
    """A module, as a card client uses it.

    Args:
        path: of the shared library.

    Raises:
        KeyStoreLocked: it does not load, or this is a child of the process that loaded it.
    """

    def __init__(self, path: Path) -> None:
        self._module = load_module(path, monotonic)

    def slots(self) -> list[Slot]:
        """Return the slots."""
        with self.inside():
            return [Slot(_name(slot), _is_usable(slot)) for slot in self._all()]

    def present(self) -> frozenset[str]:
        """The names of the slots that hold anything; the token itself is not asked."""
        with self.inside():
            return frozenset(
                _name(slot) for slot in self._all() if slot.flags & pkcs11.SlotFlag.TOKEN_PRESENT
            )

    def open(self, name: str) -> "CardToken":
        """Return the token in the slot of that name.

        Raises:
            TokenTrouble: removed: it holds none.
        """
        with self.inside():
            for slot in self._all():
                if _name(slot) == name and _is_usable(slot):
                    token = slot.get_token()
                    return CardToken(self, token, token.open())
        raise TokenTrouble(Trouble.REMOVED, name)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """One call at a time, its refusals in the words of this file."""
        with _one, self._module.inside():
            try:
                yield
            except pkcs11.PKCS11Error as error:
                trouble = _TROUBLES.get(type(error), Trouble.FAILED)
                raise TokenTrouble(trouble, repr(error)) from None

    def _all(self) -> list[Any]:
        return list(self._module.library.get_slots())

    @contextmanager
    def holding(self, token: Any) -> Iterator[None]:
        """A use of a token that is still there: modules answer from memory until somebody has them look."""
        with self.inside():
            slots = [slot for slot in self._all() if slot.slot_id == token.slot.slot_id]
            if not any(_is_usable(slot) for slot in slots):
                raise TokenTrouble(Trouble.REMOVED, "the slot is empty")
            yield


class CardToken:
    """A token with a session that lasts as long as the card stays in.

    Every method raises :class:`TokenTrouble`.
    """

    def __init__(self, module: CardModule, token: Any, session: Any) -> None:
        self._module = module
        self._token = token
        self._session = session

    def certificates(self) -> list[tuple[bytes, bytes]]:
        """Return id and DER of each X.509 certificate that is readable without a PIN."""
        wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE}
        with self._module.holding(self._token):
            found = list(self._session.get_objects(wanted))
            return [(each[pkcs11.Attribute.ID], each[pkcs11.Attribute.VALUE]) for each in found]

    def tries(self) -> int:
        """What the token's flags say: 0 locked, 1 the last try, 2 more, without saying how many."""
        with self._module.holding(self._token):
            flags = self._token.slot.get_token().flags
            if flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
                return _LOCKED_TRIES
            return _LAST_TRY if flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY else MORE_TRIES

    def verify(self, pin: Secret[str]) -> None:
        """Present the PIN and take it back."""
        with self._logged_in(pin):
            pass

    def change(self, old: Secret[str], new: Secret[str]) -> None:
        """Replace the PIN."""
        with self._module.holding(self._token):
            session = self._token.open(rw=True)
            try:
                session.set_pin(old.reveal(), new.reveal())
            finally:
                _end(session)

    def sign(self, key_id: bytes, message: bytes, pin: Secret[str]) -> bytes:
        """Return the signature of SHA-256 over a message: PKCS #1 v1.5, or ECDSA in DER."""
        with self._logged_in(pin) as session:
            wanted = {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
                pkcs11.Attribute.ID: key_id,
            }
            keys = list(session.get_objects(wanted))
            if len(keys) != 1:
                raise TokenTrouble(Trouble.FAILED, "no key of the certificate")
            return _sign(keys[0], message, pin)

    def close(self) -> None:
        """End the session; a token that is gone has ended it."""
        with suppress(TokenTrouble), self._module.inside():
            _end(self._session)

    @contextmanager
    def _logged_in(self, pin: Secret[str]) -> Iterator[Any]:
        with self._module.holding(self._token):
            session = self._token.open(user_pin=pin.reveal())
            try:
                yield session
            finally:
                _end(session)


def _end(session: Any) -> None:
    """Log out and close; whatever went wrong before is what the caller hears."""
    with suppress(pkcs11.PKCS11Error):
        session.close()


def _name(slot: Any) -> str:
    return str(slot.slot_description).strip()


def _is_usable(slot: Any) -> bool:
    """Whether there is a token, and one with a PIN: modules also show empty ones that nobody initialised."""
    if not slot.flags & pkcs11.SlotFlag.TOKEN_PRESENT:
        return False
    try:
        return bool(slot.get_token().flags & pkcs11.TokenFlag.TOKEN_INITIALIZED)
    except pkcs11.PKCS11Error:
        return False


def _sign(key: Any, message: bytes, pin: Secret[str]) -> bytes:
    again = {"pin": pin.reveal()} if key[pkcs11.Attribute.ALWAYS_AUTHENTICATE] else {}
    if key.key_type is pkcs11.KeyType.RSA:
        rsa = key.sign(message, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS, **again)
        return bytes(rsa)
    digest = hashlib.sha256(message).digest()
    pair = bytes(key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA, **again))
    half = len(pair) // 2
    r, s = int.from_bytes(pair[:half], "big"), int.from_bytes(pair[half:], "big")
    return encode_dss_signature(r, s)
