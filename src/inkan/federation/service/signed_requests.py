"""A request that the client signed (CIBA Core §7.1.1, FAPI-CIBA §5.2.2): opened before its parameters are looked at.

Numbered plan:

1. nothing but the client's authentication stands beside it: what is not signed is not asked;
2. a key in force of this client has signed it, by ES256 or PS256;
3. ``iss`` is the client, ``aud`` the issuer as one string, and ``jti`` is there: whoever takes it remembers it;
4. it has begun, has not ended, and lives at most 60 minutes;
5. every other member is a text or a whole number, and counts as a parameter.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta

from inkan.crypto import jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.federation.model.refusals import RequestObjectRefused, RequestRefused
from inkan.federation.rules import SIGNED_REQUEST_LEEWAY, SIGNED_REQUEST_LIFE
from inkan.kernel.clock import from_seconds
from inkan.kernel.errors import InkanError

AUTHENTICATION: Final = frozenset(
    {"request", "client_id", "client_secret", "client_assertion", "client_assertion_type"}
)
_TYPS: Final = (None, "JWT", "oauth-authz-req+jwt")
_ALGS: Final = (Algorithm.ES256, Algorithm.PS256)

_NumericDate = Annotated[int, Meta(ge=0, le=253402300799)]
_JTI = Annotated[str, Meta(min_length=16, max_length=128)]


class _Term(msgspec.Struct, frozen=True):
    """The members that are not parameters, all of them required (CIBA Core §7.1.1)."""

    iss: str
    aud: str
    iat: _NumericDate
    nbf: _NumericDate
    exp: _NumericDate
    jti: _JTI


class Opened(NamedTuple):
    """The parameters that were signed, and the name of the request."""

    parameters: dict[str, str]
    jti: str


def open_request(
    form: Mapping[str, str],
    *,
    client_id: str,
    issuer: str,
    keys: Collection[dict[str, Any]],
    now: datetime,
) -> Opened:
    """Return what ``form["request"]`` asks; see the plan of this module.

    Args:
        form: the parameters of the HTTP request.
        client_id: of the authenticated client.
        issuer: of this provider.
        keys: the client's public JWKs.
        now: true time.

    Raises:
        RequestRefused: 1.
        RequestObjectRefused: 2 to 5.
    """
    if not AUTHENTICATION.issuperset(form):  # 1
        raise RequestRefused("parameters beside the signed request")
    try:
        token = jose.parse_compact(form["request"], typ=_TYPS, optional=("kid",))
        members = jose.parse_object(token.payload)
        term = msgspec.convert(members, _Term)
    except (InkanError, msgspec.ValidationError) as wrong:
        raise RequestObjectRefused(str(wrong)) from None
    if not any(_is_signed_by(token, key) for key in keys):  # 2
        raise RequestObjectRefused("no registered key signed it")
    if term.iss != client_id or term.aud != issuer:  # 3
        raise RequestObjectRefused("iss or aud")
    begins, ends = from_seconds(max(term.nbf, term.iat)), from_seconds(term.exp)
    if ends - from_seconds(term.nbf) > SIGNED_REQUEST_LIFE:  # 4
        raise RequestObjectRefused("it lives at most 60 minutes")
    if not begins - SIGNED_REQUEST_LEEWAY <= now < ends:
        raise RequestObjectRefused("outside its term")
    return Opened({name: _parameter(value) for name, value in _asked(members)}, term.jti)  # 5


def _asked(members: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [pair for pair in members.items() if pair[0] not in _Term.__struct_fields__]


def _parameter(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RequestObjectRefused("a member is neither a text nor a whole number")


def _is_signed_by(token: jose.UnverifiedJWS, public: dict[str, Any]) -> bool:
    try:
        jose.verify_signature(token, jwk.load_jwk(public), algs=_ALGS)
    except InkanError:
        return False
    return True
