"""What may stand around endpoints: called for admitted requests to bare endpoints alone, and by default not there."""

from collections.abc import Awaitable, Callable

from inkan.web.exchange import Exchange
from inkan.web.response import Response
from support.asgi import Client
from web.shelf import PERMISSIONS, Shelf, api
from web.sites import ORIGIN, Build


async def test_it_stands_around_admitted_bare_endpoints(build: Build, shelf: Shelf) -> None:
    seen: list[str] = []

    async def around(
        exchange: Exchange, endpoint: Callable[[Exchange], Awaitable[Response]]
    ) -> Response:
        seen.append(exchange.route.template)
        return (await endpoint(exchange)).with_header("seen", "yes")

    application = build(api(shelf), permissions=PERMISSIONS, around=around)
    site = Client(application, ORIGIN)
    bare = [route for route in application.routes[ORIGIN] if route.endpoint is not None]
    assert bare
    assert (await site.post("/v1/known")).status == 401
    assert (await site.get("/no/such/thing")).status == 404
    await site.post("/v1/things", json={"name": "x"})  # the framework's
    assert seen == []
    reply = await site.get("/favicon.ico")
    assert (seen, reply.header("seen")) == (["/favicon.ico"], "yes")


async def test_by_default_there_is_nothing(build: Build, shelf: Shelf) -> None:
    application = build(api(shelf), permissions=PERMISSIONS)
    assert {each.surroundings.around for each in application._sites.values()} == {None}
