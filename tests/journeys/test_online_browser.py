"""The online window in a real browser: a card looked at, checked, given a new PIN and ended; and every way it fails.

The agent stands in for the program beside the browser (``online_agent``); the page's script, the card and the
instance are the real ones.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from counter.online_hands import counter_card, make_card
from inkan.pki import CertificateState, RevocationReason, Showing
from journeys.online_place import (
    Place,
    ask_to_revoke,
    named,
    online_place,
    see_told,
    shoot,
    told,
)
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.inline_workers import InlineWorkers
from support.piv_applet import PivApplet
from support.world import CLERK

pytestmark = pytest.mark.browser

LOOKS = [
    Look(language="en"),
    Look(language="ja", is_dark=True),
    Look(language="zh-TW", is_phone=True),
    Look(language="ja", is_phone=True, is_dark=True),
]
PATHS = (
    "/online",
    "/online/card",
    "/online/validity",
    "/online/pin",
    "/online/revoke",
    "/online/readers",
    "/online/prepare",
    "/online/terms",
    "/online/inquiries",
)


@pytest.fixture
async def place(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Place]:
    async with online_place(sqlite_url, clock, tmp_path) as made:
        yield made


async def test_every_page_in_every_look(place: Place, chromium: Chromium) -> None:
    card = await counter_card(place.world)
    place.agent.reader.insert(card.applet)
    for look in LOOKS:
        window = await place.open(chromium, look)
        for path in PATHS:
            assert await window.go(place.origin + path) == 200
            await shoot(window, f"{named(look)}{path.replace('/', '-')}")
            await window.check_accessibility()
        for path, seen in (("/online/card", "#authorities"), ("/online/validity", ".notice-done")):
            await window.go(place.origin + path)
            await within(window.page.locator('button[value="signature"]').click())
            await within(window.page.locator(seen).wait_for())
            await shoot(window, f"{named(look)}{path.replace('/', '-')}-shown")
            await window.check_accessibility()
        await within(window.context.close())


@pytest.mark.req("JPKI-28", "JPKI-36", "JPKI-37", "JPKI-39")
async def test_the_card_is_looked_at_and_its_authority_compared_in_two_ways(
    place: Place, chromium: Chromium
) -> None:
    card = await counter_card(place.world)
    place.agent.reader.insert(card.applet)
    window = await place.open(chromium)
    await window.go(f"{place.origin}/online/card")
    await window.press("Signature certificate")
    await window.see("What the card holds")
    await window.see("This certificate is valid")
    facts = await within(window.page.locator("#basic").inner_text())
    for term in ("Name", "Date of birth", "Sex", "Address", "Date of issue", "Issuer"):
        assert term in facts
    assert "陳怡君" in facts
    assert "千代田区千代田1-1" in facts
    own = window.page.locator("section.card", has_text="Signed by itself").first
    assert "This is one of our certificates" in await within(own.inner_text())
    await type_from_paper(window, place)
    await window.press("Close", role="link")
    await window.see("Look at my certificates")
    await window.press("Authentication certificate")
    await window.see("This certificate is valid")


async def type_from_paper(window: Window, place: Place) -> None:
    """The handbook's thumbprint is typed, with a slip first."""
    root = place.world.platform.pki.hierarchy.get("root").certificate
    print_ = next(
        each.groups
        for each in Showing(pki=place.world.platform.pki, workers=InlineWorkers())
        .authorities()
        .all()
        if each.der == root
    )
    field_ = window.page.locator("[data-compare-typed]").first
    await within(field_.fill(" ".join(print_[:3]).lower()))
    await window.see("Groups that agree so far")
    slip = [*print_[:4], "0000" if print_[4] != "0000" else "1111", *print_[5:]]
    await within(field_.fill("-".join(slip)))
    await window.see("A group differs")
    assert await within(window.page.locator("[data-compare-number]").first.inner_text()) == "5"
    await shoot(window, "compare-different")
    await within(field_.fill("".join(print_)))
    await window.see("All sixteen groups agree")
    await window.check_accessibility()
    await shoot(window, "compare-same")


@pytest.mark.req("JPKI-27", "JPKI-35")
async def test_validity_is_told_of_the_card_in_the_reader(place: Place, chromium: Chromium) -> None:
    card = await make_card(place.world)
    place.agent.reader.insert(card.applet)
    window = await place.open(chromium)
    await window.go(f"{place.origin}/online/validity")
    await window.press("Signature certificate")
    await window.see("This certificate is valid")
    await window.see("Last day of validity")
    await place.world.platform.db.transact(
        lambda: place.world.platform.pki.revoke(
            card.signature.id, reason=RevocationReason.AFFILIATION_CHANGED, actor=CLERK
        )
    )
    await window.press("Signature certificate")
    await window.see("This certificate was revoked")
    await window.see("A fact in the certificate has changed")
    await shoot(window, "validity-revoked")
    file = {
        "name": "c.cer",
        "mimeType": "application/pkix-cert",
        "buffer": card.certificates["authentication"].der,
    }
    await within(window.page.locator("#file").set_input_files(file))  # type: ignore[arg-type]
    await window.press("Ask with this file")
    await window.see("This certificate is valid")


@pytest.mark.req("JPKI-29", "JPKI-32")
async def test_the_pin_is_changed_at_home_until_the_card_locks(
    place: Place, chromium: Chromium
) -> None:
    card = await make_card(place.world)
    place.agent.reader.insert(card.applet)
    place.agent.new_pin = "Xyz8603"
    window = await place.open(chromium)
    await window.go(f"{place.origin}/online/pin")
    await window.press("PIN for signing")
    assert "The PIN was changed" in await see_told(window, "done")
    await window.check_accessibility()
    for left in (4, 3, 2, 1):
        await window.press("PIN for signing")
        text = await see_told(window, "refused")
        assert f"Tries left: {left}" in text
        await within(window.page.locator("form[aria-busy=false]").first.wait_for())
    await window.press("PIN for signing")
    await window.see("The card is locked after too many wrong PINs")
    await shoot(window, "pin-locked")
    await window.check_accessibility()
    asked = len(place.agent.asked)
    await window.press("PIN for signing")
    await within(told(window, "refused").wait_for(state="visible"))
    await within(window.page.locator("form[aria-busy=false]").first.wait_for())
    assert place.agent.asked[asked:] == ["hello", "tries"]


@pytest.mark.req("JPKI-23", "JPKI-26", "JPKI-27")
async def test_a_card_ends_its_certificates(place: Place, chromium: Chromium) -> None:
    card = await counter_card(place.world)
    place.agent.reader.insert(card.applet)
    window = await place.open(chromium)
    await ask_to_revoke(window, place, "suspected_misuse")
    await window.see("The certificates have ended")
    await window.see("Notice of acceptance")
    await shoot(window, "revoked")
    await window.check_accessibility()
    assert await place.state(card) is CertificateState.REVOKED
    assert await place.state(card, "authentication") is CertificateState.REVOKED
    (giving,) = place.agent.shown
    assert giving.origin == place.world.platform.settings.origins.platform
    assert giving.lines == (("cause", "suspected_misuse"),)
    # Once more: the card is not even asked to sign.
    await ask_to_revoke(window, place)
    assert "was revoked" in await see_told(window, "refused")
    assert place.agent.asked.count("sign") == 1
    window.expect_complaint("403")


@pytest.mark.req("JPKI-18", "JPKI-41")
async def test_readers_are_looked_for(place: Place, chromium: Chromium) -> None:
    window = await place.open(chromium)
    await window.go(f"{place.origin}/online/readers")
    await window.press("Look for readers")
    assert "is empty" in await see_told(window, "done")
    place.agent.reader.insert(PivApplet())
    await window.press("Look for readers")
    await window.see("holds a card")
    await shoot(window, "readers-found")


async def test_without_javascript_the_pages_say_so(place: Place, chromium: Chromium) -> None:
    window = await chromium.open(Look(javascript=False))
    for path in ("/online/card", "/online/revoke", "/online/pin"):
        await window.go(place.origin + path)
        said = await within(window.page.locator("noscript").first.inner_text())
        assert "This step needs JavaScript" in said
