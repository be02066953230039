"""``POST /par``: pushed authorization requests (RFC 9126)."""

from datetime import timedelta
from http import HTTPStatus
from typing import Final

from inkan.federation.api.authenticated import Authenticate, Prove
from inkan.federation.service import OpenIDProvider
from inkan.federation.service.parameters import read_parameters
from inkan.web.exchange import Exchange
from inkan.web.input import check_media_type
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, json_response
from inkan.web.routes import Bare, ErrorRenderer, Group, Operation, Surface

PATH: Final = "/par"
BODY_LIMIT: Final = 32_768
_LIMIT: Final = RateLimit(name="pushed-requests", requests=6_000, window=timedelta(minutes=1))


def pushing_routes(
    provider: OpenIDProvider, *, authenticate: Authenticate, prove: Prove, errors: ErrorRenderer
) -> Group:
    """The group of the endpoint for pushed requests; ``errors`` speaks OAuth (RFC 6749 §5.2)."""

    async def push(exchange: Exchange) -> Response:
        check_media_type(exchange.header("content-type"), "application/x-www-form-urlencoded")
        parameters = read_parameters(await exchange.body())
        client = await authenticate(exchange, parameters.values)
        # RFC 9449 §10.1: a proof at this endpoint binds the code to its key.
        proved = prove(client, exchange.header("dpop"), url=exchange.url)
        pushed = await provider.authorization.push(client.code, parameters, jkt=proved.jkt)
        answer = json_response(HTTPStatus.CREATED, pushed)
        return answer.with_header("cache-control", "no-store")

    return Group(
        surface=Surface.API,
        limit=_LIMIT,
        bare={
            ("POST", PATH): Bare(
                endpoint=push,
                access=open_to_all("the client authenticates in the request (RFC 9126 §2)"),
                body_limit=BODY_LIMIT,
                errors=errors,
                operation=Operation(
                    name="push_request", summary="Push an authorization request (RFC 9126)"
                ),
            )
        },
    )
