"""What a client of OpenID Connect has to check before it believes: each check is a step of a plan, with its section.

Nothing here does input or output. A check gives the cause why something is not believed, and nothing when it is.
"""

import hmac
from hashlib import sha256
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm, UnverifiedJWS
from inkan.crypto.keys import PublicKey
from inkan.kernel.errors import InkanError

LEEWAY_S: Final = 60
LOGOUT_AGE_S: Final = 300
SUB_LIMIT: Final = 255
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
ID_TOKEN_TYPES: Final = frozenset({"JWT", None})
LOGOUT_TYPE: Final = "logout+jwt"

FOREIGN: Final = "foreign"
NOT_BELIEVED: Final = "not_believed"


class Expected(msgspec.Struct, frozen=True):
    """What a token must fit to: registered with the provider, and drawn for this one login.

    Attributes:
        alg: the registered ``id_token_signed_response_alg``; what the token says of itself does not count.
        now: true time in seconds since 1970.
    """

    issuer: str
    client_id: str
    alg: Algorithm
    now: int


class IDToken(msgspec.Struct, frozen=True):
    """Claims of an ID token (OpenID Connect Core §2), as they came."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int
    iat: int
    nonce: str = ""
    azp: str = ""
    at_hash: str = ""
    acr: str = ""
    amr: list[str] = []
    auth_time: int | None = None
    sid: str = ""


class LogoutToken(msgspec.Struct, frozen=True):
    """Claims of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4), as they came."""

    iss: str
    aud: str | list[str]
    iat: int
    exp: int
    jti: str
    events: dict[str, dict[str, Any]]
    sub: str = ""
    sid: str = ""
    nonce: str | msgspec.UnsetType = msgspec.UNSET


def judge_return(query: str, *, state: str, issuer: str) -> str:
    """Why this return is not the answer to the question of this browser; empty when it is.

    1. No parameter stands twice (RFC 6749 §3.1).
    2. ``state`` is the one that this browser began with (RFC 6749 §10.12).
    3. ``iss`` is the provider that was asked (RFC 9207 §2.4).
    4. An error is told as it came (RFC 6749 §4.1.2.1).
    5. There is a code.
    """
    pairs = parse_qsl(query, keep_blank_values=True)
    came = dict(pairs)
    if len(came) != len(pairs):  # 1
        return FOREIGN
    if not hmac.compare_digest(came.get("state", "").encode(), state.encode()):  # 2
        return FOREIGN
    if came.get("iss") != issuer:  # 3
        return FOREIGN
    if came.get("error"):  # 4
        return came["error"]
    return "" if came.get("code") else NOT_BELIEVED  # 5


def judge_id_token(
    token: str, key: PublicKey, expected: Expected, *, nonce: str, access_token: str
) -> IDToken | None:
    """Return the claims of an ID token that holds (OpenID Connect Core §3.1.3.7), None for every other one.

    1. A compact JWS of the registered algorithm, signed by the provider's key.
    2. ``iss``, ``aud``, ``exp`` and ``iat`` fit; this client is the only audience.
    3. ``azp``, when it is there, is this client.
    4. ``nonce`` is the one of this login.
    5. ``at_hash``, when it is there, belongs to the access token that came along (§3.1.3.8).
    6. ``sub`` names somebody.
    """
    try:
        jws = parse_token(token)
        payload = jose.verify_signature(jws, key, algs=(expected.alg,)).payload  # 1
        claims = msgspec.convert(jose.parse_object(payload), IDToken)
    except (InkanError, msgspec.ValidationError):
        return None
    holds = (
        _is_for_here(claims, expected)  # 2
        and claims.azp in {"", expected.client_id}  # 3
        and hmac.compare_digest(claims.nonce.encode(), nonce.encode())  # 4
        and claims.at_hash in {"", half_hash(access_token)}  # 5
        and 0 < len(claims.sub) <= SUB_LIMIT  # 6
    )
    return claims if holds else None


def judge_logout_token(token: str, key: PublicKey, expected: Expected) -> LogoutToken | None:
    """Return the claims of a logout token that holds (Back-Channel Logout §2.6), None for every other one.

    1. A compact JWS of the type ``logout+jwt`` and the registered algorithm, signed by the provider's key.
    2. ``iss``, ``aud``, ``exp`` and ``iat`` fit, and it is young.
    3. ``events`` says what it is.
    4. It names a person or a session.
    5. It has no ``nonce``: an ID token is none.
    """
    try:
        jws = parse_logout_token(token)
        payload = jose.verify_signature(jws, key, algs=(expected.alg,)).payload  # 1
        claims = msgspec.convert(jose.parse_object(payload), LogoutToken)
    except (InkanError, msgspec.ValidationError):
        return None
    holds = (
        _is_for_here(claims, expected)
        and expected.now - claims.iat <= LOGOUT_AGE_S  # 2
        and claims.events.get(LOGOUT_EVENT) is not None  # 3
        and bool(claims.sub or claims.sid)  # 4
        and claims.nonce is msgspec.UNSET  # 5
    )
    return claims if holds else None


def parse_token(token: str) -> UnverifiedJWS:
    """Read an ID token without believing it; its header says which key is wanted.

    Raises:
        JWSMalformed, JWSTooLarge: it is none.
    """
    return jose.parse_compact(token, typ=ID_TOKEN_TYPES, required=("kid",))


def parse_logout_token(token: str) -> UnverifiedJWS:
    """Read a logout token without believing it.

    Raises:
        JWSMalformed, JWSTooLarge: it is none.
    """
    return jose.parse_compact(token, typ=LOGOUT_TYPE, required=("kid",))


def key_of(jwks: list[dict[str, Any]], kid: str, alg: Algorithm) -> PublicKey | None:
    """The provider's key of that name for that algorithm, if it publishes one for signatures."""
    for members in jwks:
        is_meant = (
            members.get("kid") == kid
            and members.get("use", "sig") == "sig"
            and members.get("alg", alg) == alg
        )
        if is_meant:
            try:
                return jwk.load_jwk(members)
            except InkanError:
                return None
    return None


def half_hash(value: str) -> str:
    """What ``at_hash`` holds: the left half of the SHA-256, base64url (Core §3.1.3.6)."""
    return base64url.encode(sha256(value.encode()).digest()[:16])


def is_same_origin(address: str, issuer: str) -> bool:
    """Whether an endpoint lies where the provider itself lies; this room sends its secret nowhere else."""
    one, other = urlsplit(address), urlsplit(issuer)
    return (one.scheme, one.netloc) == (other.scheme, other.netloc)


def _is_for_here(claims: IDToken | LogoutToken, expected: Expected) -> bool:
    audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    return (
        claims.iss == expected.issuer
        and audiences == [expected.client_id]
        and claims.exp > expected.now - LEEWAY_S
        and claims.iat <= expected.now + LEEWAY_S
    )
