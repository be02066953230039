"""What the provider publishes: the JWKS and its metadata, as bytes that were made before anybody asked."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from inkan.federation.rules import DISCOVERY_MAX_AGE_S, JWKS_MAX_AGE_S
from inkan.federation.service import Tokens
from inkan.federation.service.keys import Published
from inkan.kernel.clock import Clock
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.ready import ReadyAnswers, Repeatable
from inkan.web.response import Response
from inkan.web.routes import Bare, Endpoint, Group, Surface

_PUBLISHED: Final = open_to_all("published for everybody who checks a token")
_READY_FOR: Final = timedelta(seconds=60)
_JSON: Final = "application/json"
_JWKS: Final = "application/jwk-set+json"


def published_routes(tokens: Tokens, clock: Clock, *, certificates: bool) -> Group:
    """``/openid/jwks`` (RFC 7517 §8.5.2) and the two documents of the metadata (OIDC Discovery §4, RFC 8414 §3).

    Args:
        tokens: the service.
        clock: the instance's.
        certificates: whether the instance sees the certificates of its clients (RFC 8705).
    """
    metadata = tokens.metadata(certificates=certificates)
    ready = ReadyAnswers(clock)
    tokens.keys.on_change.append(ready.clear)

    def serve(
        find: Callable[[], Awaitable[Published]], media_type: str, max_age_s: int
    ) -> Endpoint:
        async def endpoint(exchange: Exchange) -> Response:
            generation = ready.generation
            found = await find()
            if _is_known(exchange, found.tag):
                response = Response(HTTPStatus.NOT_MODIFIED)
            else:
                response = Response(HTTPStatus.OK, found.body, media_type=media_type)
                until = clock.now() + _READY_FOR
                response.repeatable = Repeatable(ready, generation, until, max_age_s)
            caching = f"public, max-age={max_age_s}"
            return response.with_header("cache-control", caching).with_header("etag", found.tag)

        return endpoint

    async def find_metadata() -> Published:
        return metadata

    document = serve(find_metadata, _JSON, DISCOVERY_MAX_AGE_S)
    return Group(
        surface=Surface.PUBLIC,
        ready=ready,
        bare={
            ("GET", "/openid/jwks"): Bare(
                endpoint=serve(tokens.keys.jwks, _JWKS, JWKS_MAX_AGE_S), access=_PUBLISHED
            ),
            **{
                ("GET", f"/.well-known/{name}"): Bare(endpoint=document, access=_PUBLISHED)
                for name in ("openid-configuration", "oauth-authorization-server")
            },
        },
    )


def _is_known(exchange: Exchange, tag: str) -> bool:
    """Whether the sender has these bytes already (RFC 9110 §13.1.2)."""
    sent = exchange.header("if-none-match")
    if sent is None:
        return False
    return tag in {each.strip().removeprefix("W/") for each in sent.split(",")}
