"""A real Chromium for journeys: the plugin ``support.browser`` with the fixture ``chromium``.

A window watches its page from the first byte: an error or warning on the console, an exception, a failed
request or a violated policy fails the test, whatever else it asserts. Every wait has an end.

    async def test_it(chromium: Chromium) -> None:
        window = await chromium.open(Look(language="ja", is_phone=True))
        await window.go(f"{origin}/enrol")
        await window.see("ご本人確認")
        await window.check_accessibility()
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, BrowserContext, Page, Playwright, async_playwright

from support.tools import require

T = TypeVar("T")

WAIT_S = 10.0
_FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]
_HOSTS = "MAP *.localhost 127.0.0.1, MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
# A switch that comes twice counts once: these are what playwright switches off, and then the menus below the
# address bar, which nobody sees here and which every window draws before its page.
_FEATURES_OFF = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
)
_AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
# What axe says of all that is well is a thousand times what it says of a fault; it stays in the page.
_AXE = f"axe.run({json.dumps(_AXE_OPTIONS)}).then((found) => found.violations)"
_OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Look:
    """How a window looks at the pages."""

    language: str = "en"
    is_phone: bool = False
    is_dark: bool = False
    width: int = 0
    javascript: bool = True

    @property
    def options(self) -> dict[str, Any]:
        size = {"width": self.width or (390 if self.is_phone else 1280), "height": 844}
        scheme: Literal["dark", "light"] = "dark" if self.is_dark else "light"
        return {
            "viewport": size,
            "device_scale_factor": 2 if self.is_phone else 1,
            "has_touch": self.is_phone,
            "color_scheme": scheme,
            "locale": self.language,
            "java_script_enabled": self.javascript,
            "reduced_motion": "reduce",
        }


@dataclass
class Window:
    """One page of one browser profile."""

    context: BrowserContext
    page: Page
    complaints: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    def expect_complaint(self, pattern: str) -> None:
        """Let console lines that match pass: a refusal that the journey wants shows as a failed load."""
        self.expected.append(re.compile(pattern))

    async def go(self, url: str) -> int:
        """Open an address and return the status; streams keep the page from ever being idle."""
        response = await within(self.page.goto(url, wait_until="domcontentloaded"))
        return response.status if response is not None else 0

    async def see(self, text: str, *, within_s: float = WAIT_S) -> None:
        """Wait until the text is visible."""
        found = self.page.get_by_text(text).first
        await within(found.wait_for(state="visible", timeout=within_s * 1000), within_s + 1)

    async def press(self, name: str, *, role: Literal["button", "link"] = "button") -> None:
        """Press what has this accessible name."""
        await within(self.page.get_by_role(role, name=name).first.click())

    async def fill(self, label: str, value: str) -> None:
        """Type into the field of this label."""
        await within(self.page.get_by_label(label).fill(value))

    async def evaluate(self, script: str) -> Any:
        """Run a script; playwright's own evaluate has no time-out."""
        return await within(self.page.evaluate(script))

    async def check_accessibility(self) -> None:
        """No violation of WCAG 2.2 A and AA or of axe's best practices, and nothing beyond the width."""
        if not await self.evaluate("'axe' in globalThis"):
            await within(self.page.evaluate(AXE_SCRIPT), 30)
        violations = [
            f"{found['id']}: {found['help']} at {[node['target'] for node in found['nodes']][:5]}"
            for found in await within(self.page.evaluate(_AXE), 30)
        ]
        assert not violations, "\n".join(violations)
        assert await self.evaluate(_OVERFLOW) <= 0, "the page is wider than the window"

    async def hear_complaint(self, pattern: str) -> str:
        """Wait until the page complains of this, and return the complaint."""
        while True:
            self._heard.clear()
            found = next((line for line in self.complaints if re.search(pattern, line)), None)
            if found is not None:
                return found
            await within(self._heard.wait())

    def check_console(self) -> None:
        """Nothing was complained about that the journey did not expect."""
        unexpected = [
            line for line in self.complaints if not any(p.search(line) for p in self.expected)
        ]
        assert not unexpected, "\n".join(unexpected)

    def _watch(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")
            self._heard.set()


class Chromium:
    """Opens windows. Windows without a profile share one start of the browser and nothing else."""

    def __init__(self, playwright: Playwright, executable: Path, folder: Path) -> None:
        self._playwright = playwright
        self._folder = folder
        self._launch: dict[str, Any] = {
            "executable_path": executable,
            "args": [*_FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])],
            "timeout": 30_000,
        }
        self._led: list[str] = []
        self._browser: Browser | None = None
        self._exits = AsyncExitStack()
        self.windows: list[Window] = []

    def lead(self, origin: str, port: int) -> None:
        """Let an origin of fixed name and port be served elsewhere on loopback; before the first window."""
        assert self._browser is None, "the browser runs already"
        self._led.append(f"MAP {origin.partition('://')[2]} 127.0.0.1:{port}")

    def _arguments(self, *flags: str) -> list[str]:
        rules = f"--host-resolver-rules={', '.join([*self._led, _HOSTS])}"
        return [
            *self._launch["args"],
            f"--disable-features={','.join(_FEATURES_OFF)}",
            rules,
            *flags,
        ]

    async def open(
        self,
        look: Look | None = None,
        *,
        profile: str = "",
        flags: Sequence[str] = (),
        extension: Path | None = None,
    ) -> Window:
        """A window. With ``profile`` what it stores stays on disk, and a later window finds it again.

        ``flags`` and ``extension``, the folder of one, are for that browser alone, and need a profile.
        """
        options = (look or Look()).options
        context = await within(
            self._persistent(profile, options, flags, extension)
            if profile
            else self._fresh(options),
            40,
        )
        self._exits.push_async_callback(context.close)
        context.set_default_timeout(WAIT_S * 1000)
        page = context.pages[0] if context.pages else await within(context.new_page())
        window = Window(context, page)
        window._watch()
        self.windows.append(window)
        return window

    def profile(self, name: str) -> Path:
        """The data folder of a profile."""
        return self._folder / name

    async def _persistent(
        self, profile: str, options: dict[str, Any], flags: Sequence[str], extension: Path | None
    ) -> BrowserContext:
        start = self._playwright.chromium.launch_persistent_context
        launch = self._launch | {"args": self._arguments(*flags)}
        if extension is not None:
            only = (f"--disable-extensions-except={extension}", f"--load-extension={extension}")
            # Programs that the extension starts see what this test sees, not what the driver was started with.
            launch |= {
                "args": [*launch["args"], *only],
                "ignore_default_args": ["--disable-extensions"],
                "env": dict(os.environ),
            }
        return await start(self._folder / profile, **launch, **options)

    async def _fresh(self, options: dict[str, Any]) -> BrowserContext:
        if self._browser is None:
            launch = self._launch | {"args": self._arguments()}
            self._browser = await self._playwright.chromium.launch(**launch)
            self._exits.push_async_callback(self._browser.close)
        return await self._browser.new_context(**options)

    async def close(self) -> None:
        """Close all windows; a server that the test runs would else wait for their connections."""
        await within(self._exits.aclose(), 30)


async def within(attempt: Awaitable[T], seconds: float = WAIT_S + 2) -> T:
    """Await with an end."""
    async with asyncio.timeout(seconds):
        return await attempt


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Chromium]:
    """The browser; the test fails if a window of it complained."""
    executable = require("chromium")
    async with async_playwright() as playwright:
        browser = Chromium(playwright, executable, tmp_path)
        yield browser
        await browser.close()
    for window in browser.windows:
        window.check_console()
