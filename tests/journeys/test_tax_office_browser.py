"""The main job in a real browser: the agency asks by each door, a phone answers, the page says so and what it is worth."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from inkan.apps.showcase.tax_office import tax_office
from inkan.client import AsyncTransport, EnrolmentClient, Phone
from inkan.client.exchange import Request
from inkan.demo.country import Country
from inkan.web.server import Server
from journeys.served_country import PASSPHRASE, sign, start
from support.browser import Chromium, Look, Window, within
from support.founded import founded_country
from support.ports import free_port

pytestmark = pytest.mark.browser

CHEN, LIN = "A234567893", "F112233444"
# language: (heading of the first page, the code, the message, on this phone, the platform's page, welcome)
TEXTS = {
    "en": ("Income tax", "Show the code", "Send the message", "Open it on this phone", "Go to the platform", "Welcome"),
    "ja": ("所得税", "コードを表示", "通知を送る", "このスマートフォンで開く", "基盤へ進む", "ようこそ"),
    "zh-TW": ("綜合所得稅", "顯示條碼", "傳送通知", "在這支手機開啟", "前往平台", "歡迎"),
}  # fmt: skip
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
        return (await self.phone.open_frame(await self._look(await said(window)))).text

    async def scan_platform(self, window: Window) -> None:
        """The same on the platform's page, whose code is read with the browser's cookies."""
        cookies = await window.context.cookies(window.page.url)
        cookie = "; ".join(f"{each['name']}={each['value']}" for each in cookies)
        await self.phone.open_frame(await self._look(f"{window.page.url}/camera", cookie=cookie))

    async def _look(self, address: str, **headers: str) -> str:
        seen = await self.transport.send(Request(method="GET", url=address, headers=headers))
        assert seen.status == 200
        return seen.body.decode()


async def said(window: Window) -> str:
    """The address in the first command that the page gives for a phone at a terminal."""
    command = window.page.locator("details code").first
    return ((await within(command.text_content())) or "").split()[-1].strip("'")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        port = free_port(neighbours=1)
        founded = await stack.enter_async_context(founded_country(tmp_path / "home", port=port))
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


async def begin(
    town: Town, window: Window, *, number: str = "", language: str = "en", door: int = 1
) -> None:
    """Come to the office and press the button of a door (its place in TEXTS)."""
    first, button = TEXTS[language][0], TEXTS[language][door]
    assert await window.go(town.office) == 200
    await window.see(first)
    if number:
        await within(window.page.locator("[name=national_id]").fill(number))
    await window.press(button)
    await within(window.page.wait_for_url(lambda url: urlsplit(url).path != "/"))


def named(look: Look) -> str:
    """The beginning of a picture's name."""
    return f"{look.language}-{'390' if look.is_phone else '1280'}-{'dark' if look.is_dark else 'light'}"


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
        name = named(look)
        await begin(town, window, number=CHEN, language=look.language)
        await shoot(window, f"{name}-scan")
        await window.check_accessibility()
        text = await town.scan(window)
        assert "taxoffice.localhost" in text
        await town.phone.approve()
        await window.see(TEXTS[look.language][-1])
        await within(window.page.locator("h1").wait_for())
        await shoot(window, f"{name}-answer")
        await window.check_accessibility()
        await window.go(town.office)
        await shoot(window, f"{name}-start")
        await window.check_accessibility()


async def test_every_door_in_every_look(town: Town, chromium: Chromium) -> None:
    for look in [*LOOKS[::2], LOOKS[3]]:
        window = await chromium.open(look)
        for door, page in ((2, "push"), (3, "open")):
            await begin(town, window, number=CHEN, language=look.language, door=door)
            await shoot(window, f"{named(look)}-{page}")
            await window.check_accessibility()
        stranger = await chromium.open(look)
        stranger.expect_complaint("403")
        assert await stranger.go(f"{town.office}/return?session=x&return_code=y") == 403
        await shoot(stranger, f"{named(look)}-foreign")
        await stranger.check_accessibility()


@pytest.mark.req("TW-46")
async def test_a_message_with_six_digits(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True, is_dark=True))
    await begin(town, window, number=CHEN, door=2)
    digits = (await within(window.page.locator(".code").text_content())) or ""
    await town.country.instance.catch_up()
    [waiting] = await town.phone.waiting()
    await window.press("Send again")
    await window.see("Not sent again yet")
    await shoot(window, "push-too-soon")
    await window.check_accessibility()
    await town.phone.open_push(waiting.approval, digits)
    await town.phone.approve()
    await window.see("Welcome")
    await window.see("matched")
    await window.see("digits typed on the phone")


@pytest.mark.req("TW-59")
async def test_on_this_phone_and_back_in_no_other_browser(town: Town, chromium: Chromium) -> None:
    window, stranger = await chromium.open(Look(is_phone=True)), await chromium.open()
    stranger.expect_complaint("403")
    await begin(town, window, door=3)
    await town.phone.open_link(await said(window))
    back = (await town.phone.approve()).return_url or ""
    await window.see("Approved on the phone")
    await shoot(window, "open-approved")
    await window.check_accessibility()
    assert await stranger.go(back) == 403
    await stranger.see("It was not begun in this browser")
    assert await window.go(back) == 200
    await window.see("Welcome")
    await window.see("returned")
    await shoot(window, "open-answer")
    assert await stranger.go(back) == 403


async def test_as_an_app_would(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    assert await window.go(town.office) == 200
    await within(window.page.get_by_label("File a return").check())
    await window.press("Play the app")
    await within(window.page.wait_for_url("**/visit"))
    await town.phone.open_link(await said(window))
    # The phone opens a fresh page; the one that waits reads itself again meanwhile.
    back = (await town.phone.approve()).return_url or ""
    window.page = await within(window.context.new_page())
    window._watch()
    await window.go(back)
    await window.see("opened by an app")
    await window.see("returned")
    for text in ("Download the receipt", "Download the evidence"):
        async with window.page.expect_download() as download:
            await window.press(text, role="link")
        assert (await within((await download.value).path())).stat().st_size > 500
    await shoot(window, "app-answer")
    await window.check_accessibility()


@pytest.mark.req("TW-53")
async def test_by_the_platforms_page_and_back(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    await begin(town, window, door=4)
    await window.press("Get QR code")
    await within(window.page.locator("#code").wait_for())
    await town.scan_platform(window)
    await window.see("Opened on your phone")
    await town.phone.approve()
    await window.see("Welcome")
    await window.see("the platform's page, a scanned code")
    assert window.page.url == f"{town.office}/visit"


async def test_going_back_from_the_platforms_page_is_no_login(
    town: Town, chromium: Chromium
) -> None:
    window = await chromium.open(Look(is_phone=True))
    window.expect_complaint("403")
    await begin(town, window, door=4)
    await window.go(f"{town.office}/visit")
    await window.see("Go on at the platform")
    await shoot(window, "away")
    await window.check_accessibility()
    await window.press("Go on at the platform", role="link")
    await window.press("Cancel and go back")
    await window.see("You cancelled")
    await shoot(window, "cancelled")
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
    await window.press("Show the code")
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
