"""`strong` in a real browser: from the platform's page to the wallet's, with a passkey, and back by itself."""

import base64
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import CDPSession

from inkan.client import AsyncTransport, Phone, RelyingParty
from inkan.wire.binding import BindingLevel
from journeys.test_redirect_page_browser import Town, at_the_office
from journeys.test_tax_office_browser import _bound, shoot
from support.browser import Chromium, Look, Window, within
from support.founded import founded_country

pytestmark = pytest.mark.browser

# language: (scan, the step more, the button of the platform's page, that of the wallet's page, what it says in vain)
TEXTS = {
    "en": ("Get QR code", "asks for one step more", "Confirm with the passkey", "Use the passkey", "Nothing was sent"),
    "ja": ("QRコードを表示", "もう一つの確認を求めています", "パスキーで確認", "パスキーを使う", "何も送信されませんでした"),
    "zh-TW": ("取得 QR 碼", "要求再一個步驟", "以通行密鑰確認", "使用通行密鑰", "未送出任何資料"),
}  # fmt: skip


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        founded = await enter(founded_country(tmp_path / "country"))
        phone = await enter(await _bound(founded))
        agency = await enter(RelyingParty(founded.credentials, anchors=founded.anchors))
        yield Town(founded, phone, agency, await enter(AsyncTransport()))


class Key:
    """The phone's passkey inside a browser's own authenticator (CDP, WebAuthn domain)."""

    def __init__(self, session: CDPSession, authenticator: str) -> None:
        self._session, self._authenticator = session, authenticator

    @classmethod
    async def lent(cls, window: Window, phone: Phone, *, transport: str = "internal") -> "Key":
        """The phone holds the credential still; its counter goes on where the phone's stands."""
        session = await within(window.context.new_cdp_session(window.page))
        await session.send("WebAuthn.enable")
        made = await session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "ctap2Version": "ctap2_1",
                    "transport": transport,
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "automaticPresenceSimulation": True,
                    "isUserVerified": True,
                }
            },
        )
        state = phone._parts.state
        held = state.authenticator.credentials[-1]
        credential: dict[str, Any] = {
            "credentialId": base64.b64encode(held.id).decode(),
            "isResidentCredential": True,
            "rpId": held.rp_id,
            "privateKey": base64.b64encode(held.private_key).decode(),
            "userHandle": base64.b64encode(held.user_handle).decode(),
            "signCount": held.sign_count + 10,
        }
        key = cls(session, made["authenticatorId"])
        await session.send(
            "WebAuthn.addCredential",
            {"authenticatorId": key._authenticator, "credential": credential},
        )
        return key

    async def recognise(self, yes: bool) -> None:
        await self._session.send(
            "WebAuthn.setUserVerified",
            {"authenticatorId": self._authenticator, "isUserVerified": yes},
        )


async def to_the_step(town: Town, window: Window, language: str, **members: Any) -> Any:
    """The phone has answered by the page's code, and the page asks for the passkey."""
    scan, more, *_ = TEXTS[language]
    session, verifier, page = await town.ask(**members)
    await at_the_office(town, window)
    await window.go(page)
    await window.press(scan)
    await within(window.page.locator("#code").wait_for())
    await town.scan(window)
    await town.phone.approve()
    await window.see(more)
    return session, verifier


@pytest.mark.parametrize(
    ("look", "transport", "evidence"),
    [
        (Look(language="ja", is_phone=True, is_dark=True), "internal", "same_device_webauthn"),
        (Look(language="zh-TW", width=360), "internal", "same_device_webauthn"),
        (Look(language="en"), "hybrid", "hybrid"),
    ],
    ids=["ja-phone-dark", "zh-360", "en-hybrid"],
)
async def test_the_passkey_in_the_browser_that_began(
    town: Town, chromium: Chromium, look: Look, transport: str, evidence: str
) -> None:
    _, _, confirm, use, in_vain = TEXTS[look.language]
    name = f"passkey-{look.language}-{'dark' if look.is_dark else 'light'}"
    window = await chromium.open(look)
    session, verifier = await to_the_step(
        town, window, look.language, binding_min=BindingLevel.STRONG
    )
    await shoot(window, f"{name}-1-step")
    await window.check_accessibility()
    key = await Key.lent(window, town.phone, transport=transport)
    await window.press(confirm)
    await within(window.page.wait_for_url(re.compile(r"^http://wallet\.localhost:\d+/s/")))
    await shoot(window, f"{name}-2-wallet")
    await window.check_accessibility()
    await key.recognise(False)
    await window.press(use)
    await window.see(in_vain)
    await window.check_accessibility()
    await key.recognise(True)
    office = re.compile(r"/return\?")
    async with window.page.expect_request(office) as led:
        await window.press(use)  # from here the pages lead back by themselves
    code = parse_qs(urlsplit((await within(led.value)).url).query)["return_code"][0]
    await window.see("Welcome back")
    seen = await session.redeem(verifier, return_code=code)
    assert seen.is_ok
    assert seen.binding is not None
    assert seen.binding.level == BindingLevel.STRONG
    assert evidence in seen.binding.evidence


async def test_whoever_is_lured_to_the_wallets_page_helps_nobody(
    town: Town, chromium: Chromium
) -> None:
    attacker, victim = await chromium.open(Look()), await chromium.open(Look(is_phone=True))
    session, verifier = await to_the_step(town, attacker, "en", binding_min=BindingLevel.STRONG)
    await attacker.press("Confirm with the passkey")
    await within(attacker.page.wait_for_url(re.compile("/s/")))
    await Key.lent(victim, town.phone)
    await victim.go(attacker.page.url)
    await victim.press("Use the passkey")
    await victim.see("Begun in another browser")
    assert "confirmation" not in victim.page.url
    await shoot(victim, "passkey-3-lured")
    await attacker.page.go_back()
    await attacker.see("asks for one step more")
    office = re.compile(r"/return\?")
    async with attacker.page.expect_request(office) as led:
        await attacker.press("Go back without confirming")
    code = parse_qs(urlsplit((await within(led.value)).url).query)["return_code"][0]
    seen = await session.redeem(verifier, return_code=code)
    assert (seen.is_ok, seen.reason) == (False, "level_too_low")
