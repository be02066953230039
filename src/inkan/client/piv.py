"""The PIV card edge: the commands of NIST SP 800-73-4 part 2 over a channel to a card.

Command chaining and GET RESPONSE are done here (ISO/IEC 7816-4 §5.1.1, §5.3.4). Everything that a card answers is
input from outside: it is bounded, parsed strictly, and refused by name. No function here decides what is signed.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, NoReturn

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from inkan.client import ber_tlv
from inkan.client.card import PINLocked, PINMalformed, WrongPIN
from inkan.client.card_link import Channel
from inkan.client.card_refusals import (
    CardAccessDenied,
    CardAnswerMalformed,
    CardCommandRefused,
    CardUnknown,
    UnlockKeyLocked,
    WrongManagementKey,
    WrongUnlockKey,
)
from inkan.crypto.keys import KeySpec, KeyUnsupported, PublicKey
from inkan.kernel.sensitive import Secret

APPLICATION: Final = bytes.fromhex("a000000308000010000100")  # SP 800-73-4 part 1 §2.2
ANSWER_LIMIT: Final = 32 * 1024
PIN_FIELD: Final = 8  # octets, padded with FF: part 2 §2.4.3
UNLOCK_KEY: Final = 0x81  # PUK
MANAGEMENT_SLOT: Final = 0x9B
# Algorithm identifiers (SP 800-78-4 table 6-2).
ALGORITHMS: Final[Mapping[KeySpec, int | None]] = {
    KeySpec.RSA2048: 0x07,
    KeySpec.P256: 0x11,
    KeySpec.RSA3072: None,
    KeySpec.P384: None,
}
MANAGEMENT_ALGORITHMS: Final = {16: 0x08, 24: 0x0A, 32: 0x0C}

_SELECT, _VERIFY, _CHANGE, _RESET = 0xA4, 0x20, 0x24, 0x2C
_GET_DATA, _PUT_DATA, _GENERATE, _AUTHENTICATE, _GET_RESPONSE = 0xCB, 0xDB, 0x47, 0x87, 0xC0
_CHAINED: Final = 0x10
_BLOCK: Final = 255
_OK, _NOT_FOUND, _LOCKED, _NOT_SATISFIED = 0x9000, 0x6A82, 0x6983, 0x6982
_AES_BLOCK: Final = 16
_RSA_OCTETS: Final = 256
# No card has such a PIN: octets that stand for the end of the field, or more of them than a field has.
_UNSENDABLE: Final = re.compile(r"[^A-Za-z0-9]|.{17}", re.ASCII | re.DOTALL)
_POINT_OCTETS: Final = 65


class Answer(NamedTuple):
    """The data of all parts of an answer, and the status word of the last."""

    data: bytes
    status: int


class Piv:
    """The PIV application of one card; it keeps no state of its own.

    Args:
        channel: to the card.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def select(self) -> None:
        """Select the application (part 2 §3.1.1).

        Raises:
            CardUnknown: the card has none.
        """
        answer = self._send(_SELECT, 0x04, 0x00, APPLICATION)
        if answer.status != _OK:
            raise CardUnknown(f"SELECT answers {answer.status:04X}")

    def get_data(self, tag: int) -> bytes | None:
        """Return what a container holds, None when it is empty or unknown (§3.1.2).

        Args:
            tag: of the container, three octets as a number.

        Raises:
            CardAccessDenied: its access rule is not met.
        """
        answer = self._send(_GET_DATA, 0x3F, 0xFF, ber_tlv.write(0x5C, tag.to_bytes(3, "big")))
        if answer.status == _NOT_FOUND:
            return None
        return ber_tlv.read_one(_accept(answer), 0x53) or None

    def put_data(self, tag: int, contents: bytes) -> None:
        """Replace what a container holds; nothing empties it (§3.3.2).

        Raises:
            CardAccessDenied: the management key was not presented.
        """
        data = ber_tlv.write(0x5C, tag.to_bytes(3, "big")) + ber_tlv.write(0x53, contents)
        _accept(self._send(_PUT_DATA, 0x3F, 0xFF, data))

    def tries_left(self, reference: int) -> int | None:
        """How many wrong values the card still forgives; None while the right one is presented (§3.2.1).

        Args:
            reference: of the PIN: 00 global, 80 of the application.
        """
        status = self._send(_VERIFY, 0x00, reference).status
        if status == _OK:
            return None
        if status == _LOCKED:
            return 0
        return _counted(status)

    def verify(self, reference: int, pin: Secret[str]) -> None:
        """Present a PIN (§3.2.1).

        Raises:
            WrongPIN, PINLocked: the counter of the card says so.
        """
        _accept_pin(self._send(_VERIFY, 0x00, reference, _fields(pin)))

    def forget(self, reference: int) -> None:
        """Take back a PIN that was presented (§3.2.1, P1 = FF); cards of older editions refuse, and nothing happens."""
        self._send(_VERIFY, 0xFF, reference)

    def change(self, reference: int, old: Secret[str], new: Secret[str]) -> None:
        """Replace a PIN (§3.2.2).

        Raises:
            WrongPIN, PINLocked: of the old one.
        """
        _accept_pin(self._send(_CHANGE, 0x00, reference, _fields(old, new)))

    def unlock(self, reference: int, unlock_key: Secret[str], new: Secret[str]) -> None:
        """Set a new PIN and give all tries back (§3.2.3).

        Raises:
            WrongUnlockKey, UnlockKeyLocked: of the unlock key, which has a counter of its own.
        """
        answer = self._send(_RESET, 0x00, reference, _fields(unlock_key, new))
        if answer.status == _LOCKED:
            raise UnlockKeyLocked
        if (left := _counted_or_none(answer.status)) is not None:
            if left == 0:
                raise UnlockKeyLocked
            raise WrongUnlockKey(tries_left=left)
        _accept(answer)

    def authenticate_manager(self, key: Secret[bytes]) -> None:
        """Prove the management key by the card's challenge (§3.2.4, appendix A.1).

        Args:
            key: AES of 16, 24 or 32 octets (SP 800-78-4 table 6-2).

        Raises:
            WrongManagementKey: it is of another size, or not that of the card.
        """
        algorithm = MANAGEMENT_ALGORITHMS.get(len(key.reveal()))
        if algorithm is None:
            raise WrongManagementKey("a management key has 16, 24 or 32 octets")
        try:
            asked = self._template(algorithm, MANAGEMENT_SLOT, ber_tlv.write(0x81))
        except CardCommandRefused as refusal:
            raise WrongManagementKey(f"the card has one of another kind: {refusal.facts}") from None
        challenge = ber_tlv.find(asked, 0x81)
        if len(challenge) != _AES_BLOCK:
            raise CardAnswerMalformed("a challenge of another size")
        # One random block is all that is ever enciphered: there is no mode to choose.
        cipher = Cipher(AES(key.reveal()), ECB()).encryptor()  # noqa: S305
        proof = cipher.update(challenge) + cipher.finalize()
        data = ber_tlv.write(0x7C, ber_tlv.write(0x82, proof))
        if self._send(_AUTHENTICATE, algorithm, MANAGEMENT_SLOT, data).status != _OK:
            raise WrongManagementKey

    def generate(self, slot: int, spec: KeySpec) -> PublicKey:
        """Make a key pair in the card and return its public half (§3.3.1).

        Raises:
            CardAccessDenied: the management key was not presented.
            CardAnswerMalformed: what came back is no such key.
        """
        wanted = ber_tlv.write(0xAC, ber_tlv.write(0x80, bytes([_algorithm(spec)])))
        data = _accept(self._send(_GENERATE, 0x00, slot, wanted))
        parts = ber_tlv.read_all(ber_tlv.read_one(data, 0x7F49))
        return _rsa_key(parts) if spec is KeySpec.RSA2048 else _p256_key(parts)

    def sign_block(self, slot: int, spec: KeySpec, block: bytes) -> bytes:
        """Return the private-key operation over a block (§3.2.4, appendix A.4): padded digest (RSA) or digest (EC).

        Raises:
            CardAccessDenied: the PIN was not presented, or not immediately before.
        """
        wanted = ber_tlv.write(0x82) + ber_tlv.write(0x81, block)
        return ber_tlv.find(self._template(_algorithm(spec), slot, wanted), 0x82)

    def _template(self, algorithm: int, slot: int, wanted: bytes) -> list[ber_tlv.DataObject]:
        answer = self._send(_AUTHENTICATE, algorithm, slot, ber_tlv.write(0x7C, wanted))
        return ber_tlv.read_all(ber_tlv.read_one(_accept(answer), 0x7C))

    def _send(self, instruction: int, p1: int, p2: int, data: bytes = b"") -> Answer:
        """Send one command in as many parts as it needs, and collect all parts of the answer."""
        parts = [data[at : at + _BLOCK] for at in range(0, len(data), _BLOCK)] or [b""]
        for part in parts[:-1]:
            head = bytes([_CHAINED, instruction, p1, p2, len(part)])
            answer = self._exchange(head + part)
            if answer.status != _OK:
                return answer
        head = bytes([0x00, instruction, p1, p2])
        last = bytes([len(parts[-1])]) + parts[-1] if parts[-1] else b""
        # A case 1 command (VERIFY without data) has no Le; every other may be answered with data.
        le = b"\x00" if data else b""
        return self._collect(self._exchange(head + last + le))

    def _collect(self, answer: Answer) -> Answer:
        data, status = answer
        while status >> 8 == 0x61:
            more = self._exchange(bytes([0x00, _GET_RESPONSE, 0x00, 0x00, status & 0xFF]))
            data, status = data + more.data, more.status
            if len(data) > ANSWER_LIMIT or (not more.data and status >> 8 == 0x61):
                raise CardAnswerMalformed("an answer without end")
        return Answer(data, status)

    def _exchange(self, command: bytes) -> Answer:
        octets = self._channel.transmit(command)
        if not 2 <= len(octets) <= ANSWER_LIMIT:
            raise CardAnswerMalformed("an answer of impossible length")
        return Answer(octets[:-2], int.from_bytes(octets[-2:], "big"))


def _algorithm(spec: KeySpec) -> int:
    algorithm = ALGORITHMS[spec]
    if algorithm is None:
        raise KeyUnsupported(f"no card makes or uses a key {spec}")
    return algorithm


def _fields(*pins: Secret[str]) -> bytes:
    """The PINs in fields of one length: 8 octets as the standard has it, more only when one is longer."""
    if any(_UNSENDABLE.search(pin.reveal()) or not pin for pin in pins):
        raise PINMalformed("a PIN has 1 to 16 letters and digits")
    size = max(PIN_FIELD, *(len(pin.reveal()) for pin in pins))
    return b"".join(pin.reveal().encode("ascii").ljust(size, b"\xff") for pin in pins)


def _accept(answer: Answer) -> bytes:
    """Return the data of a command that was carried out."""
    if answer.status != _OK:
        _refuse(answer.status)
    return answer.data


def _accept_pin(answer: Answer) -> None:
    """A wrong PIN that was the last reads as locked: no try is left, whichever of the two words the card says."""
    if answer.status == _LOCKED:
        raise PINLocked
    left = _counted_or_none(answer.status)
    if left == 0:
        raise PINLocked
    if left is not None:
        raise WrongPIN(tries_left=left)
    _accept(answer)


def _refuse(status: int) -> NoReturn:
    if status in {_NOT_SATISFIED, _LOCKED}:
        raise CardAccessDenied(f"status {status:04X}")
    raise CardCommandRefused(status=f"{status:04X}")


def _counted(status: int) -> int:
    left = _counted_or_none(status)
    if left is None:
        _refuse(status)
    return left


def _counted_or_none(status: int) -> int | None:
    """The tries in a status word 63Cx (part 2 §3.2.1)."""
    return status & 0x0F if status & 0xFFF0 == 0x63C0 else None


def _rsa_key(parts: list[ber_tlv.DataObject]) -> PublicKey:
    modulus, exponent = ber_tlv.find(parts, 0x81), ber_tlv.find(parts, 0x82)
    if len(modulus) != _RSA_OCTETS or modulus[0] < 0x80 or len(exponent) > 4:
        raise CardAnswerMalformed("not an RSA key of 2048 bits")
    numbers = RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    try:
        return numbers.public_key()
    except ValueError as error:
        raise CardAnswerMalformed(f"not an RSA key: {error}") from None


def _p256_key(parts: list[ber_tlv.DataObject]) -> PublicKey:
    point = ber_tlv.find(parts, 0x86)
    if len(point) != _POINT_OCTETS:
        raise CardAnswerMalformed("not an uncompressed point of P-256")
    try:
        return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError as error:
        raise CardAnswerMalformed(f"not a point of P-256: {error}") from None
