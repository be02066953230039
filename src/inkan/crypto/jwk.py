"""JSON Web Keys of public keys (RFC 7517, RFC 7518 §6) and their thumbprints (RFC 7638).

Only what names a key is read. A number has one spelling, so that one key has one thumbprint.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.crypto.keys import KeyUnsupported, PublicKey
from inkan.kernel.errors import Malformed

MAX_MEMBER: Final = 1400  # characters: a modulus of 8192 bits and a little

_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final[Mapping[str, tuple[EllipticCurve, int]]] = {
    "P-256": (SECP256R1(), 32),
    "P-384": (SECP384R1(), 48),
}
_CRV_OF: Final = {curve.name: crv for crv, (curve, _) in _CURVES.items()}
_KEY_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {"EC": ("crv", "x", "y"), "RSA": ("e", "n")}


class JWKMalformed(Malformed):
    """Not the JSON Web Key of one public key."""

    code = "jwk_malformed"
    title = "This is not a valid public key in JSON form"


def to_jwk(key: PublicKey) -> dict[str, str]:
    """Return the required members of the key's JWK (RFC 7518 §6), in the order of their names.

    Raises:
        KeyUnsupported: a curve other than P-256 and P-384.
    """
    numbers = key.public_numbers()
    if isinstance(numbers, RSAPublicNumbers):
        return {"e": _uint(numbers.e), "kty": "RSA", "n": _uint(numbers.n)}
    crv = _CRV_OF.get(numbers.curve.name)
    if crv is None:
        raise KeyUnsupported("a JWK needs P-256, P-384 or RSA")
    size = _CURVES[crv][1]
    x, y = (base64url.encode(n.to_bytes(size, "big")) for n in (numbers.x, numbers.y))
    return {"crv": crv, "kty": "EC", "x": x, "y": y}


def load_jwk(members: Mapping[str, Any]) -> PublicKey:
    """Return the public key of a JWK; members besides the key itself (kid, use, alg, …) are ignored (RFC 7517 §4).

    Private members are refused, since whoever sends them has given the key away. Strength is another question:
    :func:`inkan.crypto.keys.verify_key_strength`.

    Raises:
        JWKMalformed: not one public key in its one spelling, or private members.
    """
    return load_with_thumbprint(members)[0]


def load_with_thumbprint(members: Mapping[str, Any]) -> tuple[PublicKey, str]:
    """Return the key of a JWK and its thumbprint; refuses what :func:`load_jwk` refuses."""
    if not _PRIVATE_MEMBERS.isdisjoint(members):
        raise JWKMalformed("the key holds private members")
    kty = members.get("kty")
    names = _KEY_MEMBERS.get(kty) if isinstance(kty, str) else None
    if names is None:
        raise JWKMalformed("kty is neither EC nor RSA")
    values = [value for name in names if isinstance(value := members.get(name), str)]
    if len(values) != len(names) or any(len(value) > MAX_MEMBER for value in values):
        raise JWKMalformed(f"expected the strings {', '.join(names)}")
    try:
        return _load_ec(*values) if kty == "EC" else _load_rsa(*values)
    except (Base64URLMalformed, ValueError) as error:
        raise JWKMalformed(f"no {kty} key: {error}") from None


def thumbprint(key: PublicKey) -> str:
    """Return the SHA-256 thumbprint of the key (RFC 7638), base64url."""
    return base64url.encode(sha256(msgspec.json.encode(to_jwk(key))).digest())


# Whoever calls with proofs calls again with the same key: parsing the point costs as much as all other parsing.
@lru_cache(maxsize=2048)
def _load_ec(crv: str, x: str, y: str) -> tuple[EllipticCurvePublicKey, str]:
    if crv not in _CURVES:
        raise JWKMalformed("crv is neither P-256 nor P-384")
    curve, size = _CURVES[crv]
    numbers = EllipticCurvePublicNumbers(
        int.from_bytes(base64url.decode(x, size=size), "big"),
        int.from_bytes(base64url.decode(y, size=size), "big"),
        curve,
    )
    key = numbers.public_key()
    return key, thumbprint(key)


def _load_rsa(e: str, n: str) -> tuple[RSAPublicKey, str]:
    exponent, modulus = base64url.decode(e), base64url.decode(n)
    if not exponent or not modulus or exponent[0] == 0 or modulus[0] == 0:
        raise JWKMalformed("a number has leading zero bytes or none at all")
    numbers = RSAPublicNumbers(int.from_bytes(exponent, "big"), int.from_bytes(modulus, "big"))
    key = numbers.public_key()
    return key, thumbprint(key)


def _uint(number: int) -> str:
    return base64url.encode(number.to_bytes((number.bit_length() + 7) // 8, "big"))
