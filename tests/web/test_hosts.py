"""Several applications on one listener, each for its own hosts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.exchange import Exchange
from inkan.web.hosts import Hosts, authorities
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.templates import Templates
from support.asgi import Client
from support.clock import StandingClock

ID, TAX = "http://id.localhost:8480", "http://taxoffice.localhost:8480"


def application(origin: str, templates: Templates, seen: list[str]) -> Application:
    async def name(exchange: Exchange) -> Response:
        return ok(exchange.site.origin)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        seen.append(f"+{origin}")
        yield
        seen.append(f"-{origin}")

    bare = {("GET", "/"): Bare(endpoint=name, access=open_to_all("a test"))}
    site = Site(name="x", origin=origin, groups=[Group(surface=Surface.API, bare=bare)])
    kit = Equipment(clock=StandingClock(), csrf_key=Secret(b"k" * 32), templates=templates)
    return build_app([site], kit, lifespan=[running])


async def test_each_host_reaches_its_own_application(templates: Templates) -> None:
    seen: list[str] = []
    hosts = Hosts([application(origin, templates, seen) for origin in (ID, TAX)])
    assert hosts.authorities == {"id.localhost:8480", "taxoffice.localhost:8480"}
    for origin in (ID, TAX):
        assert (await Client(hosts, origin).get("/")).json() == origin
    assert (await Client(hosts, "http://other.localhost:8480").get("/")).status == 421
    async with hosts.running():
        assert seen == [f"+{ID}", f"+{TAX}"]
    assert seen[2:] == [f"-{TAX}", f"-{ID}"]


async def test_they_speak_the_lifespan_together(templates: Templates) -> None:
    seen: list[str] = []
    sent: list[Any] = []
    hosts = Hosts([application(origin, templates, seen) for origin in (ID, TAX)])

    async def receive() -> dict[str, Any]:
        return {}

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await hosts({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert len(seen) == 4


async def test_closing_reaches_all(templates: Templates) -> None:
    applications = [application(origin, templates, []) for origin in (ID, TAX)]
    Hosts(applications).begin_closing()
    assert all(app._nowhere.closing.is_set() for app in applications)


def test_a_host_belongs_to_one_application(templates: Templates) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        Hosts([application(ID, templates, []), application(ID, templates, [])])
    with pytest.raises(ValueError, match="exactly one"):
        Hosts([])


@pytest.mark.parametrize(
    ("origin", "names"),
    [
        ("https://id.example", {"id.example", "id.example:443"}),
        ("http://id.example", {"id.example", "id.example:80"}),
        ("http://id.localhost:8480", {"id.localhost:8480"}),
        ("https://id.example:8443", {"id.example:8443"}),
    ],
)
def test_an_origin_has_its_spellings(origin: str, names: set[str]) -> None:
    assert set(authorities(origin)) == names
