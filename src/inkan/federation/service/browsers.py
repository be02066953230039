"""The browser that begins is the browser that finishes: one cookie, another verifier for each grant (threat 3)."""

import hashlib
import hmac
from typing import Final

from inkan.crypto import base64url

COOKIE_LENGTH: Final = 43
"""Letters of base64url for 32 random bytes."""


def verifier_of(grant: str, cookie: str) -> bytes:
    """The 32 bytes that redeem the session of a grant; without the cookie nobody has them."""
    return hashlib.sha256(f"inkan-authorize-v1\x00{grant}\x00{cookie}".encode()).digest()


def binding_of(verifier: bytes) -> str:
    """What the session and the grant keep of a verifier: base64url of its SHA-256."""
    return base64url.encode(hashlib.sha256(verifier).digest())


def is_bound(binding: str | None, verifier: bytes) -> bool:
    """Whether the verifier is that of the binding."""
    return hmac.compare_digest(binding or "", binding_of(verifier))
