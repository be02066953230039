"""The sandbox's page in a real browser: a developer makes a phone, scans, answers; with and without JavaScript."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from inkan.client import RelyingParty
from inkan.composition.settings import Origins
from inkan.store.connect import database as database_of
from inkan.web.server import Server
from journeys.test_tax_office_browser import shoot
from sandbox.homes import sandbox_settings
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.ports import free_port
from support.world import World, world_on

pytestmark = pytest.mark.browser

# language: (continue, make, scan, approve, move the clock)
TEXTS = {
    "en": ("Continue", "Make it", "Scan", "Approve", "Move the clock forward"),
    "ja": ("進む", "作る", "読み取る", "承認する", "時計を進める"),
    "zh-TW": ("繼續", "建立", "掃描", "同意", "快轉時鐘"),
}
LOOKS = [
    Look(language="en"),
    Look(language="en", is_phone=True, is_dark=True),
    Look(language="ja", is_phone=True),
    Look(language="zh-TW", is_dark=True),
    Look(language="zh-TW", width=360, javascript=False),
]


@dataclass
class Place:
    """A served sandbox and a relying party's program beside it."""

    origin: str
    world: World
    agency: RelyingParty


@pytest.fixture
async def place(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Place]:
    port = free_port()
    origin = f"http://sandbox.localhost:{port}"
    origins = Origins(platform=origin, wallet=f"http://wallet.localhost:{port}")
    settings = msgspec.structs.replace(sandbox_settings(tmp_path), origins=origins)
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(world_on(db, clock, tmp_path, settings=settings))
        server = Server(world.instance.application, port=port)
        await stack.enter_async_context(server.running(grace_s=1))
        await stack.enter_async_context(world.instance.listening(port=port))
        yield Place(origin, world, await world.agency())
    await db.close()


async def choose(window: Window, name: str, value: str) -> None:
    await within(window.page.locator(f"select[name={name}]").select_option(value))


async def test_the_page_in_every_look(place: Place, chromium: Chromium) -> None:
    for number, look in enumerate(LOOKS):
        enter, make, scan, approve, move = TEXTS[look.language]
        window = await chromium.open(look)
        name = f"sandbox-{look.language}-{look.options['viewport']['width']}-{number}"
        assert await window.go(f"{place.origin}/sandbox") == 200
        await shoot(window, f"{name}-1-enter")
        if look.javascript:
            await window.check_accessibility()
        await within(window.page.locator("#code").fill("tax-office"))
        await window.press(enter)
        await choose(window, "behaviour", "manual")
        await choose(window, "person", ("agrees", "refuses", "reports", "silent", "young")[number])
        await window.press(make)
        await within(window.page.locator("input[name=frame]").first.wait_for())
        session = await place.agency.create_session("identify", purpose="login")
        fields = window.page.locator("input[name=frame]")
        await within(fields.last.fill(session.frame()))
        await within(window.page.get_by_role("button", name=scan).last.click())
        await window.see("opened")
        await within(window.page.get_by_role("button", name=approve, exact=True).last.click())
        await window.see("approved")
        await session.refresh()
        assert session.view.outcome == "ok"
        await window.press(move)
        await shoot(window, f"{name}-2-home")
        if look.javascript:
            await window.check_accessibility()
