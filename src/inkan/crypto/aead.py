"""Sealing and keyed hashing with one key each: AES-256-GCM-SIV, HKDF-SHA-256, HMAC-SHA-256.

GCM-SIV (RFC 8452) stays safe when a nonce repeats, which a database restored from a backup may cause. The
associated data names the place of the sealed value, so that a value moved elsewhere does not open.
"""

import hmac
import struct
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from inkan.kernel.errors import Forbidden, Unavailable
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

KEY_SIZE: Final = 32
NONCE_SIZE: Final = 12
TAG_SIZE: Final = 16
OVERHEAD: Final = NONCE_SIZE + TAG_SIZE


class SealBroken(Unavailable):
    """A sealed value does not open: another key, another place, or changed bytes."""

    code = "seal_broken"
    title = "A sealed value cannot be opened"
    public = ()


class MacMismatch(Forbidden):
    """A keyed hash does not fit its message."""

    code = "mac_mismatch"
    title = "A keyed checksum does not fit"


def seal(key: Secret[bytes], plaintext: bytes, *, aad: bytes) -> bytes:
    """Return nonce ‖ ciphertext ‖ tag (28 bytes more than ``plaintext``) under a 32-byte key.

    Args:
        key: 32 bytes.
        plaintext: what to hide; up to 2^31 bytes.
        aad: the place of the value; needed again to open it.
    """
    nonce = random_bytes(NONCE_SIZE)
    return nonce + AESGCMSIV(key.reveal()).encrypt(nonce, plaintext, aad)


def unseal(key: Secret[bytes], sealed: bytes, *, aad: bytes) -> bytes:
    """Return what :func:`seal` hid under the same key for the same place.

    Raises:
        SealBroken: another key, another place, or changed bytes.
    """
    if len(sealed) < OVERHEAD:
        raise SealBroken("shorter than nonce and tag")
    try:
        return AESGCMSIV(key.reveal()).decrypt(sealed[:NONCE_SIZE], sealed[NONCE_SIZE:], aad)
    except InvalidTag:
        raise SealBroken from None


def hkdf(
    secret: Secret[bytes], info: bytes, *, length: int = KEY_SIZE, salt: bytes = b""
) -> Secret[bytes]:
    """Return ``length`` bytes derived by HKDF-SHA-256 (RFC 5869); ``info`` names what they are for."""
    derived = HKDF(algorithm=SHA256(), length=length, salt=salt, info=info)
    return Secret(derived.derive(secret.reveal()))


def hmac_sha256(key: Secret[bytes], message: bytes) -> bytes:
    """Return the 32-byte HMAC-SHA-256 (RFC 2104) of one message."""
    return hmac.digest(key.reveal(), message, "sha256")


def mac(key: Secret[bytes], *parts: bytes) -> bytes:
    """Return the 32-byte HMAC-SHA-256 over several parts, each after its length (uint32, big-endian).

    The lengths keep ("ab", "c") and ("a", "bc") apart.
    """
    return hmac_sha256(key, b"".join(struct.pack(">I", len(part)) + part for part in parts))


def verify_mac(key: Secret[bytes], tag: bytes, *parts: bytes) -> None:
    """Compare ``tag`` with :func:`mac` of the parts in constant time.

    Raises:
        MacMismatch: it is another one.
    """
    if not hmac.compare_digest(tag, mac(key, *parts)):
        raise MacMismatch
