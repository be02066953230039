"""Every screen of the wallet beside the question, in three languages, by finger and by keyboard (TW-35 to TW-39).

    WALLET_PICTURES=docs/pictures pytest tests/journeys/test_wallet_screens_browser.py

keeps a picture of each screen in each language, as ``wallet-{screen}-{language}.png``.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from inkan.client.use_checks import verify_use
from inkan.demo.country import Country
from journeys.wallet_screens import LANGUAGES, OPEN_PHONE, PLAIN, PROBES, Said, Screens
from support.browser import Chromium, Look, within
from support.founded import founded_country
from support.pictures import keep

pytestmark = pytest.mark.browser

# Width, and whether it is dark: each screen is seen in another one in each language.
LOOKS = [(360, False), (390, True), (1280, False), (360, True), (1280, True), (390, False)]
PHONE = {"width": 390, "height": 844}
LATER = timedelta(days=330)
NOT_RECOGNISED = "authenticator_user_not_verified"

Way = Callable[[Screens], Awaitable[None]]


async def _from_more(wallet: Screens, go: Callable[[], Awaitable[None]]) -> None:
    """Out of a screen without a bar, by its way back, until there is one."""
    bar = wallet.window.page.locator("nav.wallet-bar")
    for _ in range(4):
        if await bar.is_visible():
            break
        before = await wallet.main.get_attribute("data-screen")
        await within(wallet.window.page.locator(".wallet-back").click())
        gone = wallet.window.page.locator(f"main:not([data-screen={before}])")
        await within(gone.wait_for())
    await go()


async def _freezing(wallet: Screens) -> None:
    await within(wallet.window.page.locator(".wallet-back").click())
    await wallet.shows("phones")
    await wallet.press("Stop all phones", "freezing")


# How each screen is come to, in the order of one walk. What names a button is the English sentence.
WAYS: list[tuple[str, Way]] = [
    ("home", lambda wallet: _from_more(wallet, lambda: wallet.tab("Home", "home"))),
    ("certificates", lambda wallet: wallet.tab("Certificates", "certificates")),
    ("certificate", lambda wallet: wallet.press("All fields", "certificate")),
    ("records", lambda wallet: _from_more(wallet, lambda: wallet.tab("Records", "records"))),
    ("record", lambda wallet: wallet.pick("Bureau of", "record")),
    ("phones", lambda wallet: _from_more(wallet, lambda: wallet.place("My phones", "phones"))),
    ("ending", lambda wallet: wallet.press("End this phone", "ending")),
    ("freezing", _freezing),
    ("news", lambda wallet: _from_more(wallet, lambda: wallet.place("Notices", "news"))),
    ("announcement", lambda wallet: wallet.pick("Counters", "announcement")),
    ("consents", lambda wallet: _from_more(wallet, lambda: wallet.place("Consents", "consents"))),
    ("browsers", lambda wallet: _from_more(wallet, lambda: wallet.place("Known browsers", "browsers"))),
    ("settings", lambda wallet: _from_more(wallet, lambda: wallet.place("Settings", "settings"))),
    ("deleting", lambda wallet: wallet.press("Delete this wallet", "deleting")),
    ("privacy", lambda wallet: _from_more(wallet, lambda: wallet.place("Privacy and official site", "privacy"))),
    ("help", lambda wallet: _from_more(wallet, lambda: wallet.place("Help", "help"))),
    ("more", lambda wallet: _from_more(wallet, lambda: wallet.tab("More", "more"))),
]  # fmt: skip


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Country]:
    async with founded_country(tmp_path / "country") as founded:
        yield founded


async def wallet_of(town: Country, chromium: Chromium, said: Said = PROBES) -> Screens:
    """A bound wallet, furnished, without the notice of the start."""
    wallet = await Screens.open(town, await chromium.open(Look(width=390)), said)
    await wallet.furnish()
    await wallet.window.press("I understand")
    return wallet


async def look(wallet: Screens, width: int, *, is_dark: bool) -> None:
    page = wallet.window.page
    await within(page.set_viewport_size({"width": width, "height": 844}))
    await within(page.emulate_media(color_scheme="dark" if is_dark else "light"))


async def keep_picture(wallet: Screens, name: str) -> None:
    """A picture as on a phone by day, where somebody asks for it."""
    if folder := os.environ.get("WALLET_PICTURES"):
        await look(wallet, PHONE["width"], is_dark=False)
        path = Path(folder) / f"wallet-{name}-{wallet.language}.png"
        await keep(wallet.window.page, path)


@pytest.mark.req("TW-35", "TW-36", "TW-38", "TW-39", "TW-70")
async def test_every_screen_in_every_language(town: Country, chromium: Chromium) -> None:
    said = PLAIN if os.environ.get("WALLET_PICTURES") else PROBES
    wallet = await wallet_of(town, chromium, said)
    looks = cycle(LOOKS)
    for language in LANGUAGES:
        await look(wallet, PHONE["width"], is_dark=False)
        await wallet.choose(language)
        next(looks)
        for name, go in WAYS:
            await go(wallet)
            width, is_dark = next(looks)
            await look(wallet, width, is_dark=is_dark)
            await wallet.window.check_accessibility()
            await wallet.check_probes()
            if language == "en":
                await wallet.check_keyboard()
            await keep_picture(wallet, name)


async def test_what_others_say_is_shown_as_text(town: Country, chromium: Chromium) -> None:
    wallet = await wallet_of(town, chromium)
    see = wallet.window.see
    await see(f"This phone: {PROBES.phone}")
    await wallet.tab("Records", "records")
    await see(PROBES.asker)
    await see(PROBES.purpose)
    await wallet.pick("Bureau of", "record")
    await see(PROBES.asker)
    await see(PROBES.purpose)
    await see(PROBES.phone)
    await wallet.check_probes()
    await _from_more(wallet, lambda: wallet.place("Notices", "news"))
    await see(PROBES.news)
    await wallet.pick("Counters", "announcement")
    await wallet.check_probes()
    assert await wallet.main.locator("h1").inner_text() == PROBES.news
    await _from_more(wallet, lambda: wallet.place("My phones", "phones"))
    await see(PROBES.phone)
    await wallet.press("End this phone", "ending")
    await see(f"End {PROBES.phone}")
    await wallet.check_probes()


async def download(wallet: Screens, sentence: str, path: Path) -> bytes:
    async with wallet.window.page.expect_download(timeout=10_000) as begun:
        await wallet.press(sentence)
    await within((await begun.value).save_as(path))
    return await asyncio.to_thread(path.read_bytes)


@pytest.mark.req("TW-36", "TW-38")
async def test_files_are_handed_out_and_hold(
    town: Country, chromium: Chromium, tmp_path: Path
) -> None:
    wallet = await wallet_of(town, chromium)
    await wallet.tab("Certificates", "certificates")
    await wallet.press("All fields", "certificate")
    der = await download(wallet, "Save the certificate (.cer)", tmp_path / "auth.cer")
    held = "btoa(String.fromCharCode(...phoneOfTest.bound.certificates.auth.der))"
    assert der == base64.b64decode(await wallet.window.evaluate(held))
    await wallet.window.see("Proving who one is")
    await _from_more(wallet, lambda: wallet.tab("Records", "records"))
    await wallet.pick("Bureau of", "record")
    proof = await download(wallet, "Download the proof", tmp_path / "proof.json")
    use = verify_use(proof, tuple(town.instance.platform.pki.anchors()))
    assert use.record.relying_party == PROBES.asker


@pytest.mark.req("TW-38", "TW-39")
async def test_uses_are_reported_and_what_was_given_is_taken_back(
    town: Country, chromium: Chromium
) -> None:
    wallet = await wallet_of(town, chromium)
    see = wallet.window.see
    await wallet.tab("Records", "records")
    await within(wallet.main.locator("select").select_option("failed"))
    await wallet.press("Show these")
    await within(wallet.main.locator(".wallet-place").nth(1).wait_for(state="detached"))
    assert await wallet.main.locator(".wallet-place").count() == 1
    await wallet.pick("Bureau of", "record")
    await see("Matched: you typed the code of the asking page")
    await wallet.press("I did not start this")
    await wallet.press("No")
    await wallet.press("I did not start this")
    await wallet.press("Report")
    await see("You reported this use")
    assert await wallet.button("I did not start this").count() == 0
    await _from_more(wallet, lambda: wallet.place("Consents", "consents"))
    await wallet.press("Withdraw this consent")
    await wallet.press("Withdraw")
    await see("withdrawn ·")
    await _from_more(wallet, lambda: wallet.place("Known browsers", "browsers"))
    before = await wallet.button("Forget this browser").count()
    await wallet.press("Forget this browser")
    await wallet.press("Forget")
    gone = wallet.main.locator("section.card").nth(before - 1)
    await within(gone.wait_for(state="detached"))
    await _from_more(wallet, lambda: wallet.tab("More", "more"))
    await see("2 new")
    await wallet.place("Notices", "news")
    await wallet.pick("Counters", "announcement")
    await wallet.press("All notices", "news")
    await _from_more(wallet, lambda: wallet.tab("More", "more"))
    await see("1 new")


@pytest.mark.req("TW-20", "TW-27")
async def test_who_is_not_recognised_tries_again_and_then_has_to_wait(
    town: Country, chromium: Chromium
) -> None:
    wallet = await wallet_of(town, chromium)
    see = wallet.window.see
    await wallet.place("Settings", "settings")
    await wallet.recognise(is_user=False)
    await wallet.press("Try it")
    await see(NOT_RECOGNISED)
    await wallet.recognise(is_user=True)
    await wallet.press("Try it")
    await within(wallet.main.get_by_text("You were recognised").first.wait_for())
    await wallet.recognise(is_user=False)
    for _ in range(3):
        await wallet.press("Try it")
        await within(wallet.main.get_by_role("alert").wait_for())
    await wallet.recognise(is_user=True)
    await wallet.press("Try it")
    await see("Too many failed tries")
    # Neither another screen nor another start of the wallet ends the pause.
    await within(wallet.window.page.reload(wait_until="domcontentloaded"))
    await wallet.shows("settings")
    await wallet.press("Try it")
    await see("Too many failed tries")
    await wallet.window.evaluate("localStorage.removeItem('inkan.cooldown')")
    await wallet.press("Try it")
    await see("You were recognised")


@pytest.mark.req("TW-32")
async def test_certificates_are_renewed_in_their_time(town: Country, chromium: Chromium) -> None:
    wallet = await wallet_of(town, chromium)
    await wallet.tab("Certificates", "certificates")
    assert await wallet.button("Renew").count() == 0
    before = await _ids(wallet)
    wallet.window.expect_complaint("403")  # the last recognition was long ago
    await town.leap(LATER)
    await wallet.learn_time(LATER)
    await wallet.tab("Certificates", "certificates")
    await wallet.press("Renew", "renewal")
    await wallet.press("Renew")
    await wallet.window.see("They hold until", within_s=40)
    await wallet.press("Certificates", "certificates")
    assert await wallet.button("Renew").count() == 0
    assert set(await _ids(wallet)).isdisjoint(before)


async def _ids(wallet: Screens) -> list[str]:
    held = "Object.values(phoneOfTest.bound.certificates).map((each) => each.id)"
    ids: list[str] = await wallet.window.evaluate(f"{OPEN_PHONE}.then(() => {held})")
    return ids


async def test_this_phone_is_ended_and_the_wallet_begins_anew(
    town: Country, chromium: Chromium
) -> None:
    wallet = await wallet_of(town, chromium)
    see = wallet.window.see
    await wallet.place("My phones", "phones")
    await wallet.press("End this phone", "ending")
    await within(wallet.main.locator("select").select_option("lost"))
    await wallet.press("Go on")
    await see("Its keys and this wallet's data are deleted.")
    boxes = [await wallet.button(name).bounding_box() for name in ("Keep it", "End it")]
    assert _size(boxes[0]) == _size(boxes[1]), "the answers weigh the same"
    wallet.window.expect_complaint("401")  # the live channel of a phone that has ended
    await wallet.press("End it")
    await see("The phone has ended")
    await wallet.window.check_accessibility()
    await wallet.press("Begin anew")
    await wallet.shows("welcome")
    assert await wallet.window.evaluate(f"({_RAW})") == []
    phones = await town.instance.platform.db.read(_live_phones)
    assert phones == []


def _size(box: Any) -> tuple[int, int]:
    return round(box["width"]), round(box["height"])


# Which entries the phone's database has, besides the channel key that a new start makes.
_RAW = """new Promise((resolve, reject) => {
  const opening = indexedDB.open("inkan-phone");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const keys = opening.result.transaction("memory").objectStore("memory").getAllKeys();
    keys.onsuccess = () => resolve(keys.result.filter((name) => ["bound", "prepared", "renewal"].includes(name)));
  };
})"""


def _live_phones() -> Any:
    import sqlalchemy as sa

    from inkan.enrolment.store import phone
    from inkan.store.query import Query

    rows = yield Query(sa.select(phone.c.id).where(phone.c.state != "revoked")).all()
    return [row.id for row in rows]


async def test_all_phones_are_stopped_by_keyboard_alone(town: Country, chromium: Chromium) -> None:
    wallet = await wallet_of(town, chromium)
    for name, screen in (
        ("More", "more"),
        ("My phones", "phones"),
        ("Stop all phones", "freezing"),
    ):
        await _tab_to(wallet, name)
        await within(wallet.window.page.keyboard.press("Enter"))
        await wallet.shows(screen)
    await _tab_to(wallet, "Stop all")
    await within(wallet.window.page.keyboard.press("Enter"))
    await wallet.window.see("Nothing can be approved or signed with them.")
    await wallet.window.check_accessibility()
    wallet.window.expect_complaint("401|403")
    await wallet.press("Delete this wallet", "deleting")
    await wallet.press("Delete only")
    await wallet.press("Delete")
    await wallet.window.see("The wallet is deleted")


async def _tab_to(wallet: Screens, name: str) -> None:
    page = wallet.window.page
    wanted = page.get_by_role("button", name=name, exact=name == "Stop all")
    for _ in range(40):
        await within(page.keyboard.press("Tab"))
        if await within(wanted.and_(page.locator(":focus")).count()):
            return
    pytest.fail(f"{name} is out of the keyboard's reach")
