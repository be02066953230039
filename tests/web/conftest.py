"""A small platform: two sites, built from whatever groups a test brings."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.routes import Group
from inkan.web.templates import Templates
from support.asgi import Client
from support.clock import StandingClock

ORIGIN = "https://id.example"
WALLET = "https://wallet.example"
CSRF_KEY = Secret(b"k" * 32)
Build = Callable[..., Application]


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
def client(build: Build) -> Callable[..., Client]:
    """A client of the platform's site of an application made of these groups."""

    def client_of(*groups: Group, origin: str = ORIGIN, **options: Any) -> Client:
        return Client(build(*groups, origin=origin, **options), origin)

    return client_of
