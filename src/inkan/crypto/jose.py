"""Compact JSON Web Signatures in the narrow form that Inkan admits (RFC 7515).

A verifier states the algorithms, the type and the header members that it admits; everything else is refused
(RFC 8725, threat 18). The key is an argument and never comes out of the token, except where the caller says so
by admitting ``jwk`` (DPoP). Written thin because two of these stand in every request of a phone; joserfc is the
oracle of the tests.
"""

import json
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.crypto.keys import RSA_SIZES, PrivateKey, PublicKey
from inkan.kernel.errors import Malformed, TooLarge, Unauthenticated

DEFAULT_LIMIT: Final = 32 * 1024
HEADER_LIMIT: Final = 12 * 1024

# Members that move the key, the meaning of the payload or the rules of verification into the token's hands.
NEVER_ADMITTED: Final = frozenset({"crit", "b64", "jku", "x5u", "zip", "enc", "p2c", "p2s", "epk"})


class Algorithm(StrEnum):
    """The admitted signature algorithms (RFC 7518 §3.3–3.5); PS256 always with a 32-byte salt."""

    PS256 = "PS256"
    RS256 = "RS256"
    ES256 = "ES256"


class JWSMalformed(Malformed):
    """Not a compact JWS of the admitted form."""

    code = "jws_malformed"
    title = "A signed token does not have the required form"


class JWSTooLarge(TooLarge):
    """More characters than such a token may have; nothing of them was decoded."""

    code = "jws_too_large"
    title = "A signed token is larger than allowed"


class JWSSignatureWrong(Unauthenticated):
    """The signature, its algorithm or the kind of key does not fit."""

    code = "jws_signature_wrong"
    title = "The signature of a token does not hold"


class UnverifiedJWS(msgspec.Struct, frozen=True):
    """A token of the admitted form whose signature nobody has checked.

    Attributes:
        header: the protected header; serves to find the key.
        payload: what the token claims; serves to find the key, nothing else.
        signing_input: the bytes under the signature.
        signature: as it stands in the token (ES256: r ‖ s).
    """

    header: dict[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes


class VerifiedJWS(msgspec.Struct, frozen=True):
    """Header and payload that the holder of the key has signed."""

    header: dict[str, Any]
    payload: bytes


_SHA256 = SHA256()
_ECDSA = ECDSA(_SHA256)
_PSS = PSS(MGF1(_SHA256), 32)
_PKCS1 = PKCS1v15()
_P256 = SECP256R1()
_RSA_PADDING: Final[Mapping[str, PSS | PKCS1v15]] = {Algorithm.PS256: _PSS, Algorithm.RS256: _PKCS1}
_encode_json = msgspec.json.encode
_decode_json = msgspec.json.Decoder(dict[str, Any]).decode
# What a header member holds; every other one is a string.
_MEMBER_TYPES: Final[Mapping[str, type]] = {"jwk": dict, "x5c": list}


# --- verifying ---------------------------------------------------------------------------------------


def verify_compact(
    token: str,
    key: PublicKey,
    *,
    algs: Collection[Algorithm],
    typ: str | Collection[str | None],
    required: Collection[str] = (),
    optional: Collection[str] = (),
) -> VerifiedJWS:
    """Return what ``key`` signed in the token: :func:`parse_compact` and :func:`verify_signature` in one.

    Raises:
        JWSTooLarge, JWSMalformed, JWSSignatureWrong: as those two.
    """
    jws = parse_compact(token, typ=typ, required=required, optional=optional)
    return verify_signature(jws, key, algs=algs)


def parse_compact(
    token: str,
    *,
    typ: str | Collection[str | None],
    required: Collection[str] = (),
    optional: Collection[str] = (),
    limit: int = DEFAULT_LIMIT,
) -> UnverifiedJWS:
    """Return the parts of a compact JWS (RFC 7515 §7.1) without checking its signature.

    Plan:
        1. Size, before anything is decoded.
        2. Three parts, each canonical base64url.
        3. The header is a JSON object without duplicate names.
        4. ``typ`` is the expected one (exact; None among the expected ones admits its absence).
        5. Members are ``alg``, ``typ``, the required and, if present, the optional ones; none besides, and
           none of :data:`NEVER_ADMITTED` even if asked for.

    Args:
        token: header.payload.signature.
        typ: the expected type, or several of them.
        required: header members that must stand beside ``alg`` and ``typ``.
        optional: header members that may stand there.
        limit: the largest number of characters.

    Raises:
        JWSTooLarge: step 1.
        JWSMalformed: every other step.
    """
    if len(token) > limit:  # 1
        raise JWSTooLarge(limit_bytes=limit)
    head, payload, signature = _parts(token)  # 2
    try:
        header_json = base64url.decode(head)
        payload_bytes, signature_bytes = base64url.decode(payload), base64url.decode(signature)
    except Base64URLMalformed as error:
        raise JWSMalformed(str(error)) from None
    header = parse_object(header_json)  # 3
    _check_typ(header.get("typ"), typ)  # 4
    _check_members(header, required, optional)  # 5
    signing_input = f"{head}.{payload}".encode("ascii")
    return UnverifiedJWS(header, payload_bytes, signing_input, signature_bytes)


def verify_signature(
    jws: UnverifiedJWS, key: PublicKey, *, algs: Collection[Algorithm]
) -> VerifiedJWS:
    """Return what ``key`` signed, if the token's algorithm is admitted and is one of this kind of key.

    Raises:
        JWSSignatureWrong: another algorithm, another kind of key, or a signature that does not hold.
    """
    alg = jws.header["alg"]
    if alg not in algs:
        raise JWSSignatureWrong("this algorithm is not admitted here")
    try:
        if alg == Algorithm.ES256:
            _p256(key).verify(_der_signature(jws.signature), jws.signing_input, _ECDSA)
        else:
            _rsa(key).verify(jws.signature, jws.signing_input, _RSA_PADDING[alg], _SHA256)
    except InvalidSignature:
        raise JWSSignatureWrong from None
    return VerifiedJWS(jws.header, jws.payload)


def parse_object(data: bytes, *, limit: int = DEFAULT_LIMIT) -> dict[str, Any]:
    """Return the JSON object of a header or a claims set; duplicate names at any depth are refused.

    Raises:
        JWSTooLarge: more than ``limit`` bytes.
        JWSMalformed: not an object, or a name stands twice.
    """
    if len(data) > limit:
        raise JWSTooLarge(limit_bytes=limit)
    try:
        value = _decode_json(data)
        # The usual spelling is what our encoder writes in the same order; a duplicate name never is.
        if _encode_json(value) != data:
            json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise JWSMalformed(f"not a JSON object with unique names: {error}") from None
    return value


def _parts(token: str) -> list[str]:
    parts = token.split(".", 3)
    if len(parts) != 3 or not all(parts):
        raise JWSMalformed("expected header.payload.signature")
    if len(parts[0]) > HEADER_LIMIT:
        raise JWSTooLarge(limit_bytes=HEADER_LIMIT)
    return parts


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise JWSMalformed("a name stands twice")
    return value


def _check_typ(typ: object, expected: str | Collection[str | None]) -> None:
    admitted = (expected,) if isinstance(expected, str) else tuple(expected)
    if typ not in admitted:
        raise JWSMalformed("another type of token", expected=", ".join(map(str, admitted)))


def _check_members(
    header: Mapping[str, Any], required: Collection[str], optional: Collection[str]
) -> None:
    missing = [name for name in ("alg", *required) if name not in header]
    if missing:
        raise JWSMalformed(f"the header lacks {missing[0]}")
    for name, value in header.items():
        if name not in {"alg", "typ"} and name not in required and name not in optional:
            raise JWSMalformed("the header holds a member that is not admitted")
        if name in NEVER_ADMITTED:
            raise JWSMalformed(f"the header holds {name}")
        if type(value) is not _MEMBER_TYPES.get(name, str):
            raise JWSMalformed(f"the header member {name} has another type")
        if type(value) is list and not all(type(item) is str for item in value):
            raise JWSMalformed(f"the header member {name} holds something other than strings")


def _p256(key: PublicKey) -> EllipticCurvePublicKey:
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name == _P256.name:
        return key
    raise JWSSignatureWrong("ES256 needs a P-256 key")


def _rsa(key: PublicKey) -> RSAPublicKey:
    if isinstance(key, RSAPublicKey) and key.key_size in RSA_SIZES:
        return key
    raise JWSSignatureWrong("PS256 and RS256 need an RSA key of 2048 bits or more")


def _der_signature(raw: bytes) -> bytes:
    """Turn r ‖ s (RFC 7518 §3.4) into the DER form that the library wants."""
    if len(raw) != 64:
        raise JWSSignatureWrong("an ES256 signature has 64 bytes")
    return encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))


# --- signing -----------------------------------------------------------------------------------------


def sign_compact(
    payload: bytes,
    key: PrivateKey,
    *,
    alg: Algorithm,
    typ: str,
    header: Mapping[str, Any] | None = None,
) -> str:
    """Return the compact JWS of ``payload``.

    Args:
        payload: the bytes to sign, as they are.
        key: a private key or anything that signs like one (PKCS #11).
        alg: must fit the key: ES256 for P-256, PS256 and RS256 for RSA.
        typ: the explicit type (RFC 8725 §3.11).
        header: further protected members.

    Raises:
        JWSSignatureWrong: the algorithm does not fit the key.
    """
    members = {"alg": str(alg), "typ": typ, **(header or {})}
    head = base64url.encode(_encode_json(members))
    signing_input = f"{head}.{base64url.encode(payload)}"
    signature = _sign(key, alg, signing_input.encode("ascii"))
    return f"{signing_input}.{base64url.encode(signature)}"


def _sign(key: PrivateKey, alg: Algorithm, data: bytes) -> bytes:
    if alg is Algorithm.ES256:
        if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != _P256.name:
            raise JWSSignatureWrong("ES256 needs a P-256 key")
        r, s = decode_dss_signature(key.sign(data, _ECDSA))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    if not isinstance(key, RSAPrivateKey) or key.key_size not in RSA_SIZES:
        raise JWSSignatureWrong("PS256 and RS256 need an RSA key of 2048 bits or more")
    return key.sign(data, _RSA_PADDING[alg], _SHA256)
