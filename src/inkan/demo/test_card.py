"""The test card: the PIV application in Python, with keys made inside, PINs that lock, and rules for its objects.

``transmit`` answers APDUs in this process: in the reader of the demo (:mod:`inkan.demo.software_reader`), and in the
virtual reader of the tests. It is a card for tests and demos and no product: nothing guards its memory.
"""

import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import reduce
from operator import xor

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from inkan.client.ber_tlv import DataObject, find, read_all, read_one, write
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import random_bytes

AID = bytes.fromhex("a000000308000010000100")
_ATR_BODY = bytes.fromhex("8680") + b"\x01" + b"INKAN1"
ATR = b"\x3b" + _ATR_BODY + bytes([reduce(xor, _ATR_BODY)])
TRIES = 5
SIGNATURE_PIN, AUTHENTICATION_PIN, UNLOCK_KEY = 0x80, 0x00, 0x81
SIGNATURE_SLOT, AUTHENTICATION_SLOT, MANAGEMENT_SLOT = 0x9C, 0x9A, 0x9B
_DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_MANAGEMENT_ALGORITHMS = {0x08: 16, 0x0A: 24, 0x0C: 32}


class Refused(Exception):
    """A status word other than 9000."""

    def __init__(self, status: int) -> None:
        self.status = status


class Rule(Enum):
    """Who may read an object. Writing takes the management key throughout."""

    ALWAYS = "always"
    SIGNATURE_PIN = "after the signature PIN"
    ANY_PIN = "after either PIN"
    NEVER = "never"


# Key: slot -> PIN that opens it, and whether it must come immediately before each use.
KEYS = {
    SIGNATURE_SLOT: (SIGNATURE_PIN, True),
    AUTHENTICATION_SLOT: (AUTHENTICATION_PIN, False),
}
CHUID, CCC, KEY_HISTORY = 0x5FC102, 0x5FC107, 0x5FC10C
SIGNATURE_CERTIFICATE, AUTHENTICATION_CERTIFICATE = 0x5FC10A, 0x5FC105
PHOTO, SURFACE = 0x5FC108, 0x5FC109
RULES = {
    CHUID: Rule.ALWAYS,
    CCC: Rule.ALWAYS,
    SIGNATURE_CERTIFICATE: Rule.ALWAYS,
    AUTHENTICATION_CERTIFICATE: Rule.ALWAYS,
    0x5FC10D: Rule.ALWAYS,
    0x5FC10E: Rule.ALWAYS,
    0x5FC10F: Rule.ALWAYS,
    PHOTO: Rule.SIGNATURE_PIN,
    SURFACE: Rule.ANY_PIN,
}
_DISCOVERY = write(0x7E, write(0x4F, AID) + write(0x5F2F, b"\x40\x00"))


@dataclass
class Counted:
    """A PIN or unlock key with its counter."""

    value: bytes
    left: int = TRIES

    def present(self, value: bytes) -> None:
        """Spend a try, then look."""
        if self.left == 0:
            raise Refused(0x6983)
        self.left -= 1
        if not hmac.compare_digest(self.value, value):
            raise Refused(0x6983 if self.left == 0 else 0x63C0 | self.left)
        self.left = TRIES


@dataclass
class Session:
    """What a card forgets when it loses power."""

    selected: bool = False
    verified: set[int] = field(default_factory=set)
    fresh: int | None = None
    challenge: bytes | None = None
    is_manager: bool = False
    chain: bytes = b""
    pending: bytes = b""


class PivApplet:
    """One card; several threads may send commands, one is answered at a time."""

    def __init__(
        self,
        *,
        signature_pin: str = "Abc246",
        authentication_pin: str = "1357",
        unlock_key: str = "87654321",
        management_key: bytes = bytes(range(16)),
        number: bytes = b"",
    ) -> None:
        self.number = number or random_bytes(16)
        self.pins = {
            SIGNATURE_PIN: Counted(signature_pin.encode()),
            AUTHENTICATION_PIN: Counted(authentication_pin.encode()),
            UNLOCK_KEY: Counted(unlock_key.encode()),
        }
        self.management_key = management_key
        self.keys: dict[int, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {}
        self.containers = {
            CHUID: write(0x30, bytes(25)) + write(0x34, self.number)
            + write(0x35, b"20301231") + write(0x3E) + write(0xFE),
            CCC: write(0xF0, bytes(21)) + write(0xF1, b"\x21") + write(0xF2, b"\x21")
            + b"".join(write(tag) for tag in (0xF3, 0xF4))
            + write(0xF5, b"\x10") + b"".join(write(t) for t in (*range(0xF6, 0xF8), 0xFA, 0xFB, 0xFC, 0xFD, 0xFE)),
        }  # fmt: skip
        self.commands: list[int] = []
        self._does: dict[int, Callable[[int, int, bytes, int | None], bytes]] = {
            0xA4: self._select,
            0x20: self._verify,
            0x24: self._change,
            0x2C: self._unlock,
            0xCB: self._get_data,
            0xDB: self._put_data,
            0x47: self._generate,
            0x87: self._authenticate,
        }
        self._session = Session()
        self._one = threading.Lock()

    def reset(self) -> None:
        """Power off and on."""
        with self._one:
            self._session = Session()

    def transmit(self, command: bytes) -> bytes:
        """Answer one APDU."""
        with self._one:
            try:
                return self._answer(command)
            except Refused as refused:
                self._session.chain = b""
                return refused.status.to_bytes(2, "big")
            except (InkanError, IndexError, ValueError):
                self._session.chain = b""
                return b"\x6a\x80"

    def _answer(self, command: bytes) -> bytes:
        if len(command) < 4:
            raise Refused(0x6700)
        cla, ins, p1, p2 = command[:4]
        data, le = _body(command)
        self.commands.append(ins)
        if cla not in {0x00, 0x10}:
            raise Refused(0x6E00)
        if ins == 0xC0:
            return self._more(le)
        self._session.pending = b""
        data = self._session.chain + data
        if cla == 0x10:
            self._session.chain = data
            return b"\x90\x00"
        self._session.chain = b""
        if ins not in self._does:
            raise Refused(0x6D00)
        if ins != 0xA4 and not self._session.selected:
            raise Refused(0x6985)
        fresh, self._session.fresh = self._session.fresh, None
        answer = self._does[ins](p1, p2, data, fresh)
        self._session.pending = answer
        return self._more(le)

    def _more(self, le: int) -> bytes:
        """As much of the pending answer as was asked for; 61 00 stands for 256 octets or more."""
        pending = self._session.pending
        part, rest = pending[:le], pending[le:]
        self._session.pending = rest
        if not rest:
            return part + b"\x90\x00"
        return part + bytes([0x61, len(rest) if len(rest) < 256 else 0])

    # --- commands ---

    def _select(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        if p1 != 0x04 or len(data) < 5 or not AID.startswith(data):
            raise Refused(0x6A82)
        self._session.selected = True
        return write(0x61, write(0x4F, AID[5:]) + write(0x79, write(0x4F, AID[:5])))

    def _verify(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        pin = self._pin(p2)
        if p1 == 0xFF and not data:
            self._session.verified.discard(p2)
            return b""
        if not data:
            if p2 in self._session.verified:
                return b""
            raise Refused(0x63C0 | pin.left if pin.left else 0x6983)
        self._session.verified.discard(p2)
        pin.present(_unpadded(data))
        self._session.verified.add(p2)
        self._session.fresh = p2
        return b""

    def _change(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        pin = self.pins.get(p2)
        if pin is None:
            raise Refused(0x6A88)
        old, new = _halves(data)
        self._session.verified.discard(p2)
        pin.present(old)
        pin.value = new
        return b""

    def _unlock(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        pin = self._pin(p2)
        unlock_key, new = _halves(data)
        self.pins[UNLOCK_KEY].present(unlock_key)
        self._session.verified.discard(p2)
        pin.value, pin.left = new, TRIES
        return b""

    def _get_data(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        tag = int.from_bytes(read_one(data, 0x5C), "big")
        if tag == 0x7E:
            return _DISCOVERY
        rule, verified = RULES.get(tag, Rule.NEVER), self._session.verified
        if rule is Rule.SIGNATURE_PIN and SIGNATURE_PIN not in verified:
            raise Refused(0x6982)
        if rule is Rule.ANY_PIN and not verified:
            raise Refused(0x6982)
        if rule is Rule.NEVER or not self.containers.get(tag):
            raise Refused(0x6A82)
        return write(0x53, self.containers[tag])

    def _put_data(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        self._require_manager()
        objects = read_all(data)
        tag = int.from_bytes(find(objects, 0x5C), "big")
        if tag not in RULES:
            raise Refused(0x6A82)
        self.containers[tag] = find(objects, 0x53)
        return b""

    def _generate(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        self._require_manager()
        if p2 not in KEYS:
            raise Refused(0x6A86)
        algorithm = find(read_all(read_one(data, 0xAC)), 0x80)
        if algorithm == b"\x07":
            made = self.keys[p2] = rsa.generate_private_key(65537, 2048)
            numbers = made.public_key().public_numbers()
            parts = write(0x81, numbers.n.to_bytes(256, "big")) + write(0x82, b"\x01\x00\x01")
        elif algorithm == b"\x11":
            key = self.keys[p2] = ec.generate_private_key(ec.SECP256R1())
            public = key.public_key()
            parts = write(0x86, public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        else:
            raise Refused(0x6A80)
        return write(0x7F49, parts)

    def _authenticate(self, p1: int, p2: int, data: bytes, fresh: int | None) -> bytes:
        objects = read_all(read_one(data, 0x7C))
        if p2 == MANAGEMENT_SLOT:
            return self._manage(p1, objects)
        if p2 not in self.keys:
            raise Refused(0x6A88)
        pin, must_be_fresh = KEYS[p2]
        if fresh != pin and (must_be_fresh or pin not in self._session.verified):
            raise Refused(0x6982)
        signature = _sign(self.keys[p2], p1, find(objects, 0x81))
        return write(0x7C, write(0x82, signature))

    def _manage(self, algorithm: int, objects: list[DataObject]) -> bytes:
        if _MANAGEMENT_ALGORITHMS.get(algorithm) != len(self.management_key):
            raise Refused(0x6A86)
        if [each.tag for each in objects] == [0x81]:
            self._session.challenge = random_bytes(16)
            return write(0x7C, write(0x81, self._session.challenge))
        challenge, self._session.challenge = self._session.challenge, None
        if challenge is None:
            raise Refused(0x6985)
        cipher = Cipher(AES(self.management_key), ECB()).encryptor()  # noqa: S305 - one random block
        if not hmac.compare_digest(cipher.update(challenge), find(objects, 0x82)):
            raise Refused(0x6982)
        self._session.is_manager = True
        return b""

    def _pin(self, reference: int) -> Counted:
        if reference not in {SIGNATURE_PIN, AUTHENTICATION_PIN}:
            raise Refused(0x6A88)
        return self.pins[reference]

    def _require_manager(self) -> None:
        if not self._session.is_manager:
            raise Refused(0x6982)


def _body(command: bytes) -> tuple[bytes, int]:
    """Data and Le of a short APDU (ISO/IEC 7816-4 §5.1); Le of 256 where none or 00 stands."""
    rest = command[4:]
    if not rest:
        return b"", 256
    if len(rest) == 1:
        return b"", rest[0] or 256
    size = rest[0]
    if size == 0 or len(rest) not in {1 + size, 2 + size}:
        raise Refused(0x6700)
    le = rest[1 + size] if len(rest) == 2 + size else 0
    return rest[1 : 1 + size], le or 256


def _unpadded(data: bytes) -> bytes:
    if not 8 <= len(data) <= 16:
        raise Refused(0x6A80)
    return data.rstrip(b"\xff")


def _halves(data: bytes) -> tuple[bytes, bytes]:
    size, odd = divmod(len(data), 2)
    if odd:
        raise Refused(0x6A80)
    return _unpadded(data[:size]), _unpadded(data[size:])


def _sign(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, algorithm: int, block: bytes
) -> bytes:
    """The digest in the block, signed by the library: a block that is no padded SHA-256 digest is refused."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if algorithm != 0x11 or len(block) != 32:
            raise Refused(0x6A80)
        return key.sign(block, ec.ECDSA(Prehashed(SHA256())))
    head = b"\x00\x01" + b"\xff" * (256 - 3 - len(_DIGEST_INFO) - 32) + b"\x00" + _DIGEST_INFO
    if algorithm != 0x07 or len(block) != 256 or not block.startswith(head):
        raise Refused(0x6A80)
    return key.sign(block[len(head) :], PKCS1v15(), Prehashed(SHA256()))
