"""The pages about certificates in a real browser: drop a file, read the verdict, move the tabs by keyboard, keep a page."""

import base64
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Locator

from inkan.crypto.certificate_file import pem
from inkan.kernel.sensitive import Secret
from inkan.pki import pages
from inkan.pki.service.showing import Showing
from inkan.store.connect import database as database_of
from inkan.web.app import Equipment, Site, build_app
from inkan.web.server import Server
from inkan.web.templates import Templates
from pki.hierarchies import across, add
from support import pki
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.inline_workers import InlineWorkers
from support.ports import free_port
from support.world import World, world_on

pytestmark = pytest.mark.browser

LOOKS = [
    Look(language=language, is_phone=is_phone, is_dark=is_dark)
    for language, is_phone, is_dark in [
        ("en", False, False),
        ("ja", False, True),
        ("ja", True, False),
        ("zh-TW", True, True),
    ]
]
OPEN = {"en": "Open", "ja": "開く", "zh-TW": "開啟"}
HTML_VIEW = {"en": "HTML view", "ja": "HTML表示", "zh-TW": "HTML 顯示"}
PATHS = ("/ca", "/ca/handbook", "/certificates/view", "/certificates/status")
DROP = """([name, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    document.querySelector("main").dispatchEvent(
      new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  }
}"""


@dataclass
class Place:
    """The pages of an instance with authorities of every shape, served on a port of their own."""

    origin: str
    world: World


@pytest.fixture
async def place(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Place]:
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with world_on(db, clock, tmp_path) as world:
        await add(db, across())
        await world.platform.pki.load()
        origin = f"http://id.localhost:{free_port()}"
        showing = Showing(pki=world.platform.pki, workers=InlineWorkers())
        site = Site(name="Inkan", origin=origin, groups=pages.routes(showing), menu=pages.MENU)
        equipment = Equipment(
            clock=clock,
            csrf_key=Secret(b"c" * 32),
            templates=Templates({"pki": pages.FOLDER}),
        )
        server = Server(build_app([site], equipment), port=int(origin.rpartition(":")[2]))
        async with server.running(grace_s=1):
            yield Place(origin, world)
    await db.close()


async def drop(window: Window, der: bytes, name: str = "file.cer") -> None:
    """Let a file fall onto the page."""
    sent = [name, base64.b64encode(der).decode()]
    await within(window.page.evaluate(DROP, sent))


async def choose(window: Window, contents: bytes) -> None:
    """Choose a file in the page's own field, as the keyboard does."""
    file = {"name": "c.cer", "mimeType": "application/pkix-cert", "buffer": contents}
    await within(window.page.locator("#file").set_input_files(file))


async def shoot(window: Window, name: str) -> None:
    """Keep a picture of the page where somebody asks for it (SHOTS names the folder)."""
    if folder := os.environ.get("SHOTS"):
        await within(window.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True))


def named(look: Look) -> str:
    return f"{look.language}-{'390' if look.is_phone else '1280'}-{'dark' if look.is_dark else 'light'}"


async def test_every_page_in_every_look(place: Place, chromium: Chromium) -> None:
    issued = (await place.world.citizen()).certificate
    for look in LOOKS:
        window = await chromium.open(look)
        for path in PATHS:
            assert await window.go(place.origin + path) == 200
            await shoot(window, f"{named(look)}{path.replace('/', '-')}")
            await window.check_accessibility()
        await within(window.page.locator("#authority").select_option("card"))
        await within(window.page.locator("#serial").fill(issued.serial))
        await within(window.page.locator("#serial").press("Enter"))
        await within(window.page.locator(".notice-done").wait_for())
        await shoot(window, f"{named(look)}-status-valid")
        await window.go(f"{place.origin}/certificates/view")
        await choose(window, issued.der)
        await window.press(OPEN[look.language])
        await within(window.page.locator("[role=tab]").first.wait_for())
        await shoot(window, f"{named(look)}-basic")
        await window.check_accessibility()
        await within(window.page.locator("[role=tab]").nth(1).click())
        await shoot(window, f"{named(look)}-detail")
        await window.check_accessibility()


async def test_nothing_is_wider_than_the_smallest_phone(place: Place, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_phone=True, width=360))
    for path in PATHS:
        await window.go(place.origin + path)
        await window.check_accessibility()


@pytest.mark.req("JPKI-36")
async def test_a_dropped_file_is_compared_in_the_browser_alone(
    place: Place, chromium: Chromium
) -> None:
    window = await chromium.open()
    sent: list[str] = []
    await window.go(f"{place.origin}/ca")
    window.page.on("request", lambda request: sent.append(f"{request.method} {request.url}"))
    root = place.world.platform.pki.hierarchy.get("root").certificate
    for contents in (root, pem(root).encode()):
        await drop(window, contents)
        await within(ours(window).wait_for())
        assert "Inkan Test Root CA" in (await within(ours(window).inner_text()))
        await shoot(window, "verdict-ours")
        await window.check_accessibility()
        await drop(window, pki.Authority.root("Inkan Test Root CA").der)
        await within(ours(window).wait_for(state="hidden"))
        await window.see("This is none of our certificates")
        await shoot(window, "verdict-stranger")
        await window.check_accessibility()
    await drop(window, b"hello")
    await window.see("This file holds no certificate")
    await drop(window, b"\x30\x82\x10\x00" + pem(root).encode())
    await window.see("This is none of our certificates")
    # The browser may still fetch the page's own files; nothing that could carry the file leaves.
    assert [line for line in sent if not line.startswith(f"GET {place.origin}/static/")] == []


async def test_a_chosen_file_is_compared_by_keyboard(place: Place, chromium: Chromium) -> None:
    window = await chromium.open(Look(is_dark=True))
    await window.go(f"{place.origin}/ca")
    await choose(window, place.world.platform.pki.hierarchy.get("root").certificate)
    await within(ours(window).wait_for())
    await within(window.page.locator("#file").focus())
    await within(window.page.keyboard.press("Tab"))
    focused = "() => document.activeElement.textContent"
    assert await window.evaluate(focused) == "Compare"
    await within(window.page.keyboard.press("Enter"))
    await within(ours(window).wait_for())


@pytest.mark.req("JPKI-15")
async def test_the_tabs_move_by_keyboard(place: Place, chromium: Chromium) -> None:
    window = await chromium.open()
    await window.go(f"{place.origin}/certificates/view")
    await drop(window, (await place.world.citizen()).certificate.der)
    await within(window.page.locator("[role=tab]").first.wait_for())
    await within(window.page.locator("[role=tab]").first.focus())
    for key, shown in [
        ("ArrowRight", "detail"),
        ("ArrowRight", "basic"),
        ("ArrowLeft", "detail"),
        ("Home", "basic"),
        ("End", "detail"),
    ]:
        await within(window.page.keyboard.press(key))
        visible = await window.evaluate(
            "() => [...document.querySelectorAll('[role=tabpanel]')].filter(p => !p.hidden).map(p => p.id)"
        )
        assert visible == [shown], key
        assert await window.evaluate("() => document.activeElement.id") == f"tab-{shown}"
    assert (
        await window.evaluate(
            "() => document.querySelectorAll('[role=tab][tabindex=\"0\"]').length"
        )
        == 1
    )
    await window.press("Close", role="link")
    await window.see("Or paste it")


@pytest.mark.req("JPKI-15")
async def test_the_html_view_stands_alone_when_it_is_saved(
    place: Place, chromium: Chromium, tmp_path: Path
) -> None:
    window = await chromium.open(Look(language="ja"))
    await window.go(f"{place.origin}/certificates/view")
    await choose(window, (await place.world.citizen()).certificate.der)
    await window.press(OPEN["ja"])
    await window.press(HTML_VIEW["ja"])
    await within(window.page.locator("code").wait_for())
    await shoot(window, "html-view")
    await window.check_accessibility()
    saved = tmp_path / "certificate.html"
    saved.write_text(await within(window.page.content()), encoding="utf-8")
    offline = await chromium.open(Look(is_phone=True))
    await offline.go(saved.as_uri())
    await offline.see("陳怡君")
    await shoot(offline, "html-view-saved")
    await offline.check_accessibility()


@pytest.mark.req("JPKI-37")
async def test_the_handbook_page_prints_thumbprints_and_nothing_of_the_site(
    place: Place, chromium: Chromium
) -> None:
    window = await chromium.open(Look(is_dark=True))
    await window.go(f"{place.origin}/ca/handbook")
    await within(window.page.emulate_media(media="print"))
    await shoot(window, "handbook-print")
    for hidden in (".site-menu", ".languages", ".screen-only"):
        assert not await within(window.page.locator(hidden).first.is_visible()), hidden
    await window.see("Second way")
    assert await within(window.page.locator(".handbook-thumbprint").first.is_visible())


async def test_it_works_without_javascript(place: Place, chromium: Chromium) -> None:
    window = await chromium.open(Look(javascript=False))
    root = place.world.platform.pki.hierarchy.get("root").certificate
    await window.go(f"{place.origin}/ca")
    await choose(window, root)
    await window.press("Compare")
    await window.see("This is one of our certificates")
    await window.go(f"{place.origin}/certificates/view")
    await within(window.page.locator("#text").fill(pem(root)))
    await window.press("Open")
    for part in ("#basic", "#detail"):
        assert await within(window.page.locator(part).is_visible())
    await window.press("Detail", role="link")
    await window.press("HTML view")
    await within(window.page.locator("code").wait_for())
    await window.go(f"{place.origin}/certificates/status")
    await choose(window, (await place.world.citizen()).certificate.der)
    await window.press("Ask with this file")
    await window.see("This certificate is valid")


def ours(window: Window) -> Locator:
    """The verdict that a file is one of ours."""
    return window.page.locator('[data-outcome="ours"]')
