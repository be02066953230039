"""The wallet in a real browser, from the code to the approve screen: by a camera that sees the code change each second,
by a message, and from its own files when the server is gone (design §5.4)."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from inkan.client import EnrolmentClient, RelyingParty, Session
from inkan.client.session_view import FrameSource, SubjectHint
from inkan.demo.country import Country
from inkan.enrolment.service.desk import draw_code
from inkan.enrolment.service.requests import get
from inkan.kernel.sensitive import Personal
from inkan.wire.binding import Door
from journeys.served_country import sign, start
from journeys.test_tax_office_browser import shoot
from support.browser import Chromium, Look, Window, within
from support.camera import camera_flags, film
from support.founded import founded_country

pytestmark = pytest.mark.browser

LIVE_S = 18
STALE_S = 90
"""A code of another second is as stale ahead of its time as behind it."""
CHEN = "A234567893"
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
    stop: Callable[[], Awaitable[None]]

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
        founded = await stack.enter_async_context(founded_country(tmp_path / "home"))
        agency = RelyingParty(founded.credentials, anchors=founded.anchors)
        await stack.enter_async_context(agency)
        yield Town(founded, agency, tmp_path / "camera.y4m", stack.aclose)


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


@pytest.mark.req("TW-37")
async def test_the_wallet_scans_is_called_and_starts_without_a_server(
    town: Town, chromium: Chromium
) -> None:
    film(town.camera, [None])
    flags = camera_flags(town.camera)
    window = await chromium.open(Look(is_phone=True), profile="phone", flags=flags)
    await with_passkeys(window)
    await bind(town, window)
    await window.press("Home")
    await scan_and_approve(town, window)
    await window.press("Home")
    await be_called(town, window)
    await scan_the_other_kind(town, window)
    await start_without_server(town, window)


async def scan_and_approve(town: Town, window: Window) -> None:
    """A foreign code is named, a stale one passed over, the present one opens the question."""
    session = await town.agency.create_session("identify", purpose="login", doors=[Door.QR])
    frames = town.session_frames(session)
    town.point(frames, before=["https://example.org/menu", frames(STALE_S)])
    opened: list[str] = []
    window.page.on("response", lambda answer: note(opened, answer.url, answer.status))
    window.expect_complaint("409")
    await window.press("Scan the code to identify yourself")
    await window.see("This is not a code of the wallet")
    await shoot(window, "wallet-scan-foreign")
    await screen(window, "approve")
    await window.see("國稅局")
    assert opened[0] == "409", "the stale one was refused, and nobody was bothered with it"
    assert opened[-1] == "200"
    print(f"decoded to approve screen: {await shown_ms(window):.0f} ms")
    await within(window.page.locator("#approve:enabled").click())
    await window.see("You approved")
    assert (await session.wait()).is_ok


def note(opened: list[str], url: str, status: int) -> None:
    if url.endswith("/approvals/open"):
        opened.append(str(status))


async def be_called(town: Town, window: Window) -> None:
    """A question that comes by message stands on the home screen at once: the live channel says so."""
    await screen(window, "home")
    session = await town.agency.create_session(
        "identify",
        purpose="login",
        doors=[Door.PUSH],
        subject_hint=SubjectHint("national_id", Personal(CHEN)),
    )
    await window.see("I did not start this", within_s=8)  # the screen itself looks every 15 s
    await shoot(window, "wallet-home-waiting")
    await session.cancel()


async def scan_the_other_kind(town: Town, window: Window) -> None:
    """The code of the enrolment page in the place of a service's: the screen says which it is; a code from a picture
    is told apart from one on a screen."""
    async with EnrolmentClient(town.country.platform_origin) as desk:
        started = await start(desk)
        town.point(await town.enrolment_frames(started.id))
        await window.press("Scan the code to identify yourself")
        await window.see("This code is for binding a phone")
        await window.see("This phone is bound already.")
        await window.check_accessibility()
    session = await town.agency.create_session("identify", purpose="login", doors=[Door.QR])
    film(town.camera, [town.session_frames(session)(STALE_S)])
    await window.press("Scan again")
    await window.see("Scan it from the screen, not from a picture", within_s=15)
    await session.cancel()


async def start_without_server(town: Town, window: Window) -> None:
    """The server is gone: the wallet starts from its own files, with its own keys, and says what does not work."""
    await within(window.page.wait_for_function("() => navigator.serviceWorker.controller !== null"))
    await town.stop()
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(
                f"http://127.0.0.1:{town.country.instance.platform.settings.server.port}/"
            )
    window.expect_complaint(
        "ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY"
    )
    await window.go(town.wallet)
    await screen(window, "home")
    await window.see("The platform cannot be reached", within_s=15)
    await window.see("This phone: Pixel")
    await shoot(window, "wallet-home-offline")
    await window.check_accessibility()


async def shown_ms(window: Window) -> float:
    """From the decoded code to the drawn approve screen."""
    took: float = await window.evaluate(
        "performance.getEntriesByName('inkan-shown-approve').at(-1).startTime"
        " - performance.getEntriesByName('inkan-decoded').at(-1).startTime"
    )
    return took
