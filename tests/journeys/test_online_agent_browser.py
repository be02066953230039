"""The online window over everything that is real: extension, native program, PC/SC, and a card in a virtual reader."""

import pytest

from inkan.counter.pages.online_parts import CARD_PATH, PIN_PATH, REVOKE_PATH, VALIDITY_PATH
from inkan.crypto.certificate_file import read_certificate_file
from inkan.crypto.certificates import parse_certificate
from inkan.pki import CertificateState
from journeys.online_place import REVOKE, see_told
from journeys.test_card_agent_browser import PIN, Desk, desk
from support.browser import Chromium, Window, within

pytestmark = pytest.mark.browser

__all__ = ["desk"]
NEW_PIN = "Sakura2027"


async def state_of(desk: Desk, serial: str) -> CertificateState:
    pki = desk.town.country.instance.platform.pki
    found = await pki.find_by_serial("card", serial)
    assert found is not None
    return found.state


async def filled(desk: Desk, window: Window) -> str:
    """The form of a revocation, filled in; the serial number of what is to end."""
    await window.go(desk.town.origin + CARD_PATH)
    await window.press("Signature certificate")
    await window.see("This certificate is valid")
    held = await within(window.page.locator("input[name=text]").input_value())
    await window.go(desk.town.origin + REVOKE_PATH)
    await within(window.page.locator("#cause-no_longer_needed").check())
    await within(window.page.locator("#accepted").check())
    return f"{parse_certificate(read_certificate_file(held.encode()).der).serial:x}"


@pytest.mark.req("JPKI-23", "JPKI-26", "JPKI-28", "JPKI-36")
async def test_the_card_is_looked_at_and_ends_itself(desk: Desk, chromium: Chromium) -> None:
    window = await desk.window(chromium)
    serial = await filled(desk, window)
    desk.pinentry.type("000000")
    await window.press(REVOKE)
    assert "Tries left: 4" in await see_told(window, "refused")
    desk.pinentry.type("!cancel")
    await window.press(REVOKE)
    await window.see("You declined. Nothing was signed.")
    assert await state_of(desk, serial) is CertificateState.VALID
    desk.pinentry.type(PIN)
    await window.press(REVOKE)
    await window.see("The certificates have ended")
    assert desk.town.origin in desk.pinentry.shown
    assert await state_of(desk, serial) is CertificateState.REVOKED
    await window.go(desk.town.origin + VALIDITY_PATH)
    await window.press("Signature certificate")
    await window.see("This certificate was revoked")


async def test_the_card_pulled_at_each_step_ends_nothing(desk: Desk, chromium: Chromium) -> None:
    window = await desk.window(chromium)
    serial = await filled(desk, window)
    for at in (1, 8, 16, 24):
        seen = 0

        def pull(_command: bytes, at: int = at) -> None:
            nonlocal seen
            seen += 1
            if seen == at:
                desk.slot.pull()

        desk.pinentry.type(PIN)
        desk.slot.before = pull
        await window.press(REVOKE)
        await see_told(window, "refused")
        desk.slot.before = lambda _command: None
        assert seen >= at, "there are not so many steps"
        assert await state_of(desk, serial) is CertificateState.VALID
        await desk.reader_noticed(window, has_card=False)
        desk.slot.insert_anew(desk.applet)
        await desk.reader_noticed(window, has_card=True)
        assert desk.tries == 5
    desk.pinentry.type(PIN)
    await window.press(REVOKE)
    await window.see("The certificates have ended")


@pytest.mark.req("JPKI-29", "JPKI-32")
async def test_the_pin_is_changed_in_the_agents_window(desk: Desk, chromium: Chromium) -> None:
    window = await desk.window(chromium)
    await window.go(desk.town.origin + PIN_PATH)
    desk.pinentry.type(PIN, NEW_PIN, NEW_PIN)
    await window.press("PIN for signing")
    await see_told(window, "done")
    for left in (4, 3, 2, 1):
        desk.pinentry.type(PIN, NEW_PIN, NEW_PIN)
        await window.press("PIN for signing")
        await window.see(f"Tries left: {left}")
        await within(window.page.locator("form[data-card][aria-busy=false]").wait_for())
    desk.pinentry.type(PIN, NEW_PIN, NEW_PIN)
    await window.press("PIN for signing")
    await window.see("The card is locked after too many wrong PINs")
    assert PIN not in await within(window.page.content())
