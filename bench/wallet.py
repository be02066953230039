"""The wallet in Chromium: how large its shell is, how soon it can be used, how long an approval takes.

A real browser with a virtual authenticator on loopback, the window of a phone; medians. First load is a browser without
any of the wallet's files, from the address to a screen that takes a press. "Scan to question" is from the decoded code
to the two buttons on the screen; "approve to page" from the press to the moment the office's page says so. The two
buttons rest for 500 ms by design, which is part of neither figure.
"""

import asyncio
import gzip
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.async_api import async_playwright

from inkan.client import RelyingParty
from inkan.demo.country import Country, country
from inkan.wallet.rules import ENTRY, STYLES
from inkan.web.templates import Templates
from journeys.wallet_window import WalletWindow
from support.browser import Chromium, Look, within
from support.tools import require

PORT = 8720
LOADS = 7
APPROVALS = 15
WALLET = Path(__file__).parents[1] / "src" / "inkan" / "wallet"

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Size, first load, scan, approval."""
    yield from _size()
    yield from asyncio.run(_measured())


def _size() -> Iterator[Row]:
    assets = Templates({"wallet": WALLET}).assets
    names = (*assets.closure(ENTRY), *STYLES)
    files = [assets.by_path[assets.url(name)] for name in names]
    sent = sum(len(file.compressed or file.body) for file in files)
    one = len(gzip.compress(b"".join(file.body for file in files)))
    note = f"{len(files)} files; as one file {one / 1000:.0f} kB"
    yield "wallet shell, gzip", "kB", sent / 1000, "<= 120", note


async def _measured() -> list[Row]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        founded = await stack.enter_async_context(country(folder / "home", port=PORT))
        playwright = await stack.enter_async_context(async_playwright())
        chromium = Chromium(playwright, require("chromium"), folder)
        stack.push_async_callback(chromium.close)
        loads = [await _load(chromium, founded) for _ in range(LOADS)]
        scans, approvals = await _approvals(chromium, founded)
    return [
        ("first load to a press", "s", statistics.median(loads), "<= 1", f"of {LOADS} browsers"),
        ("scan to question", "ms", 1000 * statistics.median(scans), "<= 300", f"of {APPROVALS}"),
        ("approve to page", "ms", 1000 * statistics.median(approvals), "<= 500", f"of {APPROVALS}"),
    ]


async def _load(chromium: Chromium, founded: Country) -> float:
    window = await chromium.open(Look(is_phone=True))
    started = time.perf_counter()
    await window.go(founded.wallet_origin)
    button = window.page.get_by_role("button", name="I understand")
    await within(button.click(trial=True))
    loaded = time.perf_counter() - started
    await window.context.close()
    return loaded


async def _approvals(chromium: Chromium, founded: Country) -> tuple[list[float], list[float]]:
    wallet = await WalletWindow.open(chromium, founded.wallet_origin)
    await wallet.bind(founded)
    scans, approvals = [], []
    async with RelyingParty(founded.credentials, anchors=founded.anchors) as agency:
        for _ in range(APPROVALS):
            session = await agency.create_session("identify", purpose="login")
            page = asyncio.create_task(session.wait(timeout_s=60))
            scans.append(await _scan(wallet, session.frame()))
            await wallet.choices()
            pressed = time.perf_counter()
            await wallet.window.press("Approve")
            await page
            approvals.append(time.perf_counter() - pressed)
            await wallet.window.see("You approved")
            await wallet.home()
    return scans, approvals


async def _scan(wallet: WalletWindow, frame: str) -> float:
    """From the address taken to the question on the screen, by the page's own clock."""
    await wallet.window.press("Scan the code to identify yourself")
    ways = wallet.window.page.locator("details.wallet-ways")
    await within(ways.evaluate("element => { element.open = true; }"))
    await wallet.window.fill("Address of the wallet", frame)
    started = time.perf_counter()
    await wallet.window.press("Open")
    await within(wallet.window.page.get_by_role("button", name="Approve", exact=True).wait_for())
    return time.perf_counter() - started
