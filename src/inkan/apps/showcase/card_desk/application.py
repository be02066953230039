"""The card desk's web application. It knows the platform's URL and the cards that lie on the desk, nothing else."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from inkan.apps.showcase.card_desk.pages import Desk
from inkan.apps.showcase.card_desk.reader_pages import READER_PATH, ReaderPages
from inkan.apps.showcase.card_desk.signing import DeskCard, Signing
from inkan.client import AsyncTransport
from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.principal import open_to_all
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.web.templates import Templates

HERE: Final = Path(__file__).parent
_ANYBODY: Final = open_to_all("who sits at this device has the cards; PIN and digits are the proof")


def card_desk(
    *,
    origin: str,
    platform: str,
    cards: Sequence[DeskCard],
    clock: Clock,
    reader: ReaderPages | None = None,
) -> Application:
    """The application of the desk under its own origin.

    Args:
        origin: ``http://carddesk.localhost:8483``.
        platform: origin of the platform whose requests the cards sign; no other is ever asked.
        cards: what lies on the desk.
        clock: true time.
        reader: pages of a reader beside the cards, with the dialog of the programs that use it.
    """
    transport = AsyncTransport()
    desk = Desk(Signing(cards, platform=platform, transport=transport))

    @asynccontextmanager
    async def client() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await transport.aclose()

    equipment = Equipment(
        clock=clock,
        csrf_key=Secret(random_bytes(32)),
        templates=Templates({"card_desk": HERE}),
    )
    site = Site(
        name="讀卡機 · Card desk", origin=origin, groups=[_pages(desk), *_reader_pages(reader)]
    )
    return build_app([site], equipment, lifespan=[client])


def _pages(desk: Desk) -> Group:
    places: dict[tuple[str, str], Endpoint] = {
        ("GET", "/"): desk.first_page,
        ("POST", "/"): desk.take,
        ("GET", "/sign"): desk.sign_page,
        ("POST", "/sign"): desk.sign,
        ("POST", "/leave"): desk.leave,
    }
    rows = {place: Bare(endpoint=each, access=_ANYBODY) for place, each in places.items()}
    return Group(surface=Surface.PAGES, bare=rows)


def _reader_pages(reader: ReaderPages | None) -> list[Group]:
    if reader is None:
        return []
    places: dict[tuple[str, str], Endpoint] = {
        ("GET", READER_PATH): reader.page,
        ("POST", READER_PATH): reader.insert,
        ("GET", f"{READER_PATH}/state"): reader.state,
        ("POST", f"{READER_PATH}/answer"): reader.answer,
    }
    rows = {place: Bare(endpoint=each, access=_ANYBODY) for place, each in places.items()}
    return [Group(surface=Surface.PAGES, bare=rows)]
