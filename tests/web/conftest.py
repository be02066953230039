"""A small platform: two sites, built from whatever groups a test brings."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.routes import Group
from inkan.web.server import Limits, Server
from inkan.web.templates import Templates
from support.asgi import Client
from support.clock import StandingClock
from web.shelf import PERMISSIONS, Shelf, api, pages
from web.sites import ORIGIN, WALLET, Build, ClientOf
from web.wires import Gate

CSRF_KEY = Secret(b"k" * 32)


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The toolkit's own pages; building them once saves a tenth of a second a test."""
    return Templates()


@pytest.fixture
def build(clock: StandingClock, templates: Templates) -> Build:
    """An application of the platform's and the wallet's site; keywords go into the equipment and sites."""

    def build_it(
        *groups: Group,
        wallet: Sequence[Group] = (),
        origin: str = ORIGIN,
        lifespan: Sequence[Any] = (),
        documents: Sequence[Any] = (),
        menu: Any = (),
        packages: dict[str, Path] | None = None,
        **equipment: Any,
    ) -> Application:
        sites = [
            Site(name="Inkan", origin=origin, groups=groups, documents=documents, menu=menu),
            Site(name="Wallet", origin=WALLET, groups=wallet),
        ]
        pages = Templates(packages) if packages else templates
        kit = Equipment(clock=clock, csrf_key=CSRF_KEY, **{"templates": pages, **equipment})
        return build_app(sites, kit, lifespan=lifespan)

    return build_it


@pytest.fixture
def client(build: Build) -> ClientOf:
    """A client of the platform's site of an application made of these groups."""

    def client_of(*groups: Group, origin: str = ORIGIN, **options: Any) -> Client:
        return Client(build(*groups, origin=origin, **options), origin)

    return client_of


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def site(client: ClientOf, shelf: Shelf) -> Client:
    return client(api(shelf), pages(shelf), permissions=PERMISSIONS)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def serving(build: Build, gate: Gate) -> Callable[..., Any]:
    @asynccontextmanager
    async def serve(
        limits: Limits | None = None, *, groups: Sequence[Group] = (), **options: Any
    ) -> AsyncIterator[Server]:
        application = build(gate.group(), *groups, origin="http://id.localhost:8480")
        async with Server(application, limits=limits).running(**options) as server:
            yield server

    return serve
