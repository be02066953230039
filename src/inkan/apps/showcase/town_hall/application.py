"""The town hall's web application: its own database, its own root, and the addresses where status is published."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from inkan.apps.showcase.town_hall.checks import Checks, Trusted
from inkan.apps.showcase.town_hall.filing import Filing
from inkan.apps.showcase.town_hall.pages import SEND_LIMIT, Hall
from inkan.apps.showcase.town_hall.status import StatusSource
from inkan.client import AsyncTransport
from inkan.kernel.clock import Clock
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.store import migrate
from inkan.store.connect import database
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.exchange import MenuItem
from inkan.web.input import BODY_LIMIT
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.web.templates import Templates

HERE: Final = Path(__file__).parent
MIGRATIONS: Final = HERE / "migrations"
_ANYBODY: Final = open_to_all(
    "a public page of the showcase town hall; the browser's cookie binds drafts and receipts"
)
# What is sent is verified, and asked for at other sites; whoever only looks pays the same for simplicity.
_LIMIT: Final = RateLimit(name="town-hall", requests=120, window=timedelta(minutes=1))
_MENU: Final = (MenuItem(text="Forms", path="/"), MenuItem(text="Filed forms", path="/filed"))


def town_hall(
    *,
    origin: str,
    store_url: str,
    trusted: Trusted,
    clock: Clock,
    agent: str = "",
    transport: AsyncTransport | None = None,
) -> Application:
    """Return the town hall under its own origin; its database is opened and upgraded when it starts.

    Args:
        origin: ``http://townhall.localhost:8485``; audience and origin of every form that is signed for it.
        store_url: of a database of its own.
        trusted: its own root and the way over the bridge.
        clock: true time.
        agent: origin of the loopback card agent, ``http://127.0.0.1:…``; empty where there is none.
        transport: by which lists and answers are fetched; its own when None.
    """
    own = transport or AsyncTransport()
    db = database(store_url, clock=clock)
    checks = Checks(trusted, StatusSource(own, origins=trusted.origins))
    filing = Filing(db, checks, origin=origin, clock=clock)
    templates = Templates({"town_hall": HERE})
    hall = Hall(filing, templates.languages, agent=agent)

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        await asyncio.to_thread(migrate.upgrade, store_url, folder=MIGRATIONS)
        await db.open()
        try:
            yield
        finally:
            await db.close()
            if transport is None:
                await own.aclose()

    equipment = Equipment(clock=clock, csrf_key=Secret(random_bytes(32)), templates=templates)
    site = Site(name="測試市公所", origin=origin, groups=[_pages(hall)], menu=_MENU)
    return build_app([site], equipment, lifespan=[running])


def _pages(hall: Hall) -> Group:
    places: dict[tuple[str, str], Endpoint] = {
        ("GET", "/"): hall.first_page,
        ("GET", "/forms/{form}"): hall.form_page,
        ("POST", "/forms/{form}"): hall.fill,
        ("GET", "/drafts/{draft}"): hall.draft_page,
        ("POST", "/drafts/{draft}"): hall.send,
        ("GET", "/filed"): hall.list_page,
        ("GET", "/filed/{number}"): hall.receipt_page,
        ("GET", "/filed/{number}/receipt"): hall.receipt,
        ("GET", "/filed/{number}/submission"): hall.submission,
    }
    limits = {("POST", "/drafts/{draft}"): SEND_LIMIT}
    rows = {
        place: Bare(endpoint=each, access=_ANYBODY, body_limit=limits.get(place, BODY_LIMIT))
        for place, each in places.items()
    }
    return Group(surface=Surface.PAGES, limit=_LIMIT, bare=rows)
