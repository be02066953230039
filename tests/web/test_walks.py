"""The walks over every route find the headers and tokens, and find where they are missing."""

import pytest

from inkan.web import headers
from inkan.web.routes import Route
from support.walks import every_route, walk_csrf, walk_headers
from web.shelf import PERMISSIONS, Shelf, api, pages
from web.sites import ORIGIN, Build


@pytest.mark.parametrize("origin", [ORIGIN, "http://id.localhost:8480"])
async def test_every_answer_carries_the_headers(build: Build, origin: str) -> None:
    application = build(api(), pages(), origin=origin, permissions=PERMISSIONS)
    assert await walk_headers(application) > 20


async def test_every_unsafe_page_refuses_foreign_forms(build: Build, shelf: Shelf) -> None:
    assert await walk_csrf(build(api(), pages(shelf), permissions=PERMISSIONS)) == 1
    assert shelf.things == []


@pytest.mark.parametrize("weak", ["script-src", "default-src", "frame-ancestors"])
async def test_the_walk_finds_a_loosened_page(build: Build, weak: str) -> None:
    loose = headers.PAGES.allowing(weak, "'unsafe-inline'")
    with pytest.raises(AssertionError):
        await walk_headers(build(pages(policy=loose)))


async def test_the_walk_finds_a_page_that_takes_anything(build: Build) -> None:
    class Careless(Route):
        @property
        def checks_csrf(self) -> bool:
            return False

    application = build(pages())
    table = application._sites["id.example"].table
    for route in application.routes[ORIGIN]:
        if route.template == "/page" and route.method == "POST":
            facts = {name: getattr(route, name) for name in route.__slots__}
            table._exact["/page"]["POST"] = Careless(**facts)
    with pytest.raises(AssertionError, match="no headers, no token"):
        await walk_csrf(application)


def test_the_walks_see_every_route(build: Build) -> None:
    application = build(api(), pages(), permissions=PERMISSIONS)
    seen = {(route.method, route.template) for _, route in every_route(application)}
    assert {("POST", "/page"), ("DELETE", "/v1/bare/{name}"), ("GET", "/v1/things/{name}")} <= seen
