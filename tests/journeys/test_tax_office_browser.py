"""The main job in a real browser: the agency's page shows the rotating code, a phone answers, the page says so."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkan.apps.showcase.tax_office import tax_office
from inkan.client import AsyncTransport, EnrolmentClient, Phone
from inkan.client.exchange import Request
from inkan.demo.country import Country, country
from inkan.web.server import Server
from journeys.served_country import PASSPHRASE, sign, start
from support.browser import Chromium, Look, Window, within
from support.ports import free_port

pytestmark = pytest.mark.browser

CHEN, LIN = "A234567893", "F112233444"
# language: (heading of the first page, log in, heading of the code, welcome)
TEXTS = {
    "en": ("Income tax", "Log in", "Scan the code", "Welcome"),
    "ja": ("所得税", "ログイン", "コードの読み取り", "ようこそ"),
    "zh-TW": ("綜合所得稅", "登入", "掃描條碼", "歡迎"),
}
LOOKS = [
    Look(language=language, is_phone=is_phone, is_dark=is_dark)
    for language, is_phone, is_dark in [
        ("en", False, False),
        ("en", True, True),
        ("ja", True, False),
        ("ja", False, True),
        ("zh-TW", True, True),
        ("zh-TW", False, False),
    ]
]


@dataclass
class Town:
    """The running country, its tax office, and a phone of 陳怡君 without a camera."""

    country: Country
    office: str
    phone: Phone
    transport: AsyncTransport

    async def scan(self, window: Window) -> str:
        """Hold the phone to the screen: open what the page's code says now; return what it shows."""
        address = (await within(window.page.locator("details code").text_content())) or ""
        camera = Request(method="GET", url=address.split()[-1], headers={})
        seen = await self.transport.send(camera)
        assert seen.status == 200
        return (await self.phone.open_frame(seen.body.decode())).text


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        port = free_port(neighbours=1)
        founded = await stack.enter_async_context(country(tmp_path / "home", port=port))
        office = f"http://taxoffice.localhost:{port + 1}"
        application = tax_office(
            origin=office,
            credentials=founded.credentials,
            anchors=founded.anchors,
            clock=founded.clock,
        )
        await stack.enter_async_context(Server(application, port=port + 1).running())
        phone = await stack.enter_async_context(await _bound(founded))
        transport = await stack.enter_async_context(AsyncTransport())
        yield Town(founded, office, phone, transport)


async def _bound(founded: Country) -> Phone:
    phone = Phone.create(
        founded.folder / "chen.phone",
        PASSPHRASE,
        platform=founded.platform_origin,
        wallet_origin=founded.wallet_origin,
        name="陳怡君的手機",
        verify_user=lambda *_: True,
        anchors=tuple(founded.anchors),
        scrypt_n=2**10,
    )
    async with EnrolmentClient(founded.platform_origin) as desk:
        started = await start(desk)
        await phone.join(await started.frame())
        digits = await phone.prepare()
        await started.submit(await sign(started, founded.citizens["chen"], digits))
        await phone.collect()
    return phone


async def begin(town: Town, window: Window, *, number: str = "", language: str = "en") -> None:
    """Come to the office and press the button."""
    first, log_in, scan, _ = TEXTS[language]
    assert await window.go(town.office) == 200
    await window.see(first)
    if number:
        await within(window.page.locator("[name=national_id]").fill(number))
    await window.press(log_in)
    await window.see(scan)


async def picture(window: Window) -> str:
    """The code that the page shows now, as the browser gets it."""
    text: str = await window.evaluate("fetch('/visit/code').then(answer => answer.text())")
    return text


async def shoot(window: Window, name: str) -> None:
    """Keep a picture of the page where somebody asks for it (SHOTS names the folder)."""
    if folder := os.environ.get("SHOTS"):
        await within(window.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True))


async def test_the_main_job_in_every_look(town: Town, chromium: Chromium) -> None:
    for look in LOOKS:
        window = await chromium.open(look)
        name = f"{look.language}-{'390' if look.is_phone else '1280'}-{'dark' if look.is_dark else 'light'}"
        await begin(town, window, number=CHEN, language=look.language)
        await shoot(window, f"{name}-scan")
        await window.check_accessibility()
        text = await town.scan(window)
        assert "taxoffice.localhost" in text
        await town.phone.approve()
        await window.see(TEXTS[look.language][3])
        await within(window.page.locator("h1").wait_for())
        await shoot(window, f"{name}-answer")
        await window.check_accessibility()
        await window.go(town.office)
        await shoot(window, f"{name}-start")
        await window.check_accessibility()


async def test_the_code_changes_every_second(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    await begin(town, window)
    shown, served = set(), set()
    async with asyncio.timeout(10):
        while min(len(shown), len(served)) < 3:
            shown.add(await window.evaluate("document.getElementById('code').src"))
            served.add(await picture(window))
    assert all("<svg" in each for each in served)
    assert await window.evaluate("document.getElementById('code').naturalWidth > 0")


async def test_a_refusal_is_shown(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True))
    await begin(town, window)
    await town.scan(window)
    await window.see("Opened on your phone")
    await shoot(window, "opened")
    await window.check_accessibility()
    await town.phone.refuse()
    await window.see("Refused on the phone")
    await shoot(window, "refused")
    await window.check_accessibility()


async def test_another_person_is_told_nothing(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True, is_dark=True))
    await begin(town, window, number=LIN)
    await town.scan(window)
    await town.phone.approve()
    await window.see("Another person answered")
    await shoot(window, "other")
    await window.check_accessibility()
    assert LIN not in await within(window.page.content())


async def test_a_wrong_number_is_said_at_its_field(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True))
    window.expect_complaint("400")
    await window.go(town.office)
    await within(window.page.locator("[name=national_id]").fill("A123456780"))
    await window.press("Log in")
    await window.see("This is not a valid number.")
    await shoot(window, "wrong-number")
    await window.check_accessibility()


async def test_it_works_without_javascript(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(javascript=False))
    await begin(town, window)
    await town.scan(window)
    await window.see("Opened on your phone")
    await town.phone.approve()
    await window.see("Welcome")


async def test_a_stranger_sees_nothing_of_a_visit(town: Town, chromium: Chromium) -> None:
    window, stranger = await chromium.open(), await chromium.open()
    await begin(town, window)
    stranger.expect_complaint("404")
    await stranger.go(f"{town.office}/visit")
    await stranger.see("Income tax")
    for path in ("/visit/code", "/visit/states", "/camera/nosuchname"):
        assert await stranger.evaluate(f"fetch('{path}').then(answer => answer.status)") == 404
