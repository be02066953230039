"""A form of the town hall in a real browser: filled, signed with a card by the card program, sent, filed."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from inkan.crypto.path import RevocationReason
from inkan.demo.country import CLERK, Country, country
from inkan.demo.town import town_hall_of, town_hall_origin
from inkan.kernel.sensitive import Secret
from inkan.pki import IssuedCertificate
from inkan.web.server import Server
from journeys.card_agent_stand_in import StandIn, make_card
from journeys.test_tax_office_browser import shoot
from support.browser import Chromium, Look, Window, within
from support.piv_applet import PivApplet
from support.ports import free_port
from support.thrift import thrift

pytestmark = pytest.mark.browser

# language: (first page, open, go on, digital signature, send, signed, filed, list)
TEXTS = {
    "en": ("Forms of the town hall", "Open the form", "Go on to the signature", "Digital signature", "Send", "Nothing was sent yet", "Your form is filed", "All filed forms"),
    "ja": ("市役所の申請書", "申請書を開く", "署名に進む", "電子署名", "送信", "まだ送信されていません", "申請を受け付けました", "提出済みの申請一覧"),
    "zh-TW": ("市公所申請書", "開啟申請書", "前往簽章", "數位簽章", "傳送", "尚未傳送", "申請已受理", "所有已提交的申請"),
}  # fmt: skip
LOOKS = [
    Look(language="en"),
    Look(language="ja", is_phone=True, is_dark=True),
    Look(language="zh-TW", width=360),
]
ITEMS = {
    "name": "陳怡君",
    "birth_date": "1988-03-14",
    "address": "臺北市信義區市府路1號",
    "copies": "2",
    "use": "銀行開戶",
}


@dataclass
class Town:
    """The running country with its town hall, and two citizens' cards with chips."""

    country: Country
    hall: str
    chen: tuple[PivApplet, IssuedCertificate]
    lin: tuple[PivApplet, IssuedCertificate]

    async def arrive(self, chromium: Chromium, look: Look | None = None) -> tuple[Window, StandIn]:
        """A window with the card program beside it and 陳怡君's card in the reader."""
        window, agent = await chromium.open(look), StandIn()
        agent.reader.insert(self.chen[0])
        await agent.attend(window)
        return window, agent

    async def fill(self, window: Window, language: str = "en") -> None:
        """From the first page to the form as it is going to be signed."""
        texts = TEXTS[language]
        assert await window.go(self.hall) == 200
        await window.see(texts[0])
        await window.press(texts[1], role="link")
        for name, value in ITEMS.items():
            await within(window.page.locator(f"#{name}").fill(value))
        await window.press(texts[2])
        await within(window.page.wait_for_url(f"{self.hall}/drafts/**"))


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        stack.enter_context(thrift())
        port = free_port(neighbours=6)
        founded = await stack.enter_async_context(country(tmp_path / "country", port=port))
        await stack.enter_async_context(Server(town_hall_of(founded), port=port + 5).running())
        cards = [await make_card(founded, key) for key in ("chen", "lin")]
        yield Town(founded, town_hall_origin(port), *cards)


@pytest.mark.req("JPKI-34", "JPKI-40")
async def test_fill_sign_send_in_every_look(town: Town, chromium: Chromium) -> None:
    for look in LOOKS:
        language = look.language
        window, agent = await town.arrive(chromium, look)
        await window.go(town.hall)
        await window.check_accessibility()
        await town.fill(window, language)
        _, _, _, sign, send, signed, filed, listed = TEXTS[language]
        await shoot(window, f"town-hall-{language}-1-form")
        await window.check_accessibility()
        button = window.page.get_by_role("button", name=send, exact=True)
        assert await within(button.is_disabled()), "nothing is sent before it is signed"
        await window.press(sign)
        await window.see(signed)
        await shoot(window, f"town-hall-{language}-2-signed")
        await window.check_accessibility()
        await within(button.click())
        await window.see(filed)
        await shoot(window, f"town-hall-{language}-3-filed")
        await window.check_accessibility()
        number = window.page.url.rpartition("/")[2]
        await window.press(listed, role="link")
        await window.see(number)
        await window.check_accessibility()
        assert agent.asked == ["hello", "sign"]


async def test_what_card_and_person_can_run_into(town: Town, chromium: Chromium) -> None:
    window, agent = await town.arrive(chromium)
    await town.fill(window)
    agent.reader.pull()
    await window.press("Digital signature")
    await window.see("There is no card in the reader")
    await window.check_accessibility()
    agent.reader.insert(town.chen[0])
    agent.pin = Secret("Wrong1")
    await window.press("Digital signature")
    await window.see("Tries left: 4")
    agent.pin = Secret("Abc246")
    await window.press("Digital signature")
    await window.see("Nothing was sent yet")
    assert await within(window.page.get_by_text("Tries left:").is_hidden())


async def test_without_the_card_program(town: Town, chromium: Chromium) -> None:
    window = await chromium.open()
    window.expect_complaint("ERR_CONNECTION_REFUSED")
    await town.fill(window)
    await window.press("Digital signature")
    await window.see("not connected to this page yet")
    await window.check_accessibility()
    await window.fill("Pairing code of the card program", "x")
    await window.press("Connect")
    await window.see("No card program was found")
    assert await within(window.page.get_by_role("button", name="Send", exact=True).is_disabled())


async def test_without_scripts_the_page_says_so(town: Town, chromium: Chromium) -> None:
    window = await chromium.open(Look(javascript=False))
    await town.fill(window)
    await window.see("This page needs scripts")


@pytest.mark.req("JPKI-01", "JPKI-35")
async def test_wrong_person_then_withdrawn(town: Town, chromium: Chromium) -> None:
    window, agent = await town.arrive(chromium)
    window.expect_complaint("403")
    agent.reader.insert(town.lin[0])
    await town.fill(window)
    await sign_and_send(window)
    await window.see("The card belongs to somebody else")
    await window.see("林志明")
    await window.check_accessibility()
    await window.press("Back to the form", role="link")
    agent.reader.insert(town.chen[0])
    platform = town.country.instance.platform
    await platform.db.transact(
        platform.pki.revoke, town.chen[1].id, reason=RevocationReason.SUPERSEDED, actor=CLERK
    )
    await town.country.instance.catch_up()
    await sign_and_send(window)
    await window.see("The certificate has been withdrawn")
    await shoot(window, "town-hall-withdrawn")
    await window.check_accessibility()


@pytest.mark.req("JPKI-01")
async def test_a_form_that_a_page_changed_after_it_was_signed(
    town: Town, chromium: Chromium
) -> None:
    window, _ = await town.arrive(chromium)
    window.expect_complaint("403")
    await town.fill(window)
    await window.press("Digital signature")
    await window.see("Nothing was sent yet")
    first = await within(window.page.locator("input[name=cms]").input_value())
    await town.fill(window)
    await window.evaluate(
        f"document.querySelector('input[name=cms]').value = '{first}';"
        "document.querySelector('form[data-send] button').disabled = false"
    )
    await within(window.page.get_by_role("button", name="Send", exact=True).click())
    await window.see("The form was changed after it was signed")


async def sign_and_send(window: Window) -> None:
    """The last two steps."""
    await window.press("Digital signature")
    await window.see("Nothing was sent yet")
    await within(window.page.get_by_role("button", name="Send", exact=True).click())
