"""A library that speaks plain OpenID Connect, in a real browser: by each way of the platform's page, in and out again."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from inkan.client import AsyncTransport, RelyingParty
from inkan.demo.country import country
from inkan.demo.library import library_of, library_origin
from inkan.web.server import Server
from journeys.test_redirect_page_browser import Town as PlatformPage
from journeys.test_tax_office_browser import _bound, shoot
from support.browser import Chromium, Look, Window, within
from support.ports import free_port
from support.thrift import thrift

pytestmark = pytest.mark.browser

CHEN = "A234567893"
# language: (first page, its button, the code on the platform's page, inside, out)
TEXTS = {
    "en": ("Reading room", "Log in with your phone", "Get QR code", "You are logged in", "Log out", "Goodbye"),
    "ja": ("閲覧室", "スマートフォンでログイン", "QRコードを表示", "ログインしました", "ログアウト", "ログアウトしました"),
    "zh-TW": ("閱覽室", "用手機登入", "取得 QR 碼", "您已登入", "登出", "您已登出"),
}  # fmt: skip
LOOKS = [
    Look(language="en", is_phone=False, is_dark=False),
    Look(language="ja", is_phone=True, is_dark=True),
    Look(language="zh-TW", width=360),
]


@dataclass
class Town(PlatformPage):
    """The running country, its library, and a phone of 陳怡君 without a camera."""

    library: str

    async def begin(self, window: Window, language: str = "en") -> None:
        """Come to the library and press its one button; the browser is at the platform then."""
        first, button = TEXTS[language][:2]
        assert await window.go(self.library) == 200
        await window.see(first)
        await window.press(button)
        await within(window.page.wait_for_url(f"{self.country.platform_origin}/identify/**"))

    async def by_code(self, window: Window, language: str = "en") -> None:
        """Scan the platform's code and approve."""
        await self.begin(window, language)
        await window.press(TEXTS[language][2])
        await within(window.page.locator("#code").wait_for())
        await self.scan(window)
        await self.phone.approve()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        stack.enter_context(thrift())
        enter = stack.enter_async_context
        port = free_port(neighbours=4)
        founded = await enter(country(tmp_path / "country", port=port))
        await enter(Server(await library_of(founded), port=port + 4).running())
        phone = await enter(await _bound(founded))
        agency = await enter(RelyingParty(founded.credentials, anchors=founded.anchors))
        transport = await enter(AsyncTransport())
        yield Town(founded, phone, agency, transport, library_origin(port))


async def inside(town: Town, window: Window, language: str = "en") -> str:
    """Wait for the reader's place; returns the reader's number there."""
    await window.see(TEXTS[language][3])
    assert window.page.url == f"{town.library}/room"
    number: str = await within(window.page.locator("dl.facts dd").first.inner_text())
    return number


async def test_in_and_out_in_every_look(town: Town, chromium: Chromium) -> None:
    numbers = set()
    for look in LOOKS:
        language = look.language
        window = await chromium.open(look)
        await window.go(town.library)
        await shoot(window, f"reading-room-{language}-1-start")
        await window.check_accessibility()
        await town.by_code(window, language)
        numbers.add(await inside(town, window, language))
        await shoot(window, f"reading-room-{language}-2-room")
        await window.check_accessibility()
        await window.press(TEXTS[language][4])
        await window.see(TEXTS[language][5])
        assert urlsplit(window.page.url).path == "/goodbye"
        await shoot(window, f"reading-room-{language}-3-goodbye")
        await window.check_accessibility()
        await window.go(f"{town.library}/room")
        await window.see(TEXTS[language][0])
    assert len(numbers) == 1, "the same person is the same reader"


async def test_by_message(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    await town.begin(window)
    form = window.page.locator(
        "form", has=window.page.get_by_role("button", name="Get push message")
    )
    await within(form.get_by_label("National ID number").fill(CHEN))
    await window.press("Get push message")
    await window.see("Push message sent")
    digits = (await within(window.page.locator(".code").first.text_content())) or ""
    await town.country.instance.catch_up()
    [waiting] = await town.phone.waiting()
    assert waiting.domain == "library.localhost"
    await town.phone.open_push(waiting.approval, "".join(filter(str.isdigit, digits)))
    await town.phone.approve()
    await inside(town, window)


async def approved_on_this_phone(town: Town, window: Window) -> str:
    """Open the wallet by the page's button and approve; returns where the phone leads its browser."""
    await town.begin(window)
    await window.press("Open app")
    link = window.page.get_by_role("link", name="Open the wallet")
    opened = await town.phone.open_link((await within(link.get_attribute("href"))) or "")
    assert "library.localhost" in opened.text
    back = (await town.phone.approve()).return_url or ""
    assert back.startswith(f"{town.country.platform_origin}/authorize/return?")
    # The page hears of it and draws itself anew; whatever leads on before that would be interrupted by it.
    await window.see("Your phone has answered")
    return back


async def test_on_this_phone_and_back(town: Town, chromium: Chromium) -> None:
    window, stranger = await chromium.open(Look(is_phone=True)), await chromium.open()
    stranger.expect_complaint("404")
    back = await approved_on_this_phone(town, window)
    await window.go(back)
    await inside(town, window)
    assert await stranger.go(back) == 404
    await stranger.check_accessibility()


async def test_an_answer_that_another_browser_brings_is_nobodys(
    town: Town, chromium: Chromium
) -> None:
    window, stranger = await chromium.open(Look(is_phone=True)), await chromium.open()
    for each in (window, stranger):
        each.expect_complaint("40[34]")
    back = await approved_on_this_phone(town, window)
    assert await stranger.go(back) == 404
    await stranger.go(f"{town.library}/room")
    await stranger.see("Reading room")
    await window.go(back)
    await window.see("Nobody agreed on the phone")
    assert window.page.url.startswith(f"{town.library}/return?")


async def test_a_refusal_comes_back_as_one(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True, is_dark=True))
    window.expect_complaint("403")
    await town.begin(window)
    await window.press("Get QR code")
    await within(window.page.locator("#code").wait_for())
    await town.scan(window)
    await town.phone.refuse()
    await window.see("It ended without an answer")
    await window.press("Back to")
    await window.see("Nobody agreed on the phone")
    await shoot(window, "reading-room-refused")
    await window.check_accessibility()


async def test_going_back_is_no_login(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    window.expect_complaint("403")
    await town.begin(window)
    await window.press("Cancel and go back")
    await window.see("You are not logged in")
    await window.go(f"{town.library}/room")
    await window.see("Reading room")


async def test_it_works_without_javascript(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(javascript=False))
    await town.by_code(window)
    await window.press("Back to")
    await inside(town, window)


async def test_each_login_is_answered_anew(town: Town, chromium: Chromium) -> None:
    """No single sign-on hides an approval: the second login of the same browser asks the phone again."""
    window = await chromium.open()
    await town.by_code(window)
    await inside(town, window)
    await within(window.context.clear_cookies(domain="library.localhost"))
    await town.begin(window)
    await window.see("Choose the authentication mode")
