"""The wallet and the device it runs on, in a real browser without a platform: cameras that are denied or missing, the
reader of codes, messages, and its own files when there is no server or a new version (design §5.4)."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import segno
from playwright.async_api import Error

from inkan.wallet.rules import STYLES
from inkan.wallet.service import Shell
from inkan.web.languages import Language
from journeys.test_tax_office_browser import shoot
from support.browser import Chromium, Look, Window, within
from support.camera import camera_flags, film
from support.ports import free_port
from support.wallet_origin import built_reader, serving, wallet_shell

pytestmark = pytest.mark.browser

FRAME = "http://wallet.localhost:8480/q#1.AAAAAAAAAAAAAAAAAAAAAA.42.BBBBBBBBBBBBBBBBBBBBBA"
# What each language says when the camera is denied, is missing, is in use.
TEXTS = {
    "en": ("may not use the camera", "No camera was found", "The camera is in use"),
    "ja": ("カメラを使用できません", "カメラが見つかりません", "カメラは使用中です"),
    "zh-TW": ("無法使用相機", "找不到相機", "相機正在使用中"),
}  # fmt: skip


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def shell(port: int) -> Shell:
    return wallet_shell(port, reader=built_reader())


@pytest.fixture
async def wallet(shell: Shell, port: int) -> AsyncIterator[str]:
    async with serving(shell, port) as origin:
        yield origin


async def begin(window: Window, origin: str) -> None:
    """The first start, whose notice is read."""
    await window.go(origin)
    await within(window.page.locator("main button").first.click())
    await within(window.page.locator("main[data-screen=welcome]").wait_for())


async def show(window: Window, screen: str, **told: str) -> None:
    """Go to a screen as its history would."""
    state = json.dumps({"name": screen, "told": told})
    await window.evaluate(f"history.replaceState({state}, '', '/#{screen}')")
    await within(window.page.reload(wait_until="domcontentloaded"))
    await within(window.page.locator(f"main[data-screen={screen}]").wait_for())


async def module(window: Window, shell: Shell, name: str, script: str) -> Any:
    """Run a script with one of the wallet's modules as ``m``."""
    address = shell.templates.assets.url(f"wallet/{name}.js")
    return await window.evaluate(f"import('{address}').then(async (m) => {{ {script} }})")


# --- the reader ---------------------------------------------------------------------------------------

# Each is drawn from the same code: (turn in degrees, side in pixels, blur in pixels, contrast, inverted, tilt)
TURNS = [0, 7, 15, 30, 45, 60, 90, 135, 180, 200, 270, 315]
STILLS: list[dict[str, float | bool]] = [
    *({"turn": turn, "side": 300} for turn in TURNS),
    *({"turn": turn, "side": 300, "inverted": True} for turn in TURNS[:6]),
    *({"turn": 3, "side": 300, "blur": blur} for blur in (0.5, 1, 1.5, 2, 2.5)),
    *({"turn": 2, "side": side} for side in (110, 120, 140, 160, 200, 440)),
    *({"turn": 4, "side": 300, "contrast": contrast} for contrast in (0.15, 0.25, 0.4, 0.6)),
    *({"turn": 5, "side": 320, "tilt": tilt} for tilt in (-0.3, -0.15, 0.15, 0.3)),
    *({"turn": 12, "side": 260, "blur": 1, "contrast": 0.4, "inverted": each} for each in (True, False)),
]  # fmt: skip
DRAW = """
const detector = await m.openDetector(READER);
const rows = ROWS, found = [];
for (const each of STILLS) {
  const { turn = 0, side = 300, blur = 0, contrast = 1, inverted = false, tilt = 0 } = each;
  const code = new OffscreenCanvas(rows.length, rows.length), ink = code.getContext("2d");
  const half = 127 * contrast, light = 128 + half, dark = 128 - half;
  rows.forEach((row, y) => row.forEach((bit, x) => {
    const grey = Boolean(bit) !== inverted ? dark : light;
    ink.fillStyle = `rgb(${grey},${grey},${grey})`;
    ink.fillRect(x, y, 1, 1);
  }));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.videoWidth = 640;
  canvas.height = canvas.videoHeight = 480;
  const wall = canvas.getContext("2d");
  const grey = inverted ? dark : light;
  wall.fillStyle = `rgb(${grey},${grey},${grey})`;
  wall.fillRect(0, 0, 640, 480);
  wall.imageSmoothingEnabled = false;
  wall.filter = blur ? `blur(${blur}px)` : "none";
  wall.translate(320, 240);
  wall.transform(1, tilt, 0, 1, 0, 0);
  wall.rotate((turn * Math.PI) / 180);
  wall.drawImage(code, -side / 2, -side / 2, side, side);
  found.push(await detector.look(canvas));
}
detector.close();
return { kind: detector.kind, found };
"""


async def test_codes_are_read_turned_blurred_dim_small_or_inverted(
    chromium: Chromium, shell: Shell, wallet: str
) -> None:
    assert len(STILLS) >= 30
    window = await chromium.open(Look())
    await window.go(wallet)
    matrix = segno.make(FRAME, error="m", micro=False).matrix_iter(border=4)
    rows = [[int(bool(dark)) for dark in row] for row in matrix]
    script = DRAW
    for name, value in [("READER", paths(shell)), ("ROWS", rows), ("STILLS", STILLS)]:
        script = script.replace(name, json.dumps(value))
    seen = await module(window, shell, "detector", script)
    assert seen["kind"] == "reader"
    missed = [still for still, texts in zip(STILLS, seen["found"], strict=True) if texts != [FRAME]]
    print(f"stills read: {len(STILLS) - len(missed)} of {len(STILLS)}")
    assert missed == []
    await check_native(window, shell)


def paths(shell: Shell) -> dict[str, str]:
    assert shell.reader is not None
    return {"script": shell.reader.script.path, "wasm": shell.reader.wasm.path}


async def check_native(window: Window, shell: Shell) -> None:
    """The browser's own reader is taken first, if it reads QR codes and works."""
    pick = """
      globalThis.BarcodeDetector = class {
        static getSupportedFormats = FORMATS;
        async detect() { return [{ rawValue: "seen" }]; }
      };
      const found = await m.openDetector(null).catch((error) => ({ kind: error.code }));
      return [found.kind, await found.look?.(null)];
    """
    can = pick.replace("FORMATS", "async () => ['aztec', 'qr_code']")
    assert await module(window, shell, "detector", can) == ["browser", ["seen"]]
    cannot = pick.replace("FORMATS", "async () => ['aztec']")
    assert (await module(window, shell, "detector", cannot))[0] == "reader_none"
    broken = pick.replace("FORMATS", "async () => { throw new Error('no service') }")
    assert (await module(window, shell, "detector", broken))[0] == "reader_none"


# --- cameras ------------------------------------------------------------------------------------------


async def test_without_a_camera_the_screen_says_what_to_do(chromium: Chromium, wallet: str) -> None:
    for language, (denied, none, in_use) in TEXTS.items():
        window = await chromium.open(Look(language=language, width=360, is_dark=language == "ja"))
        await begin(window, wallet)
        await refuse_camera(window, "NotFoundError")
        await show(window, "scan", want="session")
        await window.see(none)
        await refuse_camera(window, "NotAllowedError")
        await show(window, "scan", want="session")
        await window.see(denied)
        await shoot(window, f"wallet-scan-denied-{language}")
        await window.check_accessibility()
        await window.evaluate(refusing("NotReadableError"))
        await within(window.page.locator(".notice + .button").click())
        await window.see(in_use)


def refusing(name: str) -> str:
    """The browser's camera answers so."""
    return f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{name}') }};0"


async def refuse_camera(window: Window, name: str) -> None:
    """From the next page on the browser answers so."""
    await window.page.add_init_script(refusing(name))


async def test_the_camera_is_off_while_nobody_looks(
    chromium: Chromium, wallet: str, tmp_path: Path
) -> None:
    camera = tmp_path / "camera.y4m"
    film(camera, ["https://example.org/menu", None])
    look = Look(is_phone=True)
    window = await chromium.open(look, profile="phone", flags=camera_flags(camera))
    await begin(window, wallet)
    await window.page.add_init_script("""
      const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => {
        globalThis.tracks = (await ask(wanted).then((s) => (globalThis.stream = s))).getTracks();
        return globalThis.stream;
      };
      const choose = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getDisplayMedia = async (wanted) => {
        const stream = await choose(wanted);
        globalThis.screens = stream.getTracks();
        return stream;
      };
      globalThis.screens = [];
    """)
    await show(window, "scan", want="enrolment")
    await window.see("This is not a code of the wallet")
    await shoot(window, "wallet-scan-en")
    await window.check_accessibility()
    assert await window.evaluate("tracks.map((each) => each.readyState)") == ["live"]
    label = await window.evaluate("tracks[0].label")
    assert label == str(camera), "it is the film that is seen"
    await hide(window, is_hidden=True)
    await until(window, "tracks.every((each) => each.readyState === 'ended')")
    await hide(window, is_hidden=False)
    await until(window, "tracks.some((each) => each.readyState === 'live')")
    await within(window.page.locator("summary").click())
    await window.press("Look at another window of this computer")
    await until(
        window,
        "screens[0]?.readyState === 'live' && tracks.every((each) => each.readyState === 'ended')",
    )
    await window.press("Back")
    await within(window.page.locator("main:not([data-screen=scan])").wait_for())
    await until(window, "screens.every((each) => each.readyState === 'ended')")


async def hide(window: Window, *, is_hidden: bool) -> None:
    """What the browser tells a page that is put aside."""
    state = "hidden" if is_hidden else "visible"
    await window.evaluate(f"""(() => {{
      Object.defineProperty(document, 'visibilityState', {{ value: '{state}', configurable: true }});
      document.dispatchEvent(new Event('visibilitychange'));
    }})()""")


async def until(window: Window, condition: str) -> None:
    await within(window.page.wait_for_function(f"() => {condition}", timeout=9_000))


# --- its own files --------------------------------------------------------------------------------------


async def controlled(window: Window) -> None:
    """Wait until the service worker has everything and answers for this page."""
    await until(window, "navigator.serviceWorker.controller !== null")


async def test_it_starts_when_the_server_is_gone_and_asks_the_server_for_all_else(
    chromium: Chromium, shell: Shell, port: int
) -> None:
    window = await chromium.open(Look())
    later = "caches.open('inkan-later').then((c) => c.keys()).then((k) => k.map(({ url }) => new URL(url).pathname))"
    async with serving(shell, port) as origin:
        await begin(window, origin)
        await controlled(window)
        read = f"return (await m.openDetector({json.dumps(paths(shell))})).kind"
        assert await module(window, shell, "detector", read) == "reader"
        # The browser's own cache has it too, for a while: what counts is what the worker keeps.
        assert set(await window.evaluate(later)) == set(paths(shell).values())
        window.expect_complaint("404")
        assert await window.go(f"{origin}/s/of-the-platform") == 404
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(f"http://127.0.0.1:{port}/")
    window.expect_complaint("ERR_CONNECTION_REFUSED")
    assert await window.go(origin) == 200
    await window.see("Bind this phone")
    styles = await window.evaluate("getComputedStyle(document.body).backgroundColor")
    assert styles == "rgb(250, 248, 243)"
    assert await module(window, shell, "detector", read) == "reader", "it was used once"
    assert await window.go(f"{origin}/q") == 200
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        await window.go(f"{origin}/s/of-the-platform")


async def test_a_new_version_is_offered_and_taken_as_a_whole(
    chromium: Chromium, shell: Shell, port: int
) -> None:
    window = await chromium.open(Look())
    running = "JSON.parse(document.querySelector('meta[name=settings]').content).version"
    caches = (
        "caches.keys().then((names) => names.filter((name) => name.startsWith('inkan-wallet-')))"
    )
    async with serving(shell, port) as origin:
        await begin(window, origin)
        await controlled(window)
        before = await window.evaluate(caches)
        assert len(before) == 1
    async with serving(wallet_shell(port, version="2", reader=shell.reader), port) as origin:
        await window.go(origin)
        assert await window.evaluate(running) == "1", "the old one as long as nobody takes the new"
        await window.see("A new version of the wallet is here")
        await window.check_accessibility()
        assert len(await window.evaluate(caches)) == 2
        async with window.page.expect_navigation(wait_until="domcontentloaded"):
            await window.press("Change to it")
        await until(window, f"{running} === '2'")
        after = await window.evaluate(caches)
        assert len(after) == 1
        assert after != before


def test_the_files_of_a_start_are_small(shell: Shell) -> None:
    assets = shell.templates.assets
    sizes = {name: size(shell, name) for name in assets.closure("wallet/app.js")}
    sizes |= {name: size(shell, name) for name in STYLES}
    total = sum(sizes.values()) + len(gzip.compress(shell.pages[Language.EN]))
    print(f"wallet shell: {total / 1000:.1f} kB in {len(sizes) + 1} files, gzip")
    assert total <= 120_000


def size(shell: Shell, name: str) -> int:
    asset = shell.templates.assets.by_path[shell.templates.assets.url(name)]
    return len(asset.compressed or asset.body)


# --- messages -------------------------------------------------------------------------------------------


async def test_a_message_says_that_something_waits_and_nothing_else(
    chromium: Chromium, shell: Shell, wallet: str
) -> None:
    window = await chromium.open(Look(language="zh-TW"))
    await window.context.grant_permissions(["notifications"], origin=wallet)
    await begin(window, wallet)
    await controlled(window)
    await window.evaluate("addEventListener('inkan-waiting', () => { globalThis.woken = true })")
    session = await window.context.new_cdp_session(window.page)
    found: list[str] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(each["registrationId"] for each in told["registrations"]),
    )
    await within(session.send("ServiceWorker.enable"))
    while not found:
        await within(asyncio.sleep(0.02))
    message = {"origin": wallet, "registrationId": found[0], "data": "handle-of-a-push"}
    await within(session.send("ServiceWorker.deliverPushMessage", message))
    await until(window, "globalThis.woken === true")
    listed = """(async () => {
      const registration = await navigator.serviceWorker.getRegistration();
      for (let tries = 0; tries < 50; tries += 1) {
        const shown = await registration.getNotifications();
        if (shown.length > 0) {
          return shown.map(({ title, body, tag, data, lang }) => ({ title, body, tag, data, lang }));
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return [];
    })()"""
    assert await window.evaluate(listed) == [
        {"title": "錢包中有一件待處理的請求", "body": "", "tag": "inkan-waiting", "data": None, "lang": "zh-Hant"}
    ]  # fmt: skip
    await hide(window, is_hidden=True)
    await hide(window, is_hidden=False)
    await until(window, "globalThis.woken === true")
    gone = "navigator.serviceWorker.getRegistration().then((r) => r.getNotifications()).then((n) => n.length)"
    for _ in range(50):
        if await window.evaluate(gone) == 0:
            break
    else:
        raise AssertionError("who looks at the wallet needs no notification")
    await check_silent_service(window, shell)


async def check_silent_service(window: Window, shell: Shell) -> None:
    """A message service that never answers ends in a fault with words of its own."""
    await window.page.clock.install()
    await within(window.page.reload(wait_until="domcontentloaded"))
    await controlled(window)
    address = shell.templates.assets.url("wallet/push.js")
    await window.evaluate(f"""(() => {{
      PushManager.prototype.subscribe = () => new Promise(() => {{ globalThis.asked = true }});
      const phone = {{ pushKey: async () => new Uint8Array(65), subscribe: async () => {{ globalThis.told = true }} }};
      import('{address}').then((m) => m.turnOn(phone)).then(() => 'on', (error) => error.code)
        .then((end) => {{ globalThis.ended = end }});
    }})()""")
    await until(window, "globalThis.asked === true")
    await within(window.page.clock.fast_forward(11_000))
    await until(window, "globalThis.ended !== undefined")
    assert await window.evaluate("[ended, globalThis.told ?? false]") == ["push_timeout", False]
    assert await window.evaluate("localStorage.getItem('inkan.push')") is None
