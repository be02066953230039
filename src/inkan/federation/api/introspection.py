"""``POST /introspect`` (RFC 7662, RFC 9701) and ``POST /revoke`` (RFC 7009) for authenticated clients."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from inkan.federation.api.authenticated import Authenticate
from inkan.federation.service import Tokens
from inkan.relying_parties import Client
from inkan.web.exchange import Exchange
from inkan.web.input import check_media_type, decode_form
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, ErrorRenderer, Group, Surface

SIGNED_TYPE: Final = "application/token-introspection+jwt"
_FORM: Final = "application/x-www-form-urlencoded"
_LIMIT: Final = 16 * 1024
"""Bytes: a token and a client assertion."""


def introspection_routes(
    tokens: Tokens, *, authenticate: Authenticate, errors: ErrorRenderer
) -> Group:
    """Both endpoints.

    Args:
        tokens: the service.
        authenticate: as at the token endpoint (RFC 7662 §2.1, RFC 7009 §2.1).
        errors: renders RFC 6749 §5.2.
    """

    async def read(exchange: Exchange) -> tuple[Client, Mapping[str, str]]:
        check_media_type(exchange.header("content-type"), _FORM)
        form = decode_form(await exchange.body(), dict[str, str])
        return await authenticate(exchange, form), form

    async def introspect(exchange: Exchange) -> Response:
        client, form = await read(exchange)
        if SIGNED_TYPE in _accepted(exchange):
            signed = await tokens.introspecting.introspect_signed(client.system, form)
            return Response(HTTPStatus.OK, signed.encode("ascii"), media_type=SIGNED_TYPE)
        return ok(await tokens.introspecting.introspect(client.system, form))

    async def revoke(exchange: Exchange) -> Response:
        client, form = await read(exchange)
        await tokens.introspecting.revoke(client.system, form)
        return Response(HTTPStatus.OK)

    access = open_to_all("the client authenticates in the request")
    return Group(
        surface=Surface.API,
        bare={
            ("POST", path): Bare(endpoint=endpoint, access=access, body_limit=_LIMIT, errors=errors)
            for path, endpoint in (("/introspect", introspect), ("/revoke", revoke))
        },
    )


def _accepted(exchange: Exchange) -> set[str]:
    """The media types that the sender names; what it merely tolerates is not asked for (RFC 9701 §4)."""
    accept = exchange.header("accept") or ""
    return {each.partition(";")[0].strip().lower() for each in accept.split(",")}
