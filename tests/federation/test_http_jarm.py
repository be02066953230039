"""Signed answers over HTTP (JARM), and answers by a form."""

import re
from typing import Any

import pytest

from federation.clients import (
    FAPI2,
    MESSAGE_SIGNING,
    REDIRECT_URI,
    OpenIDClient,
    answer,
    arrive,
    brought,
    openid_client,
)
from inkan.client import Phone
from inkan.crypto import base64url, jose
from inkan.kernel.clock import to_seconds
from portal.browsers import Browser
from support.asgi import Reply
from support.world import PLATFORM, World

FIELD = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">')


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database: answers come after it."""
    return sqlite_url


def opened(shop: OpenIDClient, token: str) -> dict[str, Any]:
    """What a signed answer says, after checking what every one has."""
    parsed = jose.parse_compact(token, typ="oauth-authz-resp+jwt", required=("kid",))
    claims = jose.parse_object(parsed.payload)
    assert claims["iss"] == PLATFORM
    assert claims["aud"] == shop.code
    left = claims["exp"] - to_seconds(shop.world.clock.wire_now())
    assert 0 < left <= 600
    return claims


def form_of(reply: Reply) -> dict[str, str]:
    """The fields of an answer that the browser posts."""
    assert reply.status == 200
    assert f'action="{REDIRECT_URI}"' in reply.text
    assert "data-scan-finish" in reply.text
    return dict(FIELD.findall(reply.text.partition("data-scan-finish")[2]))


@pytest.mark.behaviour("JARM-1")
async def test_message_signing_gives_no_plain_answer(world: World, browser: Browser) -> None:
    bank = await openid_client(world, "bank", **MESSAGE_SIGNING)
    for mode in ("query", "form_post"):
        request = bank.request_object(response_mode=mode)
        reply = await bank.push({"request": request})
        assert reply.json()["error"] == "invalid_request"


@pytest.mark.behaviour("JARM-2")
async def test_message_signing_signs_without_being_asked(world: World, browser: Browser) -> None:
    bank = await openid_client(world, "bank", **MESSAGE_SIGNING)
    pushed = await bank.push({"request": bank.request_object(prompt="none")})
    reply = await arrive(browser, bank.pushed_address(pushed.json()["request_uri"]))
    told = brought(reply)
    assert set(told) == {"response"}
    assert opened(bank, told["response"])["error"] == "login_required"


@pytest.mark.behaviour("JARM-3")
async def test_a_refusal_is_signed_where_that_was_asked(
    shop: OpenIDClient, browser: Browser
) -> None:
    for mode in ("jwt", "query.jwt"):
        told = brought(await arrive(browser, shop.address(response_mode=mode, scope="else")))
        claims = opened(shop, told.pop("response"))
        assert told == {}
        assert (claims["error"], claims["state"]) == ("invalid_scope", "af0ifjsldkj")


@pytest.mark.behaviour("JARM-4")
async def test_a_signed_answer_brings_the_code_and_nothing_beside_it(
    shop: OpenIDClient, phone: Phone
) -> None:
    told = await shop.log_in(phone, response_mode="jwt")
    assert set(told) == {"response"}
    claims = opened(shop, told["response"])
    assert set(claims) == {"iss", "aud", "exp", "code", "state"}


@pytest.mark.behaviour("JARM-5")
async def test_a_fapi_clients_answer_is_signed_with_es256(world: World, browser: Browser) -> None:
    bank = await openid_client(world, "bank", **FAPI2)
    address = bank.pushed_address(await bank.pushed(response_mode="jwt", prompt="none"))
    token = brought(await arrive(browser, address))["response"]
    header = jose.parse_object(base64url.decode(token.partition(".")[0]))
    assert header["alg"] == "ES256"


@pytest.mark.behaviour("JARM-6")
async def test_an_answer_by_form_goes_to_the_registered_address_only(
    shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    page = await shop.begin(browser, response_mode="form_post")
    reply = await arrive(browser, await answer(browser, phone, page))
    assert set(form_of(reply)) == {"code", "state", "iss"}
    policy = reply.header("content-security-policy") or ""
    assert "form-action 'self' https://shop.example;" in policy


@pytest.mark.behaviour("JARM-7")
async def test_a_signed_answer_travels_by_form_too(shop: OpenIDClient, browser: Browser) -> None:
    address = shop.address(response_mode="form_post.jwt", prompt="none")
    fields = form_of(await arrive(browser, address))
    assert opened(shop, fields.pop("response"))["error"] == "login_required"
    assert fields == {}


@pytest.mark.behaviour("JARM-8")
async def test_a_state_in_a_form_is_text_only(shop: OpenIDClient, browser: Browser) -> None:
    state = '"><script>alert(1)</script>'
    address = shop.address(response_mode="form_post", prompt="none", state=state)
    reply = await arrive(browser, address)
    assert "<script>alert" not in reply.text
