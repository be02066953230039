"""The wallet in a real browser at the tax office: by every door, with every answer, and what a stranger gets."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from inkan.apps.showcase.tax_office import tax_office
from inkan.client import AsyncTransport, CallRefused, RelyingParty, Session
from inkan.client.exchange import Request
from inkan.demo.country import Country
from inkan.web.server import Server
from inkan.wire.session import Outcome, SessionState
from journeys.wallet_window import WalletWindow
from support.browser import Chromium, Window, within
from support.founded import founded_country
from support.ports import free_port

pytestmark = pytest.mark.browser

CHEN = "A234567893"


@dataclass
class Town:
    """The running country, its tax office, and a wallet that is bound with the card of 陳怡君."""

    country: Country
    office: str
    agency: RelyingParty
    wallet: WalletWindow
    desktop: Window
    transport: AsyncTransport

    async def ask(self) -> Session:
        """The office asks without a page."""
        return await self.agency.create_session("identify", purpose="login")

    async def begin(self, button: str, *, window: Window | None = None, number: str = "") -> None:
        """Come to the office and choose a door."""
        window = window or self.desktop
        assert await window.go(self.office) == 200
        if number:
            await within(window.page.locator("[name=national_id]").fill(number))
        await window.press(button)
        await within(window.page.wait_for_url(lambda url: urlsplit(url).path != "/"))

    async def frame(self, address: str = "") -> str:
        """What the code on the desktop's screen says at this moment."""
        cookies = await self.desktop.context.cookies(self.desktop.page.url)
        cookie = "; ".join(f"{each['name']}={each['value']}" for each in cookies)
        address = address or f"{self.desktop.page.url}/camera"
        headers = {"cookie": cookie}
        seen = await self.transport.send(Request(method="GET", url=address, headers=headers))
        assert seen.status == 200, address
        return seen.body.decode()

    async def frame_of_visit(self) -> str:
        """The same on the office's page, which tells phones without a camera where to look."""
        command = self.desktop.page.locator("details code").first
        said = (await within(command.text_content())) or ""
        return await self.frame(said.split()[-1].strip("'"))

    async def digits(self) -> str:
        """The six digits on the desktop's screen."""
        shown = (await within(self.desktop.page.locator(".code").text_content())) or ""
        return "".join(each for each in shown if each.isdigit())


@pytest.fixture
async def town(tmp_path: Path, chromium: Chromium) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        port = free_port(neighbours=1)
        founded = await stack.enter_async_context(founded_country(tmp_path / "home", port=port))
        office = f"http://taxoffice.localhost:{port + 1}"
        credentials, anchors = founded.credentials, founded.anchors
        application = tax_office(
            origin=office, credentials=credentials, anchors=anchors, clock=founded.clock
        )
        await stack.enter_async_context(Server(application, port=port + 1).running())
        wallet = await WalletWindow.open(chromium, founded.wallet_origin)
        await wallet.bind(founded)
        yield Town(
            country=founded,
            office=office,
            agency=await stack.enter_async_context(RelyingParty(credentials, anchors=anchors)),
            wallet=wallet,
            desktop=await chromium.open(),
            transport=await stack.enter_async_context(AsyncTransport()),
        )
        await chromium.close()


async def shoot(window: Window, name: str) -> None:
    """Keep a picture of the page where somebody asks for it (SHOTS names the folder)."""
    if folder := os.environ.get("SHOTS"):
        await within(window.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True))


@pytest.mark.req("TW-37", "TW-42", "TW-46", "TW-51", "TW-53")
async def test_two_windows_by_every_door_that_has_two_screens(town: Town) -> None:
    wallet, desktop = town.wallet, town.desktop

    # A code on the office's page
    await town.begin("Show the code", number=CHEN)
    await wallet.scan(town.frame_of_visit)
    text = await wallet.text()
    for line in ("測試國稅局", "taxoffice.localhost", "Log in to your tax account"):
        assert line in text
    await desktop.see("Opened on your phone")
    await wallet.approve()
    await desktop.see("Welcome")
    await wallet.home()

    # A message and six digits
    await town.begin("Send the message", number=CHEN)
    await town.country.instance.catch_up()
    await wallet.window.see("測試國稅局", within_s=20)
    await wallet.window.press("Look at it")
    digits = await town.digits()
    await wallet.window.fill("The 6 digits on the other screen", f"{(int(digits) + 1) % 10**6:06}")
    wallet.window.expect_complaint("status of 4")
    await wallet.window.press("Go on")
    await within(wallet.window.page.get_by_role("alert").wait_for())
    await wallet.window.fill("The 6 digits on the other screen", digits)
    await wallet.window.press("Go on")
    await wallet.approve()
    await desktop.see("matched")
    await wallet.home()

    # The platform's page: its code, then its message
    await town.begin("Go to the platform")
    await desktop.press("Get QR code")
    await within(desktop.page.locator("#code").wait_for())
    await wallet.scan(town.frame)
    await wallet.press_by_keyboard("Approve")
    await wallet.window.see("You approved")
    await desktop.see("the platform's page, a scanned code")
    await wallet.home()
    await town.begin("Go to the platform")
    await within(desktop.page.locator("#national_id-push").fill(CHEN))
    await desktop.press("Get push message")
    await desktop.see("Push message sent")
    await town.country.instance.catch_up()
    await wallet.window.see("測試國稅局", within_s=20)
    await wallet.window.press("Look at it")
    await wallet.window.fill("The 6 digits on the other screen", await town.digits())
    await wallet.window.press("Go on")
    await wallet.approve()
    await desktop.see("Welcome")
    await wallet.home()


@pytest.mark.req("TW-50", "TW-59")
async def test_one_phone_from_the_office_to_the_wallet_and_back(
    town: Town, chromium: Chromium
) -> None:
    wallet = town.wallet
    phone = wallet.window
    for button, link, told in (
        ("Open it on this phone", "Open the wallet on this phone", "returned"),
        ("Play the app", "Open the wallet", "opened by an app"),
    ):
        await town.begin(button, window=phone)
        await phone.press(link, role="link")
        await wallet.approve()
        await phone.press("Back to taxoffice", role="link")
        await phone.see("Welcome")
        await phone.see(told)
    await town.begin("Go to the platform", window=phone)
    await phone.press("Open app")
    await phone.press("Open the wallet", role="link")
    await wallet.approve()
    await phone.press("Back to", role="link")
    await phone.see("Welcome")

    # The same address in a browser that holds no keys uses nothing up.
    await town.begin("Open it on this phone", window=town.desktop)
    link_there = town.desktop.page.get_by_role("link", name="Open the wallet on this phone")
    address = (await within(link_there.get_attribute("href"))) or ""
    await town.desktop.go(address)
    await town.desktop.press("I understand")
    await town.desktop.go("about:blank")
    await town.desktop.go(address)
    await town.desktop.see("This browser holds no wallet")
    assert "#" not in town.desktop.page.url.removesuffix("#stranger")
    await town.desktop.check_accessibility()
    await wallet.open_link(address)
    await wallet.approve()


@pytest.mark.req("TW-20", "TW-27", "TW-52")
async def test_every_other_answer(town: Town) -> None:
    wallet, phone = town.wallet, town.wallet.window

    manifest = await within(wallet.cdp.send("Page.getAppManifest"))
    assert manifest["errors"] == []
    found = await within(wallet.cdp.send("Page.getInstallabilityErrors"))
    # A window without a profile installs nothing; that is all that is in the way.
    assert {each["errorId"] for each in found["installabilityErrors"]} <= {"in-incognito"}

    refused = await town.ask()
    await wallet.scan(refused.frame)
    await wallet.press_by_keyboard("Refuse")
    await phone.see("You refused")
    assert (await refused.wait()).outcome is Outcome.REFUSED
    await wallet.home()

    reported = await town.ask()
    await wallet.scan(reported.frame)
    await phone.press("I did not start this")
    await phone.see("Thank you for telling")
    assert (await reported.wait()).outcome is Outcome.REFUSED
    await wallet.home()

    # A frame that has aged uses nothing up, and says what to do.
    stale = await town.ask()
    old = stale.frame()
    town.country.clock.advance(timedelta(seconds=10))
    phone.expect_complaint("status of 409")
    await phone.press("Scan the code to identify yourself")
    await wallet.enter(lambda: old)
    await phone.see("This code is no longer current")
    assert (await stale.refresh()).state is SessionState.PRESENTED
    await phone.press("Back")

    # Nothing is signed without the person; after three times nothing can be tried for a while.
    session = await town.ask()
    await wallet.scan(session.frame)
    await wallet.recognise(is_user=False)
    for _ in range(2):
        await phone.press("Approve")
        await phone.see("You were not recognised")
        await wallet.choices()
    await phone.press("Approve")
    await phone.see("Too many failed tries")
    await wallet.recognise(is_user=True)
    await within(phone.page.reload())
    await wallet.choices()
    await phone.press("Approve")
    await phone.see("Too many failed tries")
    assert (await session.refresh()).state is SessionState.OPENED
    await phone.press("Refuse")
    await phone.see("You refused")


async def test_the_practice_lock_of_a_computer_without_a_screen_lock(
    town: Town, chromium: Chromium
) -> None:
    wallet = await WalletWindow.open(chromium, town.country.wallet_origin, has_screen_lock=False)
    phone = wallet.window
    await phone.press("Use the practice lock")
    await phone.see("The practice lock is on")

    async def practise(digits: str) -> None:
        dialog = phone.page.get_by_role("dialog")
        await within(dialog.wait_for())
        await within(dialog.locator("input").fill(digits))
        await within(dialog.get_by_role("button", name="Go on").click())

    typing = asyncio.create_task(practise("2580"))
    await wallet.join(town.country, "lin", name="Practice")
    await typing
    await phone.see("This phone is bound")
    await phone.press("Home")
    session = await town.ask()
    await wallet.scan(session.frame)
    await phone.press("Approve")
    await practise("0000")
    await phone.see("You were not recognised")
    await wallet.choices()
    await phone.press("Approve")
    await phone.check_accessibility()
    await practise("2580")
    await phone.see("You approved")
    assert (await session.wait()).outcome is Outcome.OK


@pytest.mark.req("TW-29", "TW-38")
async def test_two_phones_and_no_third_and_none_that_has_ended(
    town: Town, chromium: Chromium
) -> None:
    # The second phone is bound once the first one is no longer young.
    town.country.clock.advance(timedelta(hours=25))
    second = await WalletWindow.open(chromium, town.country.wallet_origin)
    await second.bind(town.country, name="Second")
    town.country.clock.advance(timedelta(hours=25))
    third = await WalletWindow.open(chromium, town.country.wallet_origin)
    third.window.expect_complaint("status of 4")
    with pytest.raises(CallRefused) as refused:
        await third.join(town.country, "chen", name="Third")
    assert refused.value.problem.code == "no_free_slot"

    # A use of the first stands in the records of the second, which then ends the first.
    first, other = town.wallet.window, second.window
    session = await town.ask()
    await town.wallet.scan(session.frame)
    await town.wallet.approve()
    await town.wallet.home()
    other.expect_complaint("status of 403")  # the platform asks for the person first
    await other.press("Records")
    await other.see("測試國稅局")
    await other.press("More")
    await other.press("My phones")
    await other.see("Second")
    asked = await town.ask()
    await town.wallet.scan(asked.frame)
    card = other.page.locator("section.card").filter(has_text="My phone")
    await within(card.get_by_role("button", name="End this phone").click())
    await other.press("Go on")
    await other.press("End it")
    await within(
        other.page.get_by_role("heading", name="My phone", exact=True).wait_for(state="detached")
    )
    first.expect_complaint("status of 4")
    await first.press("Approve")
    await within(first.page.get_by_role("alert").wait_for())
    assert "You approved" not in await town.wallet.text()
    assert (await asked.refresh()).outcome is not Outcome.OK
