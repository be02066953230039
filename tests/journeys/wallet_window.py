"""A wallet in a browser: a phone-sized window on the wallet's origin, with a virtual authenticator for its passkeys.

Everything is done as a person does it, by pressing and typing; codes are typed into the field that a test country has
beside the camera (the camera itself: ``test_wallet_scan_browser.py``).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import CDPSession

from inkan.client import EnrolmentClient
from inkan.demo.country import Country
from journeys.served_country import sign, start
from support.browser import Chromium, Look, Window, within

AUTHENTICATOR = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "hasPrf": True,
    "automaticPresenceSimulation": True,
    "isUserVerified": True,
}


@dataclass
class WalletWindow:
    """A wallet that people look at. Its words are English: other languages are looked at where texts are tested."""

    window: Window
    origin: str
    cdp: CDPSession
    authenticator: str

    @classmethod
    async def open(
        cls,
        chromium: Chromium,
        origin: str,
        look: Look | None = None,
        *,
        profile: str = "",
        has_screen_lock: bool = True,
    ) -> "WalletWindow":
        """A fresh wallet, past its first notice."""
        window = await chromium.open(look or Look(is_phone=True), profile=profile)
        cdp = await within(window.context.new_cdp_session(window.page))
        authenticator = ""
        if has_screen_lock:
            await within(cdp.send("WebAuthn.enable"))
            options = {"options": AUTHENTICATOR}
            made = await within(cdp.send("WebAuthn.addVirtualAuthenticator", options))
            authenticator = made["authenticatorId"]
        wallet = cls(window, origin, cdp, authenticator)
        assert await window.go(origin) == 200
        await window.press("I understand")
        return wallet

    async def bind(
        self, country: Country, citizen: str = "chen", *, name: str = "My phone"
    ) -> None:
        """Bind it with a citizen's card, from the first screen to home."""
        await self.join(country, citizen, name=name)
        await self.window.see("This phone is bound")
        await self.window.press("Home")

    async def join(self, country: Country, citizen: str, *, name: str) -> None:
        """Scan the enrolment's code, and have the card sign for the digits that the wallet shows."""
        async with EnrolmentClient(country.platform_origin) as desk:
            started = await start(desk)
            await self.window.press("The page is open: go on")
            await self.window.fill("Name of this phone", name)
            await self.window.press("Scan the code")
            await self.enter(started.frame)
            digits = await self.digits()
            await started.submit(await sign(started, country.citizens[citizen], digits))

    async def digits(self) -> str:
        """The digits on the screen."""
        label = await within(self.window.page.locator(".code").get_attribute("aria-label"))
        return "".join(each for each in label or "" if each.isdigit())

    async def scan(self, frame: Callable[[], str | Awaitable[str]]) -> None:
        """From home: scan a service's code and see what it asks."""
        await self.window.press("Scan the code to identify yourself")
        await self.enter(frame)
        await self.choices()

    async def enter(self, frame: Callable[[], str | Awaitable[str]]) -> None:
        """Type an address where a person without a camera does; it is drawn at the last moment."""
        ways = self.window.page.locator("details.wallet-ways")
        # The wallet opens it by itself where there is no camera; a press might close it again.
        await within(ways.evaluate("element => { element.open = true; }"))
        drawn = frame()
        await self.window.fill(
            "Address of the wallet", drawn if isinstance(drawn, str) else await drawn
        )
        await self.window.press("Open")

    async def open_link(self, address: str) -> None:
        """Follow an address of the wallet, as a browser on the phone does."""
        await self.window.go("about:blank")
        await self.window.go(address)

    async def choices(self) -> None:
        """Wait until the two buttons take a press."""
        button = self.window.page.get_by_role("button", name="Approve", exact=True)
        await within(button.wait_for())
        await within(button.click(trial=True))

    async def approve(self) -> None:
        """Press, and see that it was taken."""
        await self.choices()
        await self.window.press("Approve")
        await self.window.see("You approved")

    async def press_by_keyboard(self, name: str) -> None:
        """Tab to the button of this name and press Enter, as somebody without a pointer does."""
        for _ in range(20):
            await within(self.window.page.keyboard.press("Tab"))
            focused = "document.activeElement.textContent"
            if (await self.window.evaluate(focused)).strip() == name:
                await within(self.window.page.keyboard.press("Enter"))
                return
        raise AssertionError(f"no way by keyboard to {name!r}")

    async def home(self) -> None:
        """Go to the first screen."""
        await self.window.press("Home")
        await self.window.see("Scan the code to identify yourself")

    async def recognise(self, *, is_user: bool) -> None:
        """Whether the phone recognises its owner from now on."""
        settings = {"authenticatorId": self.authenticator, "isUserVerified": is_user}
        await within(self.cdp.send("WebAuthn.setUserVerified", settings))

    async def text(self) -> str:
        """What stands on the screen."""
        return await within(self.window.page.locator("main").inner_text())

    async def memory(self) -> Any:
        """What the wallet keeps in its own database, as a script of its origin sees it."""
        return await self.window.evaluate(
            "indexedDB.databases().then(all => all.map(each => each.name))"
        )
