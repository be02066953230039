"""A login at a client of the OpenID provider in a real browser: by the redirect page to the phone, and back with a code."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
import pytest

from federation.clients import CHALLENGE, DOORS
from inkan.client import AsyncTransport, Phone
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.country import Country, country
from inkan.relying_parties import SystemRegistration
from journeys.test_redirect_page_browser import Town
from journeys.test_tax_office_browser import _bound, shoot
from support.browser import Chromium, Look, Window, within
from support.ports import free_port
from support.thrift import thrift
from support.world import PURPOSES

pytestmark = pytest.mark.browser

SHOP = "http://shop.localhost:9"
CALLBACK = f"{SHOP}/callback"
REFUSED = {
    "en": "The login cannot go on",
    "ja": "ログインを続けられません",
    "zh-TW": "登入無法繼續",
}


@dataclass
class Shops(Town):
    """The running country, the phone of 陳怡君, and a shop that knows OpenID Connect only."""

    @property
    def platform(self) -> str:
        return self.country.instance.platform.settings.origins.platform

    def address(self, **more: str) -> str:
        asked = {
            "client_id": "shop",
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "xyz",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return f"{self.platform}/authorize?{urlencode(asked)}"


@pytest.fixture
async def shops(tmp_path: Path) -> AsyncIterator[Shops]:
    async with AsyncExitStack() as stack:
        stack.enter_context(thrift())
        enter = stack.enter_async_context
        founded = await enter(country(tmp_path / "country", port=free_port()))
        phone = await enter(await _bound(founded))
        await register(founded)
        yield Shops(founded, phone, None, await enter(AsyncTransport()))  # type: ignore[arg-type]


async def register(founded: Country) -> None:
    registration = {
        "organisation": "shop-org",
        "organisation_name": {"en": "Shop", "ja": "店", "zh-Hant": "商店"},
        "sector": "other",
        "code": "shop",
        "name": "Shop",
        "domain": "shop.localhost",
        "doors": DOORS,
        "purposes": PURPOSES,
        "keys": [jwk.to_jwk(generate(KeySpec.P256).public_key())],
        "openid": {"purpose": "login", "redirect_uris": [CALLBACK]},
    }
    wanted = msgspec.convert(registration, SystemRegistration)
    await founded.instance.platform.relying_parties.register(wanted)


async def at_the_shop(window: Window) -> None:
    """Stand in for the shop's own page."""
    await window.page.route(
        re.compile(re.escape(SHOP)),
        lambda route: route.fulfill(
            status=200, content_type="text/html", body="<p>Welcome to the shop</p>"
        ),
    )


async def answer(shops: Shops, phone: Phone, window: Window) -> None:
    """Scan the page's code and say yes: the browser goes back by itself."""
    await window.press("Get QR code")
    await within(window.page.locator("#code").wait_for())
    await shops.scan(window)
    await window.see("Opened on your phone")
    await phone.approve()
    await window.see("Welcome to the shop")


async def test_a_login_and_back_with_a_code(shops: Shops, chromium: Chromium) -> None:
    window = await chromium.open(Look())
    await at_the_shop(window)
    await window.go(shops.address())
    await window.see("Shop")
    async with window.page.expect_request(re.compile(re.escape(CALLBACK))) as led:
        await answer(shops, shops.phone, window)
    brought = parse_qs(urlsplit((await within(led.value)).url).query)
    assert set(brought) == {"code", "state", "iss"}
    assert (brought["state"], brought["iss"]) == (["xyz"], [shops.platform])


async def test_an_answer_by_form(shops: Shops, chromium: Chromium) -> None:
    window = await chromium.open(Look())
    await at_the_shop(window)
    await window.go(shops.address(response_mode="form_post"))
    async with window.page.expect_request(re.compile(re.escape(CALLBACK))) as led:
        await answer(shops, shops.phone, window)
    request = await within(led.value)
    assert request.method == "POST"
    assert "code=" in (request.post_data or "")


async def test_a_refusal_is_a_page_in_every_language(shops: Shops, chromium: Chromium) -> None:
    for language, words in REFUSED.items():
        window = await chromium.open(Look(language=language, is_dark=language == "ja"))
        window.expect_complaint(r"400 \(Bad Request\)")
        assert await window.go(shops.address(redirect_uri="https://evil.example/")) == 400
        await window.see(words)
        await shoot(window, f"openid-refused-{language}")
        await window.check_accessibility()
