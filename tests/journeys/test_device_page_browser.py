"""The page ``/device`` in a real browser: from the device's letters to the phone's answer, in three languages."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from federation.backchannel import ClientCaller
from identification.callers import WebClient
from inkan.client import CallRefused, Phone
from inkan.store.connect import database as database_of
from inkan.web.server import Server
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.ports import free_port
from support.world import PLATFORM, World, world_on

pytestmark = pytest.mark.browser

# language: (field, go on, mine, get code, done)
TEXTS = {
    "en": ("Code on your device", "Go on", "It is my device", "Get QR code", "goes on by itself"),
    "ja": (
        "機器に表示されたコード",
        "続ける",
        "自分の機器です",
        "QRコードを表示",
        "自動的に先へ進みます",
    ),
    "zh-TW": ("裝置上的代碼", "繼續", "是我的裝置", "取得 QR 碼", "會自動繼續"),
}
LOOKS = [
    Look(language="en"),
    Look(language="ja", is_phone=True, is_dark=True),
    Look(language="zh-TW", width=360),
]


@dataclass
class Room:
    """A served instance, a phone, and a television."""

    world: World
    phone: Phone
    telly: ClientCaller
    port: int


@pytest.fixture
async def room(
    sqlite_url: str, clock: StandingClock, tmp_path: Path, chromium: Chromium
) -> AsyncIterator[Room]:
    async with AsyncExitStack() as stack:
        db = database_of(sqlite_url, clock=clock)
        await db.open()
        stack.push_async_callback(db.close)
        world = await stack.enter_async_context(world_on(db, clock, tmp_path))
        web = WebClient(world.instance.application)
        stack.push_async_callback(web.aclose)
        telly = await ClientCaller.registered(world, web, clock, "telly")
        phone = await world.bind("chen")
        port = free_port()
        await stack.enter_async_context(
            Server(world.instance.application, port=port).running(grace_s=1)
        )
        chromium.lead(PLATFORM, port)
        yield Room(world, phone, telly, port)
        await chromium.close()


async def scan(room: Room, window: Window) -> None:
    """Hold a phone without a camera to the page's code until it is fresh enough."""
    cookies = await within(window.context.cookies())
    lent = {each["name"]: each["value"] for each in cookies}
    path = window.page.url.removeprefix(PLATFORM)
    cookie = "; ".join(f"{name}={value}" for name, value in lent.items())
    for _ in range(20):
        seen: httpx.Response = await room.telly.web.get(
            f"{path}/camera", headers={"cookie": cookie}
        )
        try:
            await room.phone.open_frame(seen.text)
        except CallRefused as refused:
            if refused.problem_code != "qr_frame_stale":
                raise
        else:
            return
    raise AssertionError("no frame was fresh")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.language)
async def test_from_the_letters_to_the_answer(room: Room, chromium: Chromium, look: Look) -> None:
    label, go_on, mine, get_code, done = TEXTS[look.language]
    made = await room.telly.begun()
    window = await chromium.open(look)
    assert await window.go(f"{PLATFORM}/device") == 200
    await window.check_accessibility()
    await within(window.page.get_by_label(label).fill(made["user_code"].lower()))
    await window.press(go_on)
    await window.see("tax.example")
    await window.check_accessibility()
    await within(window.page.get_by_role("button", name=mine, exact=True).click())
    await window.press(get_code)
    await within(window.page.locator("#code").wait_for())
    await scan(room, window)
    await room.phone.approve()
    await window.see(done)
    assert window.page.url.startswith(f"{PLATFORM}/device/done?")
    await window.check_accessibility()
    assert (await room.telly.poll(made)).status_code == 200


async def test_a_wrong_code_and_a_strangers_code(room: Room, chromium: Chromium) -> None:
    window = await chromium.open(Look(language="en"))
    window.expect_complaint("404")
    await window.go(f"{PLATFORM}/device?user_code=BCDF-GHJK")
    await window.press("Go on")
    await window.see("No device shows this code now")
    await window.check_accessibility()
    made = await room.telly.begun()
    await window.go(made["verification_uri_complete"])
    await window.press("Go on")
    await window.press("It is not my device")
    await window.see("The device was not connected")
    await window.check_accessibility()
    assert (await room.telly.poll(made)).json()["error"] == "access_denied"
