"""The reading room's web application. It knows an issuer URL, its own client id and secret, nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from inkan.apps.showcase.reading_room.pages import GOODBYE_PATH, ROOM_PATH, Room
from inkan.apps.showcase.reading_room.provider import Provider, Registration
from inkan.apps.showcase.reading_room.visits import Visits
from inkan.client import AsyncTransport
from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.principal import open_to_all
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.web.templates import Templates

HERE: Final = Path(__file__).parent
RETURN_PATH: Final = "/return"
BACKCHANNEL_PATH: Final = "/backchannel-logout"
_ANYBODY: Final = open_to_all(
    "a public page of the showcase library; the visit's cookie binds the rest"
)
_SIGNED: Final = open_to_all("logout tokens carry the provider's signature")
_LOGOUT_LIMIT: Final = 16 * 1024


def reading_room(*, origin: str, registration: Registration, clock: Clock) -> Application:
    """The application of the room under its own origin.

    Args:
        origin: ``http://library.localhost:8484``; its host is the domain that the library registered.
        registration: with the provider.
        clock: true time.
    """
    transport = AsyncTransport()
    provider = Provider(registration, transport=transport, clock=clock)
    room = Room(Visits(provider, clock=clock))

    @asynccontextmanager
    async def client() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await transport.aclose()

    equipment = Equipment(
        clock=clock,
        csrf_key=Secret(random_bytes(32)),
        templates=Templates({"reading_room": HERE}),
    )
    site = Site(name="測試圖書館", origin=origin, groups=[_pages(room), _programs(room)])
    return build_app([site], equipment, lifespan=[client])


def _pages(room: Room) -> Group:
    places: dict[tuple[str, str], Endpoint] = {
        ("GET", "/"): room.first_page,
        ("POST", "/"): room.log_in,
        ("GET", RETURN_PATH): room.come_back,
        ("GET", ROOM_PATH): room.room,
        ("POST", "/logout"): room.log_out,
        ("GET", GOODBYE_PATH): room.goodbye,
    }
    rows = {place: Bare(endpoint=each, access=_ANYBODY) for place, each in places.items()}
    return Group(surface=Surface.PAGES, bare=rows)


def _programs(room: Room) -> Group:
    row = Bare(endpoint=room.back_channel, access=_SIGNED, body_limit=_LOGOUT_LIMIT)
    return Group(surface=Surface.API, bare={("POST", BACKCHANNEL_PATH): row})
