"""Web Push: messages that only one receiver reads (RFC 8291 over RFC 8188), and who sends them (RFC 8292).

Formats only: whom to wake, when, and what an answer means is the business of ``notices``. Written here because
the libraries for it bring HTTP clients of their own along (docs/decisions/0014-own-web-push.md).
"""

from datetime import datetime
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from inkan.crypto import base64url, jose
from inkan.crypto.base64url import Base64URLMalformed
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import to_seconds
from inkan.kernel.errors import Malformed
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

CONTENT_ENCODING: Final = "aes128gcm"
POINT_SIZE: Final = 65
AUTH_SIZE: Final = 16
SALT_SIZE: Final = 16
TAG_SIZE: Final = 16
RECORD_SIZE: Final = 4096
"""The ``rs`` that is written; a message is one record of at most this size (RFC 8291 §4)."""
HEADER_SIZE: Final = SALT_SIZE + 4 + 1 + POINT_SIZE
MESSAGE_LIMIT: Final = 4096
"""Octets of a body that every push service takes (RFC 8030 §7.2)."""
VAPID_TYP: Final = "JWT"
"""The ``typ`` that RFC 8292 §2 shows; services compare it, so it is no more explicit than that."""

_SMALLEST_RECORD: Final = TAG_SIZE + 2  # RFC 8188 §2: a value below 18 is no record size
_LAST_RECORD: Final = b"\x02"
_KEY_INFO: Final = b"Content-Encoding: aes128gcm\x00"
_NONCE_INFO: Final = b"Content-Encoding: nonce\x00"
_IKM_INFO: Final = b"WebPush: info\x00"


class PushKeysMalformed(Malformed):
    """``p256dh`` is no uncompressed P-256 point, or ``auth`` has not 16 bytes; ``where`` names which."""

    code = "push_keys_malformed"
    title = "The keys of the push subscription are not usable"


class PushMessageMalformed(Malformed):
    """Not one record of ``aes128gcm`` for this receiver: another form, another key, or changed bytes."""

    code = "push_message_malformed"
    title = "The push message cannot be read"
    public = ()


class Receiver(NamedTuple):
    """Whom a message is for: what a subscription's ``keys`` say.

    Attributes:
        public: the receiver's P-256 key (``p256dh``).
        auth: 16 bytes that only receiver and application server know.
    """

    public: EllipticCurvePublicKey
    auth: Secret[bytes]


def point(key: EllipticCurvePublicKey) -> bytes:
    """Return the 65 bytes of a key: the uncompressed point (X9.62), as Web Push writes keys."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def load_receiver(p256dh: str, auth: str) -> Receiver:
    """Return whom a subscription's keys (base64url) name.

    Raises:
        PushKeysMalformed: not a point of P-256, or not 16 bytes.
    """
    try:
        public = _load_point(base64url.decode(p256dh, size=POINT_SIZE))
    except (Base64URLMalformed, ValueError):
        raise PushKeysMalformed(
            where="/keys/p256dh", expected="base64url of an uncompressed P-256 point"
        ) from None
    try:
        secret = base64url.decode(auth, size=AUTH_SIZE)
    except Base64URLMalformed:
        raise PushKeysMalformed(where="/keys/auth", expected="base64url of 16 bytes") from None
    return Receiver(public, Secret(secret))


def encrypt(
    message: bytes,
    receiver: Receiver,
    *,
    padded: int = 0,
    salt: bytes | None = None,
    sender: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """Return the body of a push message: header and one encrypted record (RFC 8291 §3, RFC 8188 §2).

    Args:
        message: what the receiver reads.
        receiver: from :func:`load_receiver`.
        padded: the record holds at least so many bytes before it is encrypted, delimiter included; messages that
            are shorter become bodies of one length.
        salt: 16 bytes; drawn for each message, and given only to compute test vectors.
        sender: a key that is used once; likewise.

    Raises:
        ValueError: longer than a push service takes, or a salt of another size: a mistake of the caller.
    """
    salt = random_bytes(SALT_SIZE) if salt is None else salt
    sender = generate_private_key(SECP256R1()) if sender is None else sender
    plain = (message + _LAST_RECORD).ljust(padded, b"\x00")
    if len(salt) != SALT_SIZE or HEADER_SIZE + len(plain) + TAG_SIZE > MESSAGE_LIMIT:
        raise ValueError("a salt has 16 bytes and a push message at most 4096")
    own = point(sender.public_key())
    shared = sender.exchange(ECDH(), receiver.public)
    key, nonce = _derive(shared, receiver.auth, salt, point(receiver.public) + own)
    head = salt + RECORD_SIZE.to_bytes(4, "big") + bytes([POINT_SIZE]) + own
    return head + AESGCM(key).encrypt(nonce, plain, None)


def decrypt(body: bytes, key: EllipticCurvePrivateKey, auth: Secret[bytes]) -> bytes:
    """Return the message of a body that was encrypted for this key and secret (RFC 8291 §4).

    Raises:
        PushMessageMalformed: another form, another receiver, or changed bytes.
    """
    if not HEADER_SIZE + TAG_SIZE < len(body) <= MESSAGE_LIMIT + HEADER_SIZE:
        raise PushMessageMalformed("not the size of a push message")
    salt, rest = body[:SALT_SIZE], body[SALT_SIZE:]
    size, record = int.from_bytes(rest[:4], "big"), body[HEADER_SIZE:]
    if rest[4] != POINT_SIZE or not max(_SMALLEST_RECORD, len(record)) <= size:
        raise PushMessageMalformed("not one record whose sender is a P-256 key")
    theirs = rest[5 : 5 + POINT_SIZE]
    try:
        shared = key.exchange(ECDH(), _load_point(theirs))
        derived = _derive(shared, auth, salt, point(key.public_key()) + theirs)
        plain = AESGCM(derived[0]).decrypt(derived[1], record, None)
    except (InvalidTag, ValueError):
        raise PushMessageMalformed("not for this receiver, or changed") from None
    kept = plain.rstrip(b"\x00")
    if not kept.endswith(_LAST_RECORD):
        raise PushMessageMalformed("the record has no delimiter of a last record")
    return kept[: -len(_LAST_RECORD)]


def vapid_authorization(
    key: EllipticCurvePrivateKey, *, audience: str, subject: str, expires_at: datetime
) -> str:
    """Return the value of ``Authorization`` that names the application server (RFC 8292 §2-3).

    Args:
        key: P-256, made for nothing else.
        audience: origin of the push service.
        subject: ``mailto:`` or ``https:`` address of whoever runs the application server.
        expires_at: at most a day ahead.
    """
    claims = msgspec.json.encode({"aud": audience, "exp": to_seconds(expires_at), "sub": subject})
    token = jose.sign_compact(claims, key, alg=Algorithm.ES256, typ=VAPID_TYP)
    return f"vapid t={token}, k={base64url.encode(point(key.public_key()))}"


def _load_point(data: bytes) -> EllipticCurvePublicKey:
    """The key of an uncompressed point; ValueError when it is off the curve."""
    if len(data) != POINT_SIZE:
        raise ValueError("not an uncompressed point")
    return EllipticCurvePublicKey.from_encoded_point(SECP256R1(), data)


def _derive(shared: bytes, auth: Secret[bytes], salt: bytes, points: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of the one record (RFC 8291 §3.4); ``points`` is receiver, then sender."""
    material = _hkdf(shared, auth.reveal(), _IKM_INFO + points, 32)
    return _hkdf(material, salt, _KEY_INFO, 16), _hkdf(material, salt, _NONCE_INFO, 12)


def _hkdf(material: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=size, salt=salt, info=info).derive(material)
