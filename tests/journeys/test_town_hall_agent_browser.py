"""Signed through the real card agent over loopback with a card from the counter: a form, then a phone at the kiosk."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from inkan.client.piv_layout import KeyUse
from inkan.demo.card_programs import HOLDER, PINS
from inkan.demo.counter import ADDRESS
from inkan.demo.country import Country, card_desk_origin, country
from inkan.demo.supervisor import opened
from inkan.demo.town import town_hall_origin
from journeys.test_kiosk_browser import device_number, registered
from journeys.wallet_window import WalletWindow
from support.browser import Chromium, Window, within
from support.ports import free_port
from support.thrift import thrift

pytestmark = pytest.mark.browser


@pytest.fixture
async def shown(tmp_path: Path, chromium: Chromium) -> AsyncIterator[tuple[Country, int]]:
    """The whole country as it is shown to people."""
    async with AsyncExitStack() as stack:
        stack.enter_context(thrift())
        port = free_port(neighbours=6)
        founded = await stack.enter_async_context(country(tmp_path / "country", port=port))
        await stack.enter_async_context(opened(founded))
        yield founded, port
        await chromium.close()


async def fill(window: Window, hall: str, items: dict[str, str]) -> None:
    await window.go(hall)
    await window.press("Open the form", role="link")
    for name, value in items.items():
        await within(window.page.locator(f"#{name}").fill(value))
    await window.press("Go on to the signature")
    await within(window.page.wait_for_url(f"{hall}/drafts/**"))


async def answer(reader: Window, pin: str) -> None:
    """The card program asks on the reader's page: type the PIN there."""
    field = reader.page.locator("input[type=password]").first
    await within(field.wait_for())
    await within(field.fill(pin))
    await reader.press("Give it to the card")


@pytest.mark.req("JPKI-34", "JPKI-01", "JPKI-40")
async def test_signed_by_the_agent_with_a_card_from_the_counter(
    shown: tuple[Country, int], chromium: Chromium
) -> None:
    founded, port = shown
    hall, part = town_hall_origin(port), founded.citizens[HOLDER].part
    reader, window = await chromium.open(), await chromium.open()
    window.expect_complaint("403")
    await reader.go(f"{card_desk_origin(port)}/reader")
    secret = await within(reader.page.locator("code").inner_text())
    await within(reader.page.locator(f"input[name=card][value={HOLDER}]").check())
    await reader.press("Change the card")
    items = {
        "name": part.name,
        "birth_date": part.birth_date.isoformat(),
        "address": ADDRESS,
        "copies": "1",
        "use": "x",
    }
    await fill(window, hall, items | {"address": f"{ADDRESS}99"})
    await window.press("Digital signature")
    await window.see("not connected to this page yet")
    await window.check_accessibility()
    await window.fill("Pairing code of the card program", secret)
    await window.press("Connect")
    await answer(reader, PINS[KeyUse.SIGNATURE])
    await window.see("Nothing was sent yet")
    await within(window.page.get_by_role("button", name="Send", exact=True).click())
    await window.see("The card belongs to somebody else")
    await window.see(
        ADDRESS
    )  # the certificate holds four attributes, and the form's address is another
    await fill(window, hall, items)
    await window.press("Digital signature")
    await answer(reader, PINS[KeyUse.SIGNATURE])
    await window.see("Nothing was sent yet")
    await within(window.page.get_by_role("button", name="Send", exact=True).click())
    await window.see("Your form is filed")
    await bind_at_kiosk(founded, chromium, reader, secret)


async def bind_at_kiosk(founded: Country, chromium: Chromium, reader: Window, secret: str) -> None:
    """The country's kiosk, with the same card."""
    kiosk = await chromium.open()
    await kiosk.go(f"{founded.platform_origin}/kiosk")
    await kiosk.fill("Name of the kiosk", founded.kiosk.kiosk.name)
    await kiosk.fill("Secret of the kiosk", founded.kiosk.secret.reveal())
    await kiosk.press("Set up")
    await kiosk.fill("Pairing code that the card program showed", secret)
    await kiosk.press("Connect")
    wallet = await WalletWindow.open(chromium, founded.wallet_origin)
    key = await registered(wallet, "花子の端末")
    await within(kiosk.page.get_by_label("Registration key", exact=True).fill(key))
    await kiosk.press("Sign with the card")
    await within(reader.page.locator("input[name=digits]").fill(await wallet.digits()))
    await answer(reader, PINS[KeyUse.SIGNATURE])
    await kiosk.see("Is this you?")
    await kiosk.press("Yes, show the number")
    number = await device_number(kiosk)
    await wallet.window.fill("The 6 digits on the kiosk", number)
    await wallet.window.press("Confirm the number")
    await wallet.window.see("This phone is bound", within_s=20)
