"""``POST /bc-authorize`` (CIBA Core §7) and ``POST /device_authorization`` (RFC 8628 §3.1)."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from inkan.federation.api.authenticated import Authenticate
from inkan.federation.model.refusals import RequestRefused
from inkan.federation.service import OpenIDProvider
from inkan.kernel.errors import Category, InkanError
from inkan.relying_parties import Client
from inkan.web.exchange import Exchange
from inkan.web.input import check_media_type, decode_form
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, json_response, ok
from inkan.web.routes import Bare, Endpoint, ErrorRenderer, Group, Surface

BACKCHANNEL_PATH: Final = "/bc-authorize"
DEVICE_PATH: Final = "/device_authorization"
BODY_LIMIT: Final = 32 * 1024

_ACCESS: Final = open_to_all("the client authenticates itself in the body or by its certificate")
# By client. Quotas per person hold besides (design §5.4); this guards the process.
_CLIENT_LIMIT: Final = RateLimit(name="openid-requests", requests=600, window=timedelta(minutes=1))


def backchannel_routes(
    provider: OpenIDProvider, *, authenticate: Authenticate, errors: ErrorRenderer
) -> Group:
    """The group of both endpoints.

    Args:
        provider: answers.
        authenticate: proves clients.
        errors: tells refusals in OAuth's own language.
    """
    return Group(
        surface=Surface.API,
        bare={
            ("POST", BACKCHANNEL_PATH): _row(provider.backchannel.ask, authenticate, errors),
            ("POST", DEVICE_PATH): _row(provider.devices.ask, authenticate, errors),
        },
    )


def _row(
    ask: Callable[[Mapping[str, str], Client], Awaitable[Any]],
    authenticate: Authenticate,
    errors: ErrorRenderer,
) -> Bare:
    return Bare(
        endpoint=_endpoint(ask, authenticate),
        access=_ACCESS,
        body_limit=BODY_LIMIT,
        errors=_with_rate(errors),
    )


def _endpoint(
    ask: Callable[[Mapping[str, str], Client], Awaitable[Any]], authenticate: Authenticate
) -> Endpoint:
    async def endpoint(exchange: Exchange) -> Response:
        if exchange.scope.get("query_string"):
            # What stands in an address is logged on its way: a typed number must not (design §5.4).
            raise RequestRefused("parameters stand in the body")
        check_media_type(exchange.header("content-type"), "application/x-www-form-urlencoded")
        form = decode_form(await exchange.body(), dict[str, str], limit=BODY_LIMIT)
        client = await authenticate(exchange, form)
        now = exchange.site.clock.monotonic()
        exchange.site.rates.take(_CLIENT_LIMIT, client.system.id, now=now)
        return ok(await ask(form, client)).with_header("cache-control", "no-store")

    return endpoint


def _with_rate(errors: ErrorRenderer) -> ErrorRenderer:
    """As everywhere in OAuth, but 429 for a client that asks too often."""

    def render(error: InkanError, exchange: Exchange) -> Response:
        if error.category is not Category.TOO_MANY:
            return errors(error, exchange)
        body = {"error": "temporarily_unavailable", "error_description": error.title}
        response = json_response(HTTPStatus.TOO_MANY_REQUESTS, body)
        return response.with_header("cache-control", "no-store")

    return render
