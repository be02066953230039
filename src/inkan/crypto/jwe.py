"""Compact JSON Web Encryption to one P-256 key: ECDH-ES with A256GCM (RFC 7516 §3.1, RFC 7518 §4.6, §5.3).

One pair of algorithms, so that there is nothing to choose for whoever sends a token. The sender stays unknown: what
is encrypted stands inside something signed, or is signed itself. The work is joserfc's; what it is given was looked at
before.
"""

from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.kernel.errors import Malformed, TooLarge
from inkan.kernel.sensitive import Secret

ALGORITHM: Final = "ECDH-ES"
ENCRYPTION: Final = "A256GCM"
LIMIT: Final = 8 * 1024
_MEMBERS: Final = frozenset({"alg", "enc", "epk", "typ"})
_PARTS: Final = 5
_ALGORITHMS: Final = [ALGORITHM, ENCRYPTION]


class JWEMalformed(Malformed):
    """Not a compact JWE of the admitted form."""

    code = "jwe_malformed"
    title = "An encrypted token does not have the required form"


class JWETooLarge(TooLarge):
    """More characters than such a token may have; nothing of them was decoded."""

    code = "jwe_too_large"
    title = "An encrypted token is larger than allowed"


class JWENotForUs(Malformed):
    """It does not open with this key, or was changed on its way."""

    code = "jwe_not_for_us"
    title = "An encrypted token does not open with this key"


def encrypt(plaintext: Secret[bytes], recipient: EllipticCurvePublicKey, *, typ: str) -> str:
    """Return the compact JWE of ``plaintext`` for the holder of a P-256 key.

    Args:
        plaintext: what to hide.
        recipient: its key agreement key; one that signs is another.
        typ: what the token is (RFC 8725 §3.11).
    """
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "typ": typ}
    key = ECKey.import_key(recipient)
    return jwe.encrypt_compact(header, plaintext.reveal(), key, algorithms=_ALGORITHMS)


def decrypt(token: str, key: EllipticCurvePrivateKey, *, typ: str) -> Secret[bytes]:
    """Return what was hidden in a compact JWE for this key.

    Plan:
        1. Size, before anything is decoded.
        2. Five parts; the header has the members that are admitted, no others, and names the one pair of algorithms.
        3. Key agreement and decryption.

    Raises:
        JWETooLarge: step 1.
        JWEMalformed: step 2.
        JWENotForUs: step 3.
    """
    if len(token) > LIMIT:  # 1
        raise JWETooLarge(limit_bytes=LIMIT)
    _verify_header(token, typ)  # 2
    try:
        opened = jwe.decrypt_compact(token, ECKey.import_key(key), algorithms=_ALGORITHMS)  # 3
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise JWENotForUs(type(error).__name__) from None
    if opened.plaintext is None:
        raise JWENotForUs
    return Secret(opened.plaintext)


def _verify_header(token: str, typ: str) -> None:
    parts = token.split(".")
    if len(parts) != _PARTS or parts[1]:
        raise JWEMalformed("expected five parts, the second one empty")
    try:
        for part in parts:
            base64url.decode(part)
        header = msgspec.json.decode(base64url.decode(parts[0]), type=dict[str, Any])
    except (Base64URLMalformed, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise JWEMalformed(str(error)) from None
    if set(header) != _MEMBERS or not isinstance(header["epk"], dict):
        raise JWEMalformed(f"the header has {', '.join(sorted(_MEMBERS))}")
    if (header["alg"], header["enc"], header["typ"]) != (ALGORITHM, ENCRYPTION, typ):
        raise JWEMalformed("another algorithm, or another type of token")
