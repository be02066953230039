"""A place for the journeys of the online window: its pages on a port of their own, and a card agent beside the browser."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Locator

from counter.online_hands import MadeCard
from inkan.composition.routes import PAGED
from inkan.counter.pages import online
from inkan.kernel.sensitive import Secret
from inkan.pki import CertificateState, Showing
from inkan.pki import pages as pki_pages
from inkan.store.connect import database as database_of
from inkan.web.app import Equipment, Site, build_app
from inkan.web.server import Server
from inkan.web.templates import Templates
from journeys.online_agent import ADDRESS, SECRET, StandInAgent
from support.browser import Chromium, Look, Window, within
from support.card_in_process import ReaderInProcess
from support.clock import StandingClock
from support.inline_workers import InlineWorkers
from support.ports import free_port
from support.world import World, world_on

REVOKE = "Sign with the card and revoke"


@dataclass
class Place:
    """The pages of an instance on a port of their own, and a card agent beside the browser."""

    origin: str
    world: World
    agent: StandInAgent = field(default_factory=lambda: StandInAgent(ReaderInProcess()))

    async def open(self, chromium: Chromium, look: Look | None = None) -> Window:
        """A window whose agent was paired before."""
        window = await chromium.open(look)
        await within(window.context.route(f"{ADDRESS}/v1", self.agent.serve))
        script = f"if (!sessionStorage.getItem('kept')) sessionStorage.setItem('inkan-card-agent', '{SECRET}');"
        await within(window.context.add_init_script(script))
        return window

    async def state(self, card: MadeCard, key: str = "signature") -> CertificateState:
        issued = card.certificates[key]
        found = await self.world.platform.pki.find_by_serial(issued.authority, issued.serial)
        assert found is not None
        return found.state


@asynccontextmanager
async def online_place(url: str, clock: StandingClock, folder: Path) -> AsyncIterator[Place]:
    db = database_of(url, clock=clock)
    await db.open()
    port = free_port()
    origin = f"http://id.localhost:{port}"
    async with world_on(db, clock, folder) as world:
        showing = Showing(pki=world.platform.pki, workers=InlineWorkers())
        groups = [
            *pki_pages.routes(showing),
            *online.routes(
                world.platform.counter,
                showing,
                certificate_facts=pki_pages.certificate_facts,
                agent_address=ADDRESS,
            ),
        ]
        site = Site(name="Inkan", origin=origin, groups=groups, foot=online.FOOT)
        folders = {each.__name__.split(".")[-1]: Path(str(each.__file__)).parent for each in PAGED}
        equipment = Equipment(clock=clock, csrf_key=Secret(b"c" * 32), templates=Templates(folders))
        async with Server(build_app([site], equipment), port=port).running(grace_s=1):
            yield Place(origin, world)
    await db.close()


async def shoot(window: Window, name: str) -> None:
    """Keep a picture of the page where somebody asks for it (SHOTS names the folder)."""
    if folder := os.environ.get("SHOTS"):
        await within(window.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True))


def named(look: Look) -> str:
    return f"{look.language}-{'390' if look.is_phone else '1280'}-{'dark' if look.is_dark else 'light'}"


def told(window: Window, notice: str) -> Locator:
    return window.page.locator(f'[data-card-notice="{notice}"]').first


async def see_told(window: Window, notice: str) -> str:
    found = told(window, notice)
    await within(found.wait_for(state="visible"))
    return await within(found.inner_text())


async def ask_to_revoke(window: Window, place: Place, cause: str = "no_longer_needed") -> None:
    await window.go(f"{place.origin}/online/revoke")
    await within(window.page.locator(f"#cause-{cause}").check())
    await within(window.page.locator("#accepted").check())
    await window.press(REVOKE)
