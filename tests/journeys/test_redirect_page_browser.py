"""The platform's page in a real browser: three ways to the same phone, and back to who asked (TW-53 to TW-57)."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from inkan.client import AsyncTransport, CallRefused, Phone, RelyingParty, Session, begin_return
from inkan.client.exchange import Request
from inkan.demo.country import Country
from inkan.kernel.sensitive import Secret
from inkan.wire.binding import BindingLevel, Door
from journeys.test_tax_office_browser import _bound, shoot
from support.browser import Chromium, Look, Window, within
from support.founded import founded_country

pytestmark = pytest.mark.browser

# language: (scan, push, open, number, sent, opened, another way)
TEXTS = {
    "en": ("Get QR code", "Get push message", "Open app", "National ID number", "Push message sent"),
    "ja": ("QRコードを表示", "通知を受け取る", "アプリを開く", "身分証番号", "通知を送信しました"),
    "zh-TW": ("取得 QR 碼", "取得推播通知", "開啟 App", "身分證字號", "推播已送出"),
}  # fmt: skip
LOOKS = [
    Look(language="en", is_phone=False, is_dark=False),
    Look(language="en", is_phone=True, is_dark=True),
    Look(language="ja", is_phone=True, is_dark=False),
    Look(language="zh-TW", is_phone=False, is_dark=True),
    Look(language="zh-TW", width=360),
]
CHEN = "A234567893"


@dataclass
class Town:
    """The running country, a phone of 陳怡君, and the agency that asks by the platform's page."""

    country: Country
    phone: Phone
    agency: RelyingParty
    transport: AsyncTransport

    async def ask(self, **members: Any) -> tuple[Session, Secret[str], str]:
        return_to, verifier = begin_return(self.country.return_url)
        session = await self.agency.create_session(
            "identify",
            purpose="login",
            doors=[Door.REDIRECT],
            return_to=return_to,
            expires_in=600,
            **members,
        )
        assert session.doors.redirect is not None
        return session, verifier, session.doors.redirect.url

    async def scan(self, window: Window) -> None:
        """Hold a phone without a camera to the page's code until it is fresh enough."""
        cookies = await window.context.cookies()
        cookie = "; ".join(f"{each['name']}={each['value']}" for each in cookies)
        camera = Request(method="GET", url=f"{window.page.url}/camera", headers={"cookie": cookie})
        for _ in range(20):
            seen = await self.transport.send(camera)
            try:
                await self.phone.open_frame(seen.body.decode())
            except CallRefused as refused:
                if refused.problem_code != "qr_frame_stale":
                    raise
            else:
                return
        raise AssertionError("no frame was fresh")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        founded = await enter(founded_country(tmp_path / "country"))
        phone = await enter(await _bound(founded))
        agency = await enter(RelyingParty(founded.credentials, anchors=founded.anchors))
        yield Town(founded, phone, agency, await enter(AsyncTransport()))


async def at_the_office(town: Town, window: Window) -> None:
    """Stand in for the agency's own page."""
    await window.page.route(
        re.compile(r"/return\?"),
        lambda route: route.fulfill(
            status=200, content_type="text/html", body="<p>Welcome back</p>"
        ),
    )


async def test_the_three_ways_in_every_look(town: Town, chromium: Chromium) -> None:
    for look in LOOKS:
        width = look.options["viewport"]["width"]
        name = f"redirect-{look.language}-{width}-{'dark' if look.is_dark else 'light'}"
        scan, push, open_, number, sent = TEXTS[look.language]
        window = await chromium.open(look)
        _, _, page = await town.ask()
        assert await window.go(page) == 200
        await shoot(window, f"{name}-1-ways")
        await window.check_accessibility()
        await window.press(scan)
        await within(window.page.locator("#code").wait_for())
        await shoot(window, f"{name}-2-scan")
        await window.check_accessibility()
        await within(window.page.locator("summary").click())
        await window.press(open_)
        await shoot(window, f"{name}-3-open")
        await window.check_accessibility()
        _, _, page = await town.ask()
        await window.go(page)
        form = window.page.locator("form", has=window.page.get_by_role("button", name=push))
        await within(form.get_by_label(number).fill(CHEN))
        await window.press(push)
        await window.see(sent)
        await shoot(window, f"{name}-4-sent")
        await window.check_accessibility()


async def test_by_code_and_back(town: Town, chromium: Chromium) -> None:
    session, verifier, page = await town.ask()
    window = await chromium.open(Look())
    await at_the_office(town, window)
    await window.go(page)
    await window.press("Get QR code")
    await within(window.page.locator("#code").wait_for())
    await town.scan(window)
    await window.see("Opened on your phone")
    await shoot(window, "redirect-5-opened")
    office = re.compile(r"/return\?")
    async with window.page.expect_request(office) as led:
        await town.phone.approve()  # the page goes back by itself
    address = urlsplit((await within(led.value)).url)
    code = parse_qs(address.query)["return_code"][0]
    await window.see("Welcome back")
    seen = await session.redeem(verifier, return_code=code)
    assert seen.is_ok
    assert seen.binding is not None
    assert seen.binding.level == BindingLevel.NONE


async def test_by_message_typed_on_the_keyboard_alone(town: Town, chromium: Chromium) -> None:
    session, verifier, page = await town.ask(binding_min=BindingLevel.MATCHED)
    window = await chromium.open(Look())
    await at_the_office(town, window)
    await window.go(page)
    form = window.page.locator(
        "form", has=window.page.get_by_role("button", name="Get push message")
    )
    await within(form.get_by_label("National ID number").focus())
    await within(window.page.keyboard.type(CHEN))
    await within(window.page.keyboard.press("Enter"))
    await window.see("Push message sent")
    await town.country.instance.catch_up()
    code = "".join(filter(str.isdigit, await _code_of(window)))
    [waiting] = await town.phone.waiting()
    await town.phone.open_push(waiting.approval, code)
    office = re.compile(r"/return\?")
    async with window.page.expect_request(office) as led:
        await town.phone.approve()
    brought = parse_qs(urlsplit((await within(led.value)).url).query)
    seen = await session.redeem(verifier, return_code=brought["return_code"][0])
    assert seen.binding is not None
    assert seen.binding.level == BindingLevel.MATCHED


async def _code_of(window: Window) -> str:
    return (await within(window.page.locator(".code").first.text_content())) or ""


async def test_another_browser_and_a_cancelled_session(town: Town, chromium: Chromium) -> None:
    session, _, page = await town.ask()
    window, stranger = await chromium.open(Look()), await chromium.open(Look(is_phone=True))
    await at_the_office(town, window)
    await window.go(page)
    await window.press("Get QR code")
    await within(window.page.locator("#code").wait_for())
    await stranger.go(page)
    await stranger.see("Begun in another browser")
    await shoot(stranger, "redirect-6-elsewhere")
    await stranger.check_accessibility()
    await window.press("Cancel and go back")
    await window.see("Welcome back")
    await session.refresh()
    assert session.view.state == "cancelled"


async def test_without_script_the_page_still_leads_to_the_end(
    town: Town, chromium: Chromium
) -> None:
    session, _, page = await town.ask()
    window = await chromium.open(Look(javascript=False))
    await window.go(page)
    await window.press("Get QR code")
    await within(window.page.locator("#code").wait_for())
    await town.scan(window)
    await town.phone.refuse()
    await window.see("It ended without an answer")
    await shoot(window, "redirect-7-ended")
    await session.refresh()
    assert session.view.reason == "user_refused"
