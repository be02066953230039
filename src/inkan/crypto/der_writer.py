"""Writing DER by hand, for the two artefacts that are made by the thousand: revocation lists and OCSP answers.

Only what those need: definite lengths in their shortest form, the integers, times and algorithm identifiers of
X.509. Everything written here is read back by two foreign parsers in the tests.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA384

from inkan.crypto.keys import PrivateKey
from inkan.crypto.signatures import digest_for

SEQUENCE: Final = 0x30
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
ENUMERATED: Final = 0x0A
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
TRUE: Final = bytes.fromhex("0101ff")
LAST_UTC_YEAR: Final = 2049

_ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_ECDSA_SHA384: Final = bytes.fromhex("300a06082a8648ce3d040303")
_RSA_SHA256: Final = bytes.fromhex("300d06092a864886f70d01010b0500")


@lru_cache(maxsize=1024)
def header(tag: int, length: int) -> bytes:
    """Tag and length of a value of ``length`` octets (X.690 §8.1.3, §10.1)."""
    if length < 0x80:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(octets))) + octets


def value(tag: int, *parts: bytes) -> bytes:
    """One value that holds the parts one after the other."""
    return b"".join((header(tag, sum(map(len, parts))), *parts))


def nested(layers: Sequence[tuple[int, bytes]], *parts: bytes) -> bytes:
    """Values one inside the other; the innermost holds the parts, which are copied once.

    Args:
        layers: from the outermost on, the tag of a value and what stands in it before the next one.
        parts: of the innermost value, after what stands before them.
    """
    size = sum(map(len, parts))
    pieces: list[bytes] = []
    for tag, before in reversed(layers):
        size += len(before)
        start = header(tag, size)
        size += len(start)
        pieces += (before, start)
    return b"".join((*reversed(pieces), *parts))


def integer(number: int) -> bytes:
    """A non-negative INTEGER."""
    return value(INTEGER, number.to_bytes(number.bit_length() // 8 + 1))


@lru_cache(maxsize=64)
def generalized_time(moment: datetime) -> bytes:
    """GeneralizedTime to the second in UTC (RFC 5280 §4.1.2.5.2); many answers share their second."""
    return value(GENERALIZED_TIME, moment.astimezone(UTC).strftime("%Y%m%d%H%M%SZ").encode())


@lru_cache(maxsize=64)
def time(moment: datetime) -> bytes:
    """UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5)."""
    utc = moment.astimezone(UTC)
    if utc.year > LAST_UTC_YEAR:
        return generalized_time(utc)
    return value(UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())


def extension(oid: bytes, contents: bytes, *, critical: bool = False) -> bytes:
    """One Extension; ``oid`` is the whole OBJECT IDENTIFIER value, tag included."""
    flag = TRUE if critical else b""
    return value(SEQUENCE, oid, flag, value(OCTET_STRING, contents))


class Signer:
    """A private key with all that can be found out about it beforehand.

    Attributes:
        algorithm: the AlgorithmIdentifier of its signatures (RFC 5758 §3.2, RFC 4055 §5).
    """

    def __init__(self, key: PrivateKey) -> None:
        digest = digest_for(key)
        self._sign: Callable[[bytes], bytes]
        if isinstance(key, EllipticCurvePrivateKey):
            scheme = ECDSA(digest)
            self._sign = lambda tbs: key.sign(tbs, scheme)
            is_p384 = isinstance(digest, SHA384)
            self.algorithm = _ECDSA_SHA384 if is_p384 else _ECDSA_SHA256
        else:
            padding = PKCS1v15()
            self._sign = lambda tbs: key.sign(tbs, padding, digest)
            self.algorithm = _RSA_SHA256

    def sign(self, tbs: bytes) -> bytes:
        """The algorithm and the signature over ``tbs``, as they follow it in the signed SEQUENCE."""
        return self.algorithm + value(BIT_STRING, b"\0", self._sign(tbs))
