"""What people carry away on paper: A4, black, nothing cut, with address and number; and the verify page in use."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.wire.evidence import evidence_bytes
from journeys.scenery import PROBE, Scenery, scenery
from journeys.test_every_page_browser import check, shoot
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.world import PLATFORM

pytestmark = pytest.mark.browser

A4_WIDTH = 794 - 2 * 60  # CSS pixels at 96 dpi, less the margins of 16 mm
HIDDEN = ("nav", ".button", ".skip")
COLOURS = """() => [...document.querySelectorAll('main *')].filter(each => each.checkVisibility())
  .map(each => getComputedStyle(each).color)"""
CUT = """() => [...document.querySelectorAll('main *')].filter(each => each.checkVisibility()
  && each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).overflowX !== 'visible'
  && !each.classList.contains('unseen')).map(each => each.outerHTML.slice(0, 120))"""
LOOKS = [
    Look(language="en"),
    Look(language="ja", width=360, is_dark=True),
    Look(language="zh-TW", width=360, javascript=True),
]
VALID = {"en": "Valid", "ja": "有効", "zh-TW": "有效"}


@pytest.fixture
async def place(
    sqlite_url: str, clock: StandingClock, tmp_path: Path, chromium: Chromium
) -> AsyncIterator[Scenery]:
    async with scenery(sqlite_url, clock, tmp_path) as made:
        chromium.lead(PLATFORM, made.port)
        yield made
        await chromium.close()


async def on_paper(window: Window, name: str, *, number: str = "") -> None:
    """The page as a printer gets it."""
    size = window.page.viewport_size
    assert size is not None
    await within(window.page.emulate_media(media="print"))
    await within(window.page.set_viewport_size({"width": A4_WIDTH, "height": 1000}))
    for selector in HIDDEN:
        for each in await within(window.page.locator(selector).all()):
            assert not await within(each.is_visible()), f"{name}: {selector} is printed"
    foot = await within(window.page.inner_text(".site-foot"))
    path = re.escape(window.page.url.partition("?")[0])
    assert re.search(path, foot), f"{name}: no address"
    assert await window.evaluate(CUT) == [], name
    assert (
        await window.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        <= 0
    ), f"{name}: cut"
    assert {"rgb(0, 0, 0)"} == set(await window.evaluate(COLOURS)), f"{name}: not black"
    if number:
        assert number in await within(window.page.inner_text("main")), name
    await shoot(window, f"paper-{name}")
    if folder := os.environ.get("SHOTS"):
        await within(window.page.pdf(path=Path(folder) / f"{name}.pdf", format="A4"))
    await within(window.page.emulate_media(media="screen"))
    await within(window.page.set_viewport_size(size))


async def send(window: Window, data: bytes) -> None:
    """Show the verify page a file."""
    file = {"name": "shown", "mimeType": "application/octet-stream", "buffer": data}
    await within(window.page.set_input_files("#file", file))  # type: ignore[arg-type]
    await within(window.page.locator("main form button").click())
    await within(window.page.wait_for_load_state("domcontentloaded"))


async def test_records_and_news_on_paper(place: Scenery, chromium: Chromium) -> None:
    window = await chromium.open()
    for role, path, number in (
        ("person", f"/my/records/{place.record}", ""),
        ("person", "/my/records", ""),
        ("", f"/news/{place.news}", place.news),
        ("", "/ca/handbook", ""),
        ("", "/help", ""),
        ("developer", f"/developer/applications/{place.draft.id}/documents/form", place.draft.id),
    ):
        await place.enter(window, role)
        assert await window.go(PLATFORM + path) == 200
        await on_paper(window, path.strip("/").replace("/", "-")[:40], number=number)


async def test_verifying_in_every_language(place: Scenery, chromium: Chromium) -> None:
    fetched = await place.session.receipt()
    certificate = (await place.world.citizen("lin")).certificate.der
    for look in LOOKS:
        window = await chromium.open(look)
        await window.go(f"{PLATFORM}/verify")
        await send(window, fetched.jws.encode())
        shown = await within(window.page.inner_text("main"))
        assert VALID[look.language] in shown
        assert PROBE in shown
        await shoot(window, f"verified-{look.language}")
        await check(window, look, f"receipt {look.language}")
        await on_paper(window, f"verified-{look.language}", number=place.session.id)
        await window.go(f"{PLATFORM}/verify")
        await send(window, certificate)
        await shoot(window, f"verified-certificate-{look.language}")
        await check(window, look, f"certificate {look.language}")
        await on_paper(window, f"certificate-{look.language}")


async def test_verifying_evidence_without_javascript(place: Scenery, chromium: Chromium) -> None:
    session = await place.world.identify(
        await place.world.agency("second", name="Second"),
        place.world.phones[0],
        purpose="file_return",
    )
    bundle, _ = await session.evidence()
    window = await chromium.open(Look(javascript=False))
    await window.go(f"{PLATFORM}/verify")
    await send(window, evidence_bytes(bundle))
    await window.see("The answer stands in the platform's audit log")


async def test_publishing_an_announcement_by_hand(place: Scenery, chromium: Chromium) -> None:
    window = await chromium.open(Look(language="en", width=360))
    await place.enter(window, "staff")
    await window.go(f"{PLATFORM}/console/news/write")
    for tag, own in (("en", "English"), ("ja", "日本語"), ("zh-Hant", "繁體中文")):
        await window.fill(f"Heading ({own})", f"Night work {tag} {PROBE}")
        await window.fill(f"Text ({own})", "The counters rest.\nPlease come on Monday.")
    await window.press("Look at it before publishing")
    await window.see("It will be read at once")
    await check(window, Look(language="en", width=360), "preview")
    await shoot(window, "preview")
    await window.press("Publish")
    article = window.page.locator("article", has_text="Night work")
    await within(article.get_by_role("link", name="Look at it").click())
    await window.see("Please come on Monday.")


async def test_a_reported_person_is_shown_for_a_reason(place: Scenery, chromium: Chromium) -> None:
    window = await chromium.open(Look(language="en", width=360, is_dark=True))
    await place.enter(window, "staff")
    await window.go(f"{PLATFORM}/console/reports")
    await window.fill("Why must you know who this is?", "the office was called")
    await window.press("Show")
    await window.see("This look was written down")
    await window.see("陳怡君")
    await check(window, Look(language="en", width=360, is_dark=True), "revealed")
    await shoot(window, "revealed")
