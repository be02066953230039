"""Signed request objects (RFC 9101), verified with the registered keys of the client; nothing is ever fetched.

Numbered plan:

1. a compact JWS of the type, signed with ES256 or PS256 by a registered key (never ``none``, never a secret);
2. ``iss`` and ``client_id`` are the client, ``aud`` is the issuer;
3. in its term: ``exp`` always, ``nbf`` for FAPI, an hour at most;
4. no request inside of the request (§4); the parameters are its members and nothing from outside (§6.3).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from inkan.crypto import jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.federation.model.refusals import RequestObjectRefused, RequestRefused
from inkan.federation.service.parameters import Parameters, parameters_of
from inkan.kernel.clock import from_seconds
from inkan.kernel.errors import InkanError
from inkan.relying_parties import System

OBJECT_LIFE: Final = timedelta(minutes=60)
"""FAPI 2.0 Message Signing §5.3.1: nbf no longer ago, exp no farther from it."""
LEEWAY: Final = timedelta(seconds=10)
LIMIT: Final = 16_384
TYPS: Final = frozenset({"oauth-authz-req+jwt", "JWT", None})
"""RFC 9101 §10.8 has the type of its own; clients of OIDC Core §6.1 write ``JWT`` or nothing."""
ALGORITHMS: Final = (Algorithm.ES256, Algorithm.PS256)
_LAST_SECOND: Final = 253_402_300_799


class _Claims(msgspec.Struct, frozen=True):
    iss: str
    aud: str | list[str]
    exp: int
    client_id: str
    nbf: int | None = None
    request: str | None = None
    request_uri: str | None = None


def read_request_object(
    text: str, system: System, keys: Sequence[dict[str, Any]], *, issuer: str, now: datetime
) -> Parameters:
    """The parameters that a request object holds.

    Args:
        text: the value of ``request``.
        system: the client, by the ``client_id`` beside it.
        keys: its registered JWKs.
        issuer: of this provider.
        now: true time.

    Raises:
        RequestObjectRefused: at the first step of the plan that does not hold.
    """
    try:
        token = jose.parse_compact(text, typ=TYPS, optional=("kid",), limit=LIMIT)  # 1
        members = jose.parse_object(token.payload)
        claims = msgspec.convert(members, _Claims)
    except (InkanError, msgspec.ValidationError) as wrong:
        raise RequestObjectRefused(str(wrong)) from None
    if not any(_is_signed_by(token, key) for key in keys):
        raise RequestObjectRefused("no registered key signed it")
    if (claims.iss, claims.client_id) != (system.code, system.code):  # 2
        raise RequestObjectRefused("iss or client_id")
    if claims.aud not in (issuer, [issuer]):
        raise RequestObjectRefused("aud")
    _verify_term(claims, is_fapi=system.openid is not None and system.openid.is_fapi, now=now)  # 3
    if claims.request is not None or claims.request_uri is not None:  # 4
        raise RequestObjectRefused("a request inside of a request object")
    try:
        return parameters_of(members)
    except RequestRefused as wrong:
        raise RequestObjectRefused(str(wrong)) from None


def _verify_term(claims: _Claims, *, is_fapi: bool, now: datetime) -> None:
    if not 0 <= claims.exp <= _LAST_SECOND or not 0 <= (claims.nbf or 0) <= _LAST_SECOND:
        raise RequestObjectRefused("exp or nbf is no date")
    ends = from_seconds(claims.exp)
    if ends <= now - LEEWAY:
        raise RequestObjectRefused("expired")
    if claims.nbf is None:
        if is_fapi:
            raise RequestObjectRefused("nbf is missing")
        begins = now
    else:
        begins = from_seconds(claims.nbf)
    if begins > now + LEEWAY or begins < now - OBJECT_LIFE - LEEWAY:
        raise RequestObjectRefused("nbf")
    if ends - begins > OBJECT_LIFE:
        raise RequestObjectRefused("it lives longer than an hour")


def _is_signed_by(token: jose.UnverifiedJWS, public: dict[str, Any]) -> bool:
    try:
        jose.verify_signature(token, jwk.load_jwk(public), algs=ALGORITHMS)
    except InkanError:
        return False
    return True
