"""A browser whose passkeys give no secret: it is told so, and may keep its keys elsewhere where the rules allow that."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from inkan.client import EnrolmentClient, RelyingParty, StartedEnrolment
from inkan.composition.key_settings import Activation
from inkan.composition.settings import Settings
from inkan.demo import country as founding
from inkan.demo.country import Country
from inkan.schemes import get_scheme
from inkan.wire.binding import BackEnd
from inkan.wire.session import Outcome
from journeys import wallet_window
from journeys.served_country import SCHEME, sign
from journeys.wallet_window import WalletWindow
from support.browser import Chromium, within
from support.founded import founded_country
from support.remote_scheme import NAME, ship_remote_scheme

pytestmark = pytest.mark.browser

OFFER = "The keys can be kept outside this phone"


@pytest.fixture(autouse=True)
def _window(monkeypatch: pytest.MonkeyPatch) -> None:
    """A country with a scheme that allows back end B, and passkeys without PRF."""
    ship_remote_scheme(monkeypatch)
    plain = founding.settings_for

    def settings_for(folder: Path, port: int, **more: Any) -> Settings:
        made = plain(folder, port, **more)
        return msgspec.structs.replace(
            made,
            keys=msgspec.structs.replace(made.keys, phones="file"),
            activation=Activation(networks=("127.0.0.0/8", "::1/128")),
        )

    monkeypatch.setattr(founding, "settings_for", settings_for)
    monkeypatch.setitem(wallet_window.AUTHENTICATOR, "hasPrf", False)


async def begun(desk: EnrolmentClient, scheme: str) -> StartedEnrolment:
    return await desk.start(scheme, terms_version=get_scheme(scheme).terms.version)


async def named(wallet: WalletWindow) -> None:
    await wallet.window.press("The page is open: go on")
    await wallet.window.fill("Name of this phone", "My phone")
    await wallet.window.press("Scan the code")


async def enter(wallet: WalletWindow, frame: str) -> None:
    """Type an address once the camera has been refused, which opens the other ways by itself."""
    await within(wallet.window.page.locator("details.wallet-ways[open]").wait_for())
    await wallet.window.fill("Address of the wallet", frame)
    await wallet.window.press("Open")


@pytest.mark.req("TW-26")
async def test_a_citizens_phone_is_sent_to_another_browser_or_the_counter(
    tmp_path: Path, chromium: Chromium
) -> None:
    async with founded_country(tmp_path / "home") as founded:
        wallet = await WalletWindow.open(chromium, founded.wallet_origin)
        async with EnrolmentClient(founded.platform_origin) as desk:
            await named(wallet)
            await enter(wallet, await (await begun(desk, SCHEME)).frame())
            await wallet.window.see("This browser cannot protect the keys")
            await wallet.window.see("Use another browser or phone, or go to a counter.")
            assert await wallet.window.page.get_by_text(OFFER).count() == 0


async def test_where_it_is_allowed_the_keys_are_kept_elsewhere_and_answer(
    tmp_path: Path, chromium: Chromium
) -> None:
    async with founded_country(tmp_path / "home") as founded:
        wallet = await WalletWindow.open(chromium, founded.wallet_origin)
        await bind_elsewhere(wallet, founded)
        async with RelyingParty(founded.credentials, anchors=founded.anchors) as agency:
            session = await agency.create_session("identify", purpose="file_return")
            await wallet.window.press("Scan the code to identify yourself")
            await enter(wallet, session.frame())
            await wallet.approve()
            answered = await session.wait()
            assert (answered.outcome, answered.back_end) == (Outcome.OK, BackEnd.B)


async def bind_elsewhere(wallet: WalletWindow, founded: Country) -> None:
    """Try here, be told, and go on by a new code."""
    async with EnrolmentClient(founded.platform_origin) as desk:
        await named(wallet)
        await enter(wallet, await (await begun(desk, NAME)).frame())
        await wallet.window.see("This browser cannot protect the keys")
        await wallet.window.see(OFFER)
        await wallet.window.press("Bind with keys in the key store")
        started = await begun(desk, NAME)
        await enter(wallet, await started.frame())
        digits = await wallet.digits()
        await started.submit(await sign(started, founded.citizens["chen"], digits))
    await wallet.window.see("This phone is bound")
    await wallet.window.press("Home")
