"""Figures name routes, never paths."""

from collections.abc import Callable

from inkan.web.exchange import Exchange
from inkan.web.metrics import Metrics
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from support.asgi import Client


async def test_requests_are_counted_by_route_and_status(client: Callable[..., Client]) -> None:
    async def read(_: Exchange) -> Response:
        return ok(1)

    bare = {("GET", "/v1/things/{id}"): Bare(endpoint=read, access=open_to_all("a test"))}
    metrics = Metrics()
    site = client(Group(surface=Surface.API, bare=bare), metrics=metrics)
    await site.get("/v1/things/SECRET")
    await site.get("/v1/things/SECRET")
    await site.get("/SECRET")
    await site.request("SECRET", "/v1/things/a")
    text = metrics.text().decode()
    assert "SECRET" not in text
    expected = (
        'inkan_http_requests_total{method="GET",route="/v1/things/{id}",status="200"} 2.0',
        'inkan_http_requests_total{method="GET",route="(none)",status="404"} 1.0',
        'inkan_http_requests_total{method="other",route="(none)",status="405"} 1.0',
        'inkan_http_seconds_count{route="/v1/things/{id}"} 2.0',
    )
    for line in expected:
        assert line in text
