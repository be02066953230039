"""The wallet in a real browser, from the code to the approve screen: by a camera that sees the code change each second,
by a message, and from its own files when the server is gone (design §5.4, TW-36, TW-37)."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from inkan.client import EnrolmentClient, RelyingParty, Session
from inkan.client.session_view import FrameSource
from inkan.demo.country import Country, country
from inkan.enrolment.service.desk import draw_code
from inkan.enrolment.service.requests import get
from inkan.wire.binding import Door
from journeys.served_country import sign, start
from journeys.test_tax_office_browser import shoot
from support.browser import Chromium, Look, Window, within
from support.camera import camera_flags, film
from support.ports import free_port

pytestmark = pytest.mark.browser

LIVE_S = 25
PASSKEYS = {
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
class Town:
    """The running country, an agency, and what the phone's camera sees."""

    country: Country
    agency: RelyingParty
    camera: Path

    @property
    def wallet(self) -> str:
        return self.country.wallet_origin

    async def enrolment_frames(self, request: str) -> Callable[[int], str]:
        """What the enrolment page shows so many seconds from now."""
        parts = self.country.instance.platform.enrolment._parts
        held = await parts.db.read(get, request)
        now = parts.db.now()
        return lambda later: draw_code(parts, held, now + timedelta(seconds=later))

    def session_frames(self, session: Session) -> Callable[[int], str]:
        """What the agency's page shows so many seconds from now."""
        assert session.doors.qr is not None
        source = FrameSource(session.doors.qr, received_at=0)
        return lambda later: source.frame(max(0, later))

    def point(self, frames: Callable[[int], str], *, before: Sequence[str | None] = ()) -> None:
        """Hold the camera to a screen whose code changes each second; first to something else."""
        seen = range(len(before), LIVE_S)
        film(self.camera, [*before, *(frames(second) for second in seen)])


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        founded = await stack.enter_async_context(country(tmp_path / "home", port=free_port()))
        agency = RelyingParty(founded.credentials, anchors=founded.anchors)
        await stack.enter_async_context(agency)
        yield Town(founded, agency, tmp_path / "camera.y4m")


async def with_passkeys(window: Window) -> None:
    """Give this page an authenticator; it lives and dies with the page."""
    session = await window.context.new_cdp_session(window.page)
    await within(session.send("WebAuthn.enable"))
    await within(session.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEYS}))


async def screen(window: Window, name: str) -> None:
    """Wait until this screen is shown."""
    place = window.page.locator(f"main[data-screen={name}]")
    await within(place.wait_for(state="attached", timeout=15_000), 16)


async def bind(town: Town, window: Window) -> None:
    """From the first start to the bound phone; the code is scanned, the card signs as the digits say."""
    async with EnrolmentClient(town.country.platform_origin) as desk:
        await window.go(town.wallet)
        await window.press("I understand")
        await window.press("The page is open: go on")
        await window.fill("Name of this phone", "Pixel")
        started = await start(desk)
        town.point(await town.enrolment_frames(started.id))
        await window.press("Scan the code")
        await window.see("Type these 8 digits", within_s=20)
        label = await within(window.page.locator(".code").get_attribute("aria-label")) or ""
        digits = "".join(re.findall(r"\d", label))
        await started.submit(await sign(started, town.country.citizens["chen"], digits))
        await window.see("This phone is bound", within_s=20)


async def test_a_changing_code_is_scanned_and_approved(town: Town, chromium: Chromium) -> None:
    film(town.camera, [None])
    window = await chromium.open(
        Look(is_phone=True), profile="phone", flags=camera_flags(town.camera)
    )
    await with_passkeys(window)
    await bind(town, window)
    await window.press("Home")
    session = await town.agency.create_session("identify", purpose="login", doors=[Door.QR])
    frames = town.session_frames(session)
    old = frames(0)
    town.point(frames, before=["https://example.org/menu", old])
    await window.press("Scan the code to identify yourself")
    await window.see("This is not a code of the wallet")
    await screen(window, "approve")
    await window.see("國稅局")
    assert await shown_ms(window) >= 0
    print(f"decoded to approve screen: {await shown_ms(window):.0f} ms")
    await within(window.page.locator("#approve:enabled").click())
    await window.see("You approved")
    seen = await session.wait()
    assert seen.is_ok


async def shown_ms(window: Window) -> float:
    """From the decoded code to the drawn approve screen."""
    took: float = await window.evaluate(
        "performance.getEntriesByName('inkan-shown-approve').at(-1).startTime"
        " - performance.getEntriesByName('inkan-decoded').at(-1).startTime"
    )
    return took
