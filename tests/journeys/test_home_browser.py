"""A person's login and home in a real browser: the code, the phone's answer, and the use just made on the page."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkan.client import AsyncTransport, CallRefused, Phone
from inkan.client.exchange import Request
from inkan.demo.country import Country
from inkan.notices import NewsTexts
from journeys.test_tax_office_browser import _bound, shoot
from support.browser import Chromium, Look, Window, within
from support.founded import founded_country
from support.world import CLERK

pytestmark = pytest.mark.browser

# language: (to the home, show the code, a heading of the home, the use just made, log out)
TEXTS = {
    "en": ("To my home", "Show the code", "My phones", "Log in to your home at Inkan", "Log out"),
    "ja": (
        "マイページへ",
        "コードを表示",
        "登録済みのスマートフォン",
        "Inkanのマイページへのログイン",
        "ログアウト",
    ),
    "zh-TW": ("前往個人專區", "顯示條碼", "我的手機", "登入您的Inkan個人專區", "登出"),
}
LOOKS = [
    Look(language="en", is_phone=False, is_dark=False),
    Look(language="en", is_phone=True, is_dark=True),
    Look(language="ja", is_phone=True, is_dark=False),
    Look(language="ja", is_phone=False, is_dark=True),
    Look(language="zh-TW", is_phone=True, is_dark=True),
    Look(language="zh-TW", width=360),
]


@dataclass
class Town:
    """The running country, a phone of 陳怡君 without a camera, and what carries its looks at the screen."""

    country: Country
    phone: Phone
    transport: AsyncTransport

    @property
    def origin(self) -> str:
        return self.country.platform_origin

    async def scan(self, window: Window) -> None:
        """Hold the phone to the screen until a code is fresh enough: a scanner goes on after a stale one."""
        address = (await within(window.page.locator("details code").first.text_content())) or ""
        camera = Request(method="GET", url=address.split()[-1], headers={})
        async with asyncio.timeout(20):
            while True:
                seen = await self.transport.send(camera)
                assert seen.status == 200
                try:
                    await self.phone.open_frame(seen.body.decode())
                except CallRefused as refused:
                    if refused.problem_code != "qr_frame_stale":
                        raise
                else:
                    return


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        founded = await enter(founded_country(tmp_path / "country"))
        phone = await enter(await _bound(founded))
        yield Town(founded, phone, await enter(AsyncTransport()))


async def begin(town: Town, window: Window, *, language: str = "en") -> None:
    """From the start page to the code."""
    to_home, show, *_ = TEXTS[language]
    assert await window.go(town.origin) == 200
    await window.press(to_home, role="link")
    await window.press(show)
    await within(window.page.locator("#code").wait_for())


async def log_in(town: Town, window: Window, *, language: str = "en") -> None:
    await begin(town, window, language=language)
    await town.scan(window)
    await town.phone.approve()
    await window.see(TEXTS[language][2])


async def test_the_way_home_in_every_look(town: Town, chromium: Chromium) -> None:
    text = NewsTexts(
        en="Counters are closed on 10 October",
        ja="10月10日は窓口業務を休みます",
        zh_hant="10月10日各發證窗口暫停服務",
    )
    platform = town.country.instance.platform
    await platform.notices.publish_news(text, text, actor=CLERK)
    for look in LOOKS:
        window = await chromium.open(look)
        width = look.options["viewport"]["width"]
        name = f"{look.language}-{width}-{'dark' if look.is_dark else 'light'}"
        to_home, show, phones, use, log_out = TEXTS[look.language]
        await window.go(town.origin)
        await shoot(window, f"{name}-1-start")
        await window.check_accessibility()
        await window.press(to_home, role="link")
        await within(window.page.get_by_role("button", name=show).wait_for())
        await shoot(window, f"{name}-2-login")
        await window.check_accessibility()
        await window.press(show)
        await within(window.page.locator("#code").wait_for())
        await shoot(window, f"{name}-3-code")
        await window.check_accessibility()
        await town.scan(window)
        await town.phone.approve()
        await window.see(phones)
        await window.see(use)
        await shoot(window, f"{name}-4-home")
        await window.check_accessibility()
        for number, path in ((5, "/my/records"), (6, "/my/notices")):
            await window.go(town.origin + path)
            await shoot(window, f"{name}-{number}")
            await window.check_accessibility()
        await window.go(f"{town.origin}/my")
        await window.press(log_out)
        await within(window.page.get_by_role("link", name=to_home).wait_for())


async def test_a_refusal_logs_nobody_in(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True))
    await begin(town, window)
    await town.scan(window)
    await window.see("Opened on your phone")
    await shoot(window, "opened")
    await window.check_accessibility()
    await town.phone.refuse()
    await window.see("Nobody was logged in.")
    await shoot(window, "refused")
    await window.check_accessibility()
    await window.go(f"{town.origin}/my")
    await window.see("Show the code")


async def test_the_code_changes_every_second(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    await begin(town, window)
    ask = "fetch('/login/picture').then(answer => answer.text())"
    shown, served = set(), set()
    async with asyncio.timeout(10):
        while min(len(shown), len(served)) < 3:
            shown.add(await window.evaluate("document.getElementById('code').src"))
            served.add(await window.evaluate(ask))
    assert all("<svg" in each for each in served)
    assert await window.evaluate("document.getElementById('code').naturalWidth > 0")


async def test_it_works_without_javascript(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(javascript=False))
    await begin(town, window)
    await town.scan(window)
    await window.see("Opened on your phone")
    await town.phone.approve()
    await window.see("Your phone has answered")
    await shoot(window, "answered")
    await window.press("Log in")
    await window.see("My phones")


async def test_it_works_by_keyboard_alone(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    await window.go(f"{town.origin}/login")
    button = window.page.get_by_role("button", name="Show the code")
    await within(button.focus())
    await within(window.page.keyboard.press("Enter"))
    await within(window.page.locator("#code").wait_for())
    await town.scan(window)
    await town.phone.approve()
    await window.see("My phones")
    await within(window.page.get_by_role("button", name="Log out").focus())
    await within(window.page.keyboard.press("Enter"))
    await window.see("To my home")


async def test_another_browser_stays_outside(town: Town, chromium: Chromium) -> None:
    window, stranger = await chromium.open(), await chromium.open()
    await begin(town, window)
    await begin(town, stranger)
    await town.scan(window)
    await town.phone.approve()
    await window.see("My phones")
    await within(stranger.page.locator("#code").wait_for())
    await stranger.go(f"{town.origin}/my")
    await stranger.see("Show the code")
