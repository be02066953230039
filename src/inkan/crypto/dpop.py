"""DPoP proofs: each request is signed by the key that its access token or its phone is bound to (RFC 9449).

Narrower than the RFC: ES256 unless the caller admits PS256, method and address compared as they stand. Whether a
``jti`` was seen before is remembered by the caller, who alone knows its processes.
"""

from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import PrivateKey, PublicKey
from inkan.kernel.clock import from_seconds, to_seconds
from inkan.kernel.errors import InkanError, Unauthenticated
from inkan.kernel.ids import random_bytes

TYP: Final = "dpop+jwt"
PROOF_LIMIT: Final = 4096
MAX_AGE_S: Final = 60
LEEWAY_S: Final = 5
JTI_LENGTHS: Final = range(16, 128 + 1)


class DPoPProofRefused(Unauthenticated):
    """The proof does not show that the holder of the key sends this very request now."""

    code = "dpop_proof_refused"
    title = "The proof of possession does not fit this request"


class DPoPNonceRefused(Unauthenticated):
    """The proof lacks the nonce that the server handed out (RFC 9449 §8: ``use_dpop_nonce``)."""

    code = "dpop_nonce_refused"
    title = "The proof of possession needs the nonce of this server"


class Proof(msgspec.Struct, frozen=True):
    """What a verified proof says.

    Attributes:
        key: that signed it: on P-256, or RSA where PS256 is admitted.
        jkt: its thumbprint (RFC 7638), the value of ``cnf.jkt`` and of a phone's channel key.
        jti: unique within the window; the caller refuses a second use.
        at: when it was made, by the sender's clock.
        nonce: what it says that a server handed out; None when it says nothing.
    """

    key: PublicKey
    jkt: str
    jti: str
    at: datetime
    nonce: str | None = None


def build_proof(
    key: PrivateKey,
    *,
    method: str,
    url: str,
    at: datetime,
    access_token: str | None = None,
    nonce: str | None = None,
) -> str:
    """Return the proof for one request (RFC 9449 §4.2).

    Args:
        key: P-256, or RSA for PS256.
        method: as in the request line.
        url: of the request; query and fragment are left out of the proof.
        at: now, by true time.
        access_token: the token that goes along, if any.
        nonce: what the server handed out, if it did.
    """
    claims: dict[str, Any] = {
        "jti": base64url.encode(random_bytes(16)),
        "htm": method,
        "htu": target(url),
        "iat": to_seconds(at),
    }
    if access_token is not None:
        claims["ath"] = token_hash(access_token)
    if nonce is not None:
        claims["nonce"] = nonce
    header = {"jwk": jwk.to_jwk(key.public_key())}
    payload = msgspec.json.encode(claims)
    alg = Algorithm.ES256 if isinstance(key, EllipticCurvePrivateKey) else Algorithm.PS256
    return jose.sign_compact(payload, key, alg=alg, typ=TYP, header=header)


def verify_proof(
    proof: str,
    *,
    method: str,
    url: str,
    now: datetime,
    access_token: str | None = None,
    nonce: str | None = None,
    algs: Collection[Algorithm] = (Algorithm.ES256,),
) -> Proof:
    """Return who made this proof for this very request.

    Plan (the numbers of RFC 9449 §4.3; 1, a single header field, is the caller's):
        2. one well-formed JWT, 4. of type ``dpop+jwt``, with ``alg``, ``typ`` and ``jwk`` alone in its header;
        7. ``jwk`` is a public key without private members;
        5. the algorithm is admitted and fits the key (ES256: P-256; PS256: RSA of 2048 bits or more);
        6. the signature holds under ``jwk``;
        3. ``jti``, ``htm``, ``htu`` and ``iat`` are there, each of its type;
        8. ``htm`` is the method;
        9. ``htu`` is the address without query and fragment, character by character;
        10. ``nonce`` is the one handed out, if one was;
        11. made at most 60 s ago and not more than 5 s in the future;
        12. ``ath`` belongs to the access token; without a token there is none.
           (That the token is bound to this key, the caller compares with ``jkt``.)

    Args:
        proof: the value of the ``DPoP`` field.
        method: of the request.
        url: of the request; its query and fragment are left out.
        now: true time.
        access_token: the token that came along, if any.
        nonce: what this server handed out, if it did.
        algs: of ES256 and PS256, those that are admitted.

    Raises:
        DPoPNonceRefused: step 10.
        DPoPProofRefused: every other step.
    """
    try:
        jws = jose.parse_compact(proof, typ=TYP, required=("jwk",), limit=PROOF_LIMIT)  # 2, 4
        key, jkt = jwk.load_with_thumbprint(jws.header["jwk"])  # 7
        claims = _claims(jose.verify_signature(jws, key, algs=algs).payload)  # 5, 6, 3
    except DPoPProofRefused:
        raise
    except InkanError as error:
        raise DPoPProofRefused(str(error)) from None
    if claims.htm != method:  # 8
        raise DPoPProofRefused("made for another method")
    if claims.htu != target(url):  # 9
        raise DPoPProofRefused("made for another address")
    if nonce is not None and claims.nonce != nonce:  # 10
        raise DPoPNonceRefused
    if not -LEEWAY_S <= to_seconds(now) - claims.iat <= MAX_AGE_S:  # 11
        raise DPoPProofRefused("made too long ago, or in the future")
    if claims.ath != (None if access_token is None else token_hash(access_token)):  # 12
        raise DPoPProofRefused("made for another access token")
    return Proof(key, jkt, claims.jti, from_seconds(claims.iat), claims.nonce)


def target(url: str) -> str:
    """Return the address without query and fragment: what ``htu`` holds."""
    return url.partition("#")[0].partition("?")[0]


def token_hash(access_token: str) -> str:
    """Return ``ath``: the SHA-256 of the token's ASCII text, base64url."""
    return base64url.encode(sha256(access_token.encode()).digest())


class _Claims(msgspec.Struct, frozen=True):
    jti: str
    htm: str
    htu: str
    iat: int
    ath: str | None = None
    nonce: str | None = None


def _claims(payload: bytes) -> _Claims:
    try:
        claims = msgspec.convert(jose.parse_object(payload), _Claims)
    except msgspec.ValidationError as error:
        raise DPoPProofRefused(str(error)) from None
    if len(claims.jti) not in JTI_LENGTHS or not claims.jti.isascii():
        raise DPoPProofRefused("jti must have 16 to 128 ASCII characters")
    return claims
