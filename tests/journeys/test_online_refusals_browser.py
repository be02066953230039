"""The online window in a real browser, when something is wrong: the card, the agent, the person, the authority in the card.

Whatever goes wrong is told in the reader's words, ends nothing, and the same page goes on afterwards.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from client.card_kinds import personalise
from counter.online_hands import counter_card, make_card
from inkan.client.piv_layout import ISSUERS, wrap_certificate
from inkan.crypto.keys import KeySpec
from inkan.pki import CertificateState
from journeys.online_agent import ADDRESS, SECRET
from journeys.online_place import (
    REVOKE,
    Place,
    ask_to_revoke,
    online_place,
    see_told,
    shoot,
)
from support import pki
from support.browser import Chromium, Look, within
from support.clock import StandingClock
from support.piv_applet import PivApplet

pytestmark = pytest.mark.browser


@pytest.fixture
async def place(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Place]:
    async with online_place(sqlite_url, clock, tmp_path) as made:
        yield made


@pytest.mark.req("JPKI-36", "JPKI-38")
async def test_a_forged_authority_in_the_card_is_named(place: Place, chromium: Chromium) -> None:
    card = await make_card(place.world)
    forged = pki.Authority.root("Inkan Test Root CA").der
    card.applet.containers[ISSUERS[0]] = wrap_certificate(forged)
    place.agent.reader.insert(card.applet)
    window = await place.open(chromium)
    await window.go(f"{place.origin}/online/card")
    await window.press("Signature certificate")
    await window.see("This is none of our certificates")
    await shoot(window, "forged-authority")
    await window.check_accessibility()


@pytest.mark.parametrize("step", ["hello", "certificates", "sign", "confirm"])
async def test_a_card_pulled_at_any_step_ends_nothing(
    place: Place, chromium: Chromium, step: str
) -> None:
    card = await counter_card(place.world)
    place.agent.reader.insert(card.applet)
    place.agent.before = lambda now: place.agent.reader.pull() if now == step else None
    window = await place.open(chromium)
    await ask_to_revoke(window, place)
    text = await see_told(window, "refused")
    assert "card" in text
    assert await place.state(card) is CertificateState.VALID
    await window.check_accessibility()
    # The card is put back, and the same page goes on.
    place.agent.before = lambda _: None
    place.agent.reader.insert(card.applet)
    await window.press(REVOKE)
    await window.see("The certificates have ended")


LANGUAGES = {
    "en": ("You declined. Nothing was signed.", "The PIN is wrong", "No card program was found"),
    "ja": ("要求を断りました", "暗証番号が正しくありません", "カードプログラムが見つかりません"),
    "zh-TW": ("您已拒絕", "密碼(PIN)錯誤", "找不到卡片程式"),
}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_refusals_are_told_in_the_readers_language(
    place: Place, chromium: Chromium, language: str
) -> None:
    declined, wrong, missing = LANGUAGES[language]
    card = await make_card(place.world)
    place.agent.reader.insert(card.applet)
    window = await place.open(chromium, Look(language=language, is_phone=True))
    place.agent.declines = True
    await window.go(f"{place.origin}/online/revoke")
    await within(window.page.locator("#cause-misused").check())
    await within(window.page.locator("#accepted").check())
    sign = window.page.locator('button[value="signature"]')
    await within(sign.click())
    assert declined in await see_told(window, "refused")
    place.agent.declines = False
    place.agent.pins["signature"] = "wrong00"
    await within(sign.click())
    await window.see(wrong)
    await window.check_accessibility()
    await within(
        window.page.evaluate("sessionStorage.clear(); sessionStorage.setItem('kept', 'x')")
    )
    await within(sign.click())
    await see_told(window, "card_agent_unpaired")
    await window.check_accessibility()
    await shoot(window, f"unpaired-{language}")
    place.agent.pins["signature"] = "Abc246"
    await within(window.page.locator("[data-card-secret]").fill(SECRET))
    await within(window.page.locator("[data-card-pair]").click())
    await within(window.page.locator(".receipt").wait_for())
    assert await place.state(card) is CertificateState.REVOKED
    await within(window.context.unroute(f"{ADDRESS}/v1"))
    window.expect_complaint("ERR_CONNECTION_REFUSED|Failed to load|Failed to fetch")
    await window.go(f"{place.origin}/online/pin")
    await within(window.page.locator('button[value="signature"]').click())
    assert missing in await see_told(window, "card_agent_missing")


async def test_a_foreign_an_expired_and_an_empty_card(place: Place, chromium: Chromium) -> None:
    window = await place.open(chromium)
    window.expect_complaint("403")
    place.agent.reader.insert(personalise(KeySpec.P256).applet)
    await ask_to_revoke(window, place)
    assert "was not issued here" in await see_told(window, "refused")
    assert "sign" not in place.agent.asked
    await window.go(f"{place.origin}/online/card")
    await window.press("Signature certificate")
    await window.see("This certificate was not issued here")
    await window.see("This is none of our certificates")
    place.agent.reader.pull()
    place.agent.reader.insert(PivApplet())
    await ask_to_revoke(window, place)
    await see_told(window, "empty")
    place.agent.reader.pull()
    late = await make_card(place.world, "lin", years=1)
    place.world.clock.advance(timedelta(days=366))
    place.agent.reader.insert(late.applet)
    await ask_to_revoke(window, place)
    assert "has expired" in await see_told(window, "refused")
    await window.go(f"{place.origin}/online/validity")
    await window.press("Signature certificate")
    await window.see("This certificate has expired")
