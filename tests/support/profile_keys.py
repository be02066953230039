"""Private keys in the clear in the files of a closed browser profile.

Chromium's IndexedDB lies in LevelDB: logs of 32 KiB blocks, in which a record is cut where a block ends. The records
are put together again first; every file is searched as it stands as well.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)

_BLOCK = 32 * 1024
_HEADER = 7
_FULL, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
# PrivateKeyInfo: version 0, then the algorithm (RFC 5958 §2): id-ecPublicKey, rsaEncryption.
_HEADS = (
    bytes.fromhex("020100301306072a8648ce3d0201"),
    bytes.fromhex("020100300d06092a864886f70d010101"),
)


def private_keys(profile: Path) -> set[bytes]:
    """The SPKI (DER) of every private key whose PKCS #8 stands somewhere in the profile."""
    found: set[bytes] = set()
    for path in sorted(profile.rglob("*")):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            for text in (data, *_records(data)) if path.suffix == ".log" else (data,):
                found |= {_spki(key) for key in _keys(text)}
    return found


def _records(data: bytes) -> Iterator[bytes]:
    """The records of a LevelDB log (log_format.md): checksum, length, type, then the piece."""
    record = b""
    for start in range(0, len(data), _BLOCK):
        block = data[start : start + _BLOCK]
        at = 0
        while at + _HEADER <= len(block):
            _, length, kind = struct.unpack_from("<IHB", block, at)
            piece = block[at + _HEADER : at + _HEADER + length]
            at += _HEADER + length
            if kind not in {_FULL, _FIRST, _MIDDLE, _LAST}:
                break
            record = piece if kind in {_FULL, _FIRST} else record + piece
            if kind in {_FULL, _LAST}:
                yield record


def _keys(data: bytes) -> Iterator[PrivateKeyTypes]:
    for head in _HEADS:
        at = data.find(head)
        while at >= 0:
            # The SEQUENCE in front has two to four octets of tag and length.
            for size in (2, 3, 4):
                key = _load(data[max(0, at - size) : at + 4096])
                if key is not None:
                    yield key
            at = data.find(head, at + 1)


def _load(data: bytes) -> PrivateKeyTypes | None:
    """The key at the beginning of the data, if there is one."""
    if len(data) < 4 or data[0] != 0x30:
        return None
    length, size = data[1], 2
    if length & 0x80:
        octets = length & 0x7F
        length, size = int.from_bytes(data[2 : 2 + octets], "big"), 2 + octets
    try:
        return load_der_private_key(data[: size + length], None)
    except (ValueError, TypeError):
        return None


def _spki(key: PrivateKeyTypes) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
