"""Certificate keys of a phone, back end A: they lie wrapped under the passkey's PRF secret.

A key is made on the phone, signs its certificate request while it is held in memory, and is then wrapped:
HKDF-SHA-256 of the PRF value gives an AES-256-GCM key, the associated data is SHA-256 of the key's SPKI. It
comes back for one use after one user verification (design §5.1, TW-26, TW-52). Python cannot wipe memory: a
key lives there until the collector takes it; what is promised is that it is never stored in the clear.
"""

import hashlib
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from inkan.crypto import aead, keys
from inkan.crypto.certificate_requests import build_csr
from inkan.crypto.keys import PrivateKey
from inkan.kernel.errors import Forbidden
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

# The PRF input of every phone: the secret differs because the credential differs.
PRF_INPUT: Final = b"inkan-key-wrap-v1"
_INFO: Final = b"inkan-key-wrap-v1"
_NONCE_SIZE: Final = 12


class KeyNotUnwrapped(Forbidden):
    """The PRF value does not open the key: another passkey, or changed bytes."""

    code = "phone_key_not_unwrapped"
    title = "The passkey does not open the key of the certificate"


class WrappedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate key at rest, or the name of one that lies elsewhere.

    Attributes:
        spki: DER SubjectPublicKeyInfo, in the clear.
        nonce: 12 bytes, drawn once; empty for a key that lies elsewhere.
        wrapped: PKCS #8 DER under AES-256-GCM, tag included; empty for a key that lies elsewhere.
    """

    spki: bytes
    nonce: bytes = b""
    wrapped: bytes = b""

    @property
    def spki_sha256(self) -> bytes:
        """The name of the key: SHA-256 of its SPKI."""
        return hashlib.sha256(self.spki).digest()


def certificate_request(private_key: PrivateKey) -> bytes:
    """Return the PKCS #10 request (DER) of a key held in memory; see :func:`build_csr`."""
    return build_csr(private_key)


def wrap(private_key: PrivateKey, prf: Secret[bytes]) -> WrappedKey:
    """Return a key at rest under a PRF value."""
    spki = keys.spki_der(private_key.public_key())
    nonce = random_bytes(_NONCE_SIZE)
    pkcs8 = keys.private_der(private_key).reveal()
    wrapped = _cipher(prf).encrypt(nonce, pkcs8, hashlib.sha256(spki).digest())
    return WrappedKey(spki=spki, nonce=nonce, wrapped=wrapped)


def unwrap(key: WrappedKey, prf: Secret[bytes]) -> PrivateKey:
    """Return the private key for one use.

    Raises:
        KeyNotUnwrapped: another PRF value, or changed bytes.
    """
    try:
        pkcs8 = _cipher(prf).decrypt(key.nonce, key.wrapped, key.spki_sha256)
    except InvalidTag:
        raise KeyNotUnwrapped from None
    return keys.load_private(Secret(pkcs8))


def _cipher(prf: Secret[bytes]) -> AESGCM:
    return AESGCM(aead.hkdf(prf, _INFO).reveal())
