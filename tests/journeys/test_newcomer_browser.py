"""What `make run` prints, done: two windows of one browser, by pressing and typing alone, on a computer without a camera
and without a screen lock.

    WALLET_PICTURES=docs/pictures pytest tests/journeys/test_newcomer_browser.py

walks the story in three languages and keeps pictures: ``wallet-{screen}-{language}.png`` of the phone and
``desk-{page}.png`` of the other window, in English.
"""

import os
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkan.demo.country import Country, PersonPart, country
from inkan.demo.supervisor import opened
from journeys.wallet_screens import LANGUAGES, spoken
from support.browser import Chromium, Look, Window, within
from support.pictures import keep
from support.ports import free_port
from support.thrift import thrift

pytestmark = pytest.mark.browser

DESK = {"width": 900, "height": 844}
PRACTICE = "2580"
TITLE = "the desk beside the phone"
# The browser's own picker is on no page; this chooses in it, as a person does, by the name of a tab.
PICK = f"--auto-select-tab-capture-source-by-title={TITLE}"
# The desk stays English, whatever the wallet speaks.
SPEAK = "if (location.origin !== 'null') localStorage.setItem('inkan.language', '%s')"


@dataclass
class Newcomer:
    """Somebody with two windows who knows what was printed, and nothing else."""

    phone: Window
    desk: Window
    language: str
    addresses: list[str]

    def address(self, part: str) -> str:
        """The printed address with this part."""
        return next(each for each in self.addresses if part in each)

    async def go(self, part: str) -> None:
        """Open a printed address at the desk."""
        assert await self.desk.go(self.address(part)) == 200

    # --- the phone ----------------------------------------------------------------------------------

    async def press(self, sentence: str) -> None:
        """Press a button of the wallet; in English it is the sentence."""
        name = spoken(sentence, self.language)
        button = self.phone.page.get_by_role("button", name=name, exact=True)
        await within(button.first.click())

    async def shows(self, screen: str) -> None:
        await within(self.phone.page.locator(f"main[data-screen={screen}]").wait_for())

    async def reads(self, sentence: str, *, within_s: float = 20) -> None:
        """Wait until the wallet shows a sentence."""
        main = self.phone.page.locator("main")
        found = main.get_by_text(spoken(sentence, self.language)).first
        await within(found.wait_for(timeout=within_s * 1000), within_s + 1)

    async def practise(self) -> None:
        """Answer the practice lock."""
        dialog = self.phone.page.get_by_role("dialog")
        await within(dialog.locator("input").fill(PRACTICE))
        await within(dialog.locator("button[type=submit]").click())

    async def look_at_the_desk(self) -> None:
        """There is no camera: the scanner looks at the other window, where the whole code is in view."""
        await self.desk.evaluate(f"document.title = '{TITLE}'")
        await within(self.desk.page.locator("#code").scroll_into_view_if_needed())
        await self.reads("No camera was found")
        await self.press("Look at another window of this computer")

    async def paste(self) -> None:
        """Or it is given the address that the page names."""
        await within(self.desk.page.locator("details summary").click())
        address = await within(self.desk.page.locator("details code").first.inner_text())
        await self.reads("No camera was found")
        field = self.phone.page.get_by_label(spoken("Address of the wallet", self.language))
        await within(field.fill(address.strip()))
        await self.press("Open")

    async def approve(self, *, picture: str = "") -> None:
        await self.shows("approve")
        await within(self.phone.page.locator("#approve:enabled").wait_for())
        await self.keep(picture)
        await self.press("Approve")
        await self.practise()
        await self.reads("You approved")

    # --- pictures -----------------------------------------------------------------------------------

    async def keep(self, name: str) -> None:
        """A picture of the phone, where somebody asks for it."""
        if name and (folder := os.environ.get("WALLET_PICTURES")):
            await keep(self.phone.page, Path(folder) / f"wallet-{name}-{self.language}.png")

    async def keep_desk(self, name: str) -> None:
        """A picture of the desk, in English alone."""
        if self.language == "en" and (folder := os.environ.get("WALLET_PICTURES")):
            await keep(self.desk.page, Path(folder) / f"desk-{name}.png")


@dataclass
class Town:
    """The running country and what it printed."""

    country: Country
    text: str

    @property
    def addresses(self) -> list[str]:
        return re.findall(r"http://[a-z.]+localhost:[0-9]+/[a-z]*", self.text)


@pytest.fixture
async def town(tmp_path: Path, chromium: Chromium) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        stack.enter_context(thrift())
        port = free_port(neighbours=6)
        founded = await stack.enter_async_context(country(tmp_path / "country", port=port))
        yield Town(founded, await stack.enter_async_context(opened(founded)))
        await chromium.close()


async def arrive(town: Town, chromium: Chromium, language: str) -> Newcomer:
    """Two windows of one browser, as the text says."""
    phone = await chromium.open(Look(width=390), profile=f"newcomer-{language}", flags=[PICK])
    await within(phone.page.add_init_script(SPEAK % language))
    desk = Window(phone.context, await within(phone.context.new_page()))
    desk._watch()
    chromium.windows.append(desk)
    await within(desk.page.set_viewport_size(DESK))  # type: ignore[arg-type]
    return Newcomer(phone, desk, language, town.addresses)


@pytest.mark.req("TW-07", "TW-37", "TW-38")
async def test_two_windows_and_nothing_but_what_is_printed(town: Town, chromium: Chromium) -> None:
    languages = list(LANGUAGES) if os.environ.get("WALLET_PICTURES") else ["en"]
    people = [each.part for each in town.country.citizens.values()]
    for language, person in zip(languages, people, strict=False):
        assert f"{person.name}, PIN {person.pin}, {person.national_id}" in town.text
        newcomer = await arrive(town, chromium, language)
        await bind(newcomer, person)
        await be_asked(newcomer)
        await be_asked_by_message(town, newcomer, person)
        await see_it_again(newcomer)
        await log_in_elsewhere(newcomer)


async def bind(newcomer: Newcomer, person: PersonPart) -> None:
    """Parts 1 and 2 of the text."""
    phone, desk = newcomer.phone, newcomer.desk
    assert await phone.go(newcomer.address("wallet.")) == 200
    await newcomer.shows("first")
    await newcomer.keep("first")
    await newcomer.press("I understand")
    await newcomer.reads("This browser has no screen lock to ask")
    await newcomer.keep("welcome")
    await newcomer.press("Use the practice lock")
    await newcomer.reads("The practice lock is on: you choose digits when the keys are made.")
    await newcomer.press("I understand")

    await newcomer.go("/enrol")
    await newcomer.keep_desk("enrol")
    await desk.press("Read the terms", role="link")
    await within(desk.page.get_by_label("I have read the terms").check())
    await within(desk.page.get_by_label("I have read the risks").check())
    await within(desk.page.get_by_role("button", name="Begin", exact=True).click())
    await within(desk.page.locator("#code").wait_for())
    await newcomer.keep_desk("enrol-code")

    await newcomer.press("The page is open: go on")
    await newcomer.shows("naming")
    await newcomer.keep("naming")
    await newcomer.press("Scan the code")
    await newcomer.reads("No camera was found")
    await newcomer.keep("scan")
    await newcomer.look_at_the_desk()
    await within(phone.page.get_by_role("dialog").wait_for())
    await newcomer.keep("practice")
    await newcomer.practise()
    await newcomer.reads("Type these 8 digits into the program at the card reader:")
    await newcomer.keep("digits")
    label = await within(phone.page.locator(".code").get_attribute("aria-label"))
    digits = "".join(re.findall(r"[0-9]", label or ""))

    await desk.press("Open the card program", role="link")
    await within(desk.page.get_by_label(person.name).check())
    await newcomer.keep_desk("card")
    await desk.fill("Eight digits", digits)
    await desk.fill("PIN of the card", person.pin)
    await desk.press("Sign with the card")
    await desk.see("Your card has signed")
    await desk.press("Back to the enrolment page", role="link")
    await desk.see("The phone is bound")
    await newcomer.reads("This phone is bound")
    await newcomer.keep("bound")
    await newcomer.press("Home")
    await newcomer.shows("home")


async def be_asked(newcomer: Newcomer) -> None:
    """Part 3 of the text; the code is read once from the window, and once by its address."""
    desk = newcomer.desk
    for way in (newcomer.paste, newcomer.look_at_the_desk):
        await newcomer.go("taxoffice.")
        await newcomer.keep_desk("office")
        await desk.press("Show the code")
        await within(desk.page.locator("#code").wait_for())
        await newcomer.press("Scan the code to identify yourself")
        await way()
        await newcomer.approve(picture="approve")
        await newcomer.keep("answered")
        await desk.see("Welcome")
        await newcomer.keep_desk("answer")
        await newcomer.press("Home")


async def be_asked_by_message(town: Town, newcomer: Newcomer, person: PersonPart) -> None:
    """The end of the text: the message, and the digits of the page."""
    phone, desk = newcomer.phone, newcomer.desk
    await newcomer.go("taxoffice.")
    await within(desk.page.locator("[name=national_id]").fill(person.national_id))
    await desk.press("Send the message")
    shown = (await within(desk.page.locator(".code").text_content())) or ""
    await town.country.instance.catch_up()
    await newcomer.reads("測試國稅局")
    await newcomer.keep("home-asked")
    await newcomer.press("Look at it")
    await newcomer.shows("code")
    await newcomer.keep("code")
    await within(phone.page.locator("#code").fill("".join(re.findall(r"[0-9]", shown))))
    await newcomer.press("Go on")
    await newcomer.approve()
    await desk.see("Welcome")


async def see_it_again(newcomer: Newcomer) -> None:
    """Part 4 of the text: the wallet, the person's home, and what the receipt is worth to anybody."""
    phone, desk = newcomer.phone, newcomer.desk
    async with desk.page.expect_download(timeout=10_000) as begun:
        await desk.press("Download the receipt", role="link")
    receipt = await within((await begun.value).path())
    await newcomer.press("Home")
    await newcomer.press("Records")
    await newcomer.shows("records")
    await within(phone.page.locator("main .wallet-place", has_text="測試國稅局").first.wait_for())

    await newcomer.go("/my")
    await desk.press("Show the code")
    await within(desk.page.locator("#code").wait_for())
    await newcomer.press("Home")
    await newcomer.press("Scan the code to identify yourself")
    await newcomer.paste()
    await newcomer.approve()
    await within(desk.page.wait_for_url("**/my"))
    await within(desk.page.locator("h1").wait_for())
    await newcomer.keep_desk("home")

    await newcomer.go("/verify")
    await within(desk.page.locator("#file").set_input_files(receipt))
    await within(desk.page.get_by_role("button", name="Verify", exact=True).click())
    await desk.see("測試國稅局")
    await newcomer.keep_desk("verify")


async def log_in_elsewhere(newcomer: Newcomer) -> None:
    """Part 5 of the text: the library, by the platform's page; its code is read from the window."""
    desk = newcomer.desk
    await newcomer.go("library.")
    await desk.press("Log in with your phone")
    await desk.press("Get QR code")
    await within(desk.page.locator("#code").wait_for())
    await newcomer.press("Home")
    await newcomer.press("Scan the code to identify yourself")
    await newcomer.look_at_the_desk()
    await newcomer.approve()
    await desk.see("You are logged in")
    await newcomer.keep_desk("library")
