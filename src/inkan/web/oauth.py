"""Refusals of OAuth endpoints in OAuth's own language (RFC 6749 §5.2)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from inkan.kernel.errors import Category, InkanError
from inkan.web.exchange import Exchange
from inkan.web.request import HeaderRepeated
from inkan.web.response import Response, json_response
from inkan.wire.oauth import OAuthError

CHALLENGE: Final = 'DPoP algs="ES256"'
BASIC_CHALLENGE: Final = 'Basic realm="token", charset="UTF-8"'
_STATUS: Final[Mapping[Category, HTTPStatus]] = {
    **dict.fromkeys(Category, HTTPStatus.BAD_REQUEST),
    Category.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Category.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


def oauth_error(error: InkanError, exchange: Exchange) -> Response:
    """RFC 6749 §5.2: 401 with a challenge for a failed client, 400 for the rest, 503 for what is ours.

    A client that tried ``Authorization: Basic`` is challenged for that scheme (RFC 6749 §5.2 invalid_client). A
    refusal that hands out a nonce has it in ``DPoP-Nonce`` (RFC 9449 §8).
    """
    status = _STATUS[error.category]
    name = "temporarily_unavailable" if status == HTTPStatus.SERVICE_UNAVAILABLE else _name(error)
    response = json_response(status, {"error": name, "error_description": error.title})
    response.with_header("cache-control", "no-store")
    nonce = error.facts.get("dpop_nonce")
    if nonce is not None:
        response.with_header("dpop-nonce", nonce)
    if status == HTTPStatus.UNAUTHORIZED:
        response.with_header("www-authenticate", _challenge(exchange))
    return response


def _name(error: InkanError) -> str:
    return error.error if isinstance(error, OAuthError) else OAuthError.error


def _challenge(exchange: Exchange) -> str:
    try:
        authorization = exchange.header("authorization") or ""
    except HeaderRepeated:
        return CHALLENGE
    scheme = authorization.partition(" ")[0].lower()
    return BASIC_CHALLENGE if scheme == "basic" else CHALLENGE
