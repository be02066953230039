"""Logging in by the authorization endpoint over HTTP: by every way of the page, and what comes of it."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from federation.clients import (
    OTHER_REDIRECT_URI,
    OpenIDClient,
    answer,
    arrive,
    brought,
    go_back,
    openid_client,
    rows_of,
)
from identification.visits import Visit, confirmed
from inkan.client import Phone
from inkan.federation.service.levels import ACR_VALUES
from inkan.federation.service.parts import hashed
from inkan.federation.store import grant as grants
from inkan.wire.authentication_context import value_of
from inkan.wire.binding import BindingLevel
from portal.browsers import Browser
from support.clock import StandingClock
from support.world import CITIZENS, PLATFORM, World


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database; tests/federation/test_stored.py walks the same ways on both."""
    return sqlite_url


async def only_grant(world: World) -> Any:
    [row] = await rows_of(world, grants)
    return row


async def by_message(world: World, browser: Browser, phone: Phone, page: str) -> dict[str, str]:
    """Answer by a message to the phone, whose code the person types there."""
    await browser.send(page, page, way="push", national_id=CITIZENS["chen"][2])
    seen = await browser.see(page)
    code = "".join(filter(str.isdigit, seen.text.partition('class="code')[2].partition("</p>")[0]))
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    await phone.open_push(waiting.approval, code[:6])
    await phone.approve()
    return brought(await arrive(browser, await go_back(browser, page)))


@pytest.mark.behaviour("OIDC-151")
async def test_a_refusal_on_the_phone_is_told_to_the_client(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    page = await shop.begin(browser)
    told = brought(await arrive(browser, await answer(browser, phone, page, agrees=False)))
    assert told == {
        "error": "access_denied",
        "error_description": "The person did not agree",
        "state": "af0ifjsldkj",
        "iss": PLATFORM,
    }
    assert (await only_grant(world)).state == "denied"


@pytest.mark.behaviour("OIDC-152")
async def test_leaving_the_page_is_told_as_a_refusal_is(
    shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    page = await shop.begin(browser)
    told = brought(await arrive(browser, await go_back(browser, page)))
    again = await shop.begin(browser)
    refused = brought(await arrive(browser, await answer(browser, phone, again, agrees=False)))
    assert told == refused


@pytest.mark.behaviour("OIDC-153")
async def test_every_authorization_is_answered_by_itself(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    await shop.log_in(phone, browser)
    page = await shop.begin(browser)
    reply = await browser.see(page)
    assert "Get QR code" in reply.text
    assert brought(await arrive(browser, shop.address(prompt="none")))["error"] == "login_required"


@pytest.mark.behaviour("OIDC-154")
async def test_a_hint_that_is_somebody_else_is_denied(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    await shop.log_in(phone, browser)
    own = (await only_grant(world)).sub
    assert "code" in await shop.log_in(phone, browser, login_hint=own)
    lin = await world.bind("lin", phone=world.new_phone(name="another"))
    told = await shop.log_in(lin, browser, login_hint=own)
    assert told["error"] == "access_denied"


@pytest.mark.behaviour("OIDC-155")
async def test_a_hint_of_another_form_says_nothing(
    shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    assert "code" in await shop.log_in(phone, browser, login_hint="yijun@example.org")


@pytest.mark.behaviour("OIDC-156")
async def test_an_essential_level_is_not_lowered(
    shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    page = await shop.begin(browser, claims=_essential(ACR_VALUES[-1]))
    back = await answer(browser, phone, page)
    told = brought(await arrive(browser, back))
    assert told["error"] in {"access_denied", "unmet_authentication_requirements"}
    assert "code" not in told


def _essential(acr: str) -> str:
    return f'{{"id_token":{{"acr":{{"essential":true,"value":"{acr}"}}}}}}'


@pytest.mark.behaviour("OIDC-157")
async def test_a_voluntary_level_that_is_not_reached_is_no_failure(
    shop: OpenIDClient, phone: Phone
) -> None:
    assert "code" in await shop.log_in(phone, acr_values=f"urn:moon {ACR_VALUES[-1]}")


@pytest.mark.behaviour("OIDC-158")
async def test_time_that_runs_out_is_told_as_a_refusal_is(
    shop: OpenIDClient, browser: Browser, clock: StandingClock
) -> None:
    page = await shop.begin(browser)
    clock.tick(timedelta(seconds=601))
    told = brought(await arrive(browser, await go_back(browser, page)))
    assert told["error"] == "access_denied"


@pytest.mark.behaviour("OIDC-159")
async def test_the_answer_is_code_state_and_issuer(shop: OpenIDClient, phone: Phone) -> None:
    told = await shop.log_in(phone)
    assert set(told) == {"code", "state", "iss"}
    assert (told["state"], told["iss"], len(told["code"])) == ("af0ifjsldkj", PLATFORM, 43)
    without = await shop.log_in(phone, state=None)
    assert set(without) == {"code", "iss"}


@pytest.mark.behaviour("OIDC-160")
async def test_a_code_is_kept_as_a_hash_for_a_minute(
    world: World, shop: OpenIDClient, phone: Phone, clock: StandingClock
) -> None:
    told = await shop.log_in(phone)
    row = await only_grant(world)
    assert told["code"] not in str(row)
    assert row.handle_sha256 == hashed(told["code"])
    assert row.handle_expires_at == clock.now() + timedelta(seconds=60)
    assert (row.state, row.scope, row.client) == ("granted", ["openid"], "shop")
    assert row.auth_time == clock.now()
    assert "federation.grant_answered" in await world.events()


@pytest.mark.behaviour("OIDC-161")
async def test_a_message_to_the_phone_logs_in(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    told = await by_message(world, browser, phone, await shop.begin(browser))
    assert "code" in told
    assert (await only_grant(world)).acr == value_of(BindingLevel.MATCHED)


@pytest.mark.behaviour("OIDC-162")
async def test_the_wallet_of_the_same_phone_leads_back_itself(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    page = await shop.begin(browser)
    await browser.send(page, page, way="link")
    address = (await browser.see(page)).text.partition('href="http://wallet')[2].partition('"')[0]
    await phone.open_link(f"http://wallet{address}")
    done = await phone.approve()
    assert done.return_url is not None
    told = brought(await arrive(browser, done.return_url.removeprefix(PLATFORM)))
    assert "code" in told
    assert (await only_grant(world)).acr == value_of(BindingLevel.RETURNED)


@pytest.mark.behaviour("OIDC-163")
async def test_the_page_opens_in_a_wished_language(shop: OpenIDClient, browser: Browser) -> None:
    for wish, lang in (("fr zh-TW en", "zh-Hant"), ("ja-JP", "ja"), ("en", "en")):
        page = await shop.begin(browser, ui_locales=wish)
        assert page.endswith(f"?lang={lang}")
    assert "?" not in await shop.begin(browser, ui_locales="fr")


@pytest.mark.behaviour("OIDC-164")
async def test_a_posted_request_logs_in(shop: OpenIDClient, browser: Browser, phone: Phone) -> None:
    reply = await browser.post("/authorize", form=shop.asked())
    told = await shop.log_in(phone, browser, reply.header("location"))
    assert "code" in told


@pytest.mark.behaviour("OIDC-165")
async def test_a_subject_is_one_of_each_organisation(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    mart = await openid_client(world, "mart")
    sibling = await openid_client(world, "till", system={"organisation": "mart-org"})
    for client in (shop, shop, mart, sibling):
        await client.log_in(phone, client.browser())
    found: dict[str, set[str]] = {}
    for row in await rows_of(world, grants):
        found.setdefault(row.client, set()).add(row.sub)
    assert all(len(subs) == 1 for subs in found.values())
    assert found["mart"] == found["till"] != found["shop"]


@pytest.mark.behaviour("OIDC-166")
async def test_the_answer_goes_to_the_address_of_the_request(
    shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    page = await shop.begin(browser, redirect_uri=OTHER_REDIRECT_URI)
    reply = await arrive(browser, await answer(browser, phone, page))
    assert "code" in brought(reply, OTHER_REDIRECT_URI)


@pytest.mark.behaviour("OIDC-167")
async def test_cookies_are_of_this_host_and_out_of_reach(
    shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    begun = await arrive(browser, shop.address())
    page = (begun.header("location") or "").removeprefix(PLATFORM)
    done = await arrive(browser, await answer(browser, phone, page))
    lines = [*begun.all("set-cookie"), *done.all("set-cookie")]
    assert [line.partition("=")[0] for line in lines] == [
        "__Host-inkan-authorize",
        "__Host-inkan-openid",
    ]
    for line in lines:
        assert line.endswith("; Path=/; Secure; HttpOnly; SameSite=Lax")
    for reply in (begun, done):
        assert reply.header("cache-control") == "no-store"
        assert reply.status == 303  # never 307, which would send a form on (RFC 9700 §4.12)


@pytest.mark.behaviour("OIDC-168")
async def test_two_logins_of_one_browser_do_not_mix(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    mart = await openid_client(world, "mart")
    first = await shop.begin(browser, state="first")
    second = await mart.begin(browser, state="second")
    told = brought(await arrive(browser, await answer(browser, phone, second)))
    assert told["state"] == "second"
    told = brought(await arrive(browser, await answer(browser, phone, first)))
    assert told["state"] == "first"
    assert {row.client: row.asked["state"] for row in await rows_of(world, grants)} == {
        "shop": "first",
        "mart": "second",
    }


@pytest.mark.behaviour("OIDC-169")
async def test_a_passkey_lifts_an_answer_to_an_essential_level(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    wanted = urlencode({"claims": _essential(ACR_VALUES[-1])})
    page = await shop.begin(browser, f"{shop.address()}&{wanted}")
    await browser.send(page, page, way="frame")
    await phone.open_frame((await browser.get(f"{page}/camera")).text)
    await phone.approve()
    made = {"session": {"id": ""}, "doors": {"redirect": {"url": PLATFORM + page}}}
    await confirmed(world, Visit(None, browser, made), phone)  # type: ignore[arg-type]
    told = brought(await arrive(browser, await go_back(browser, page)))
    assert "code" in told
    assert (await only_grant(world)).acr == ACR_VALUES[-1]


@pytest.mark.behaviour("OIDC-170")
async def test_an_approval_comes_back_with_its_receipt(
    world: World, browser: Browser, phone: Phone
) -> None:
    shop = await openid_client(world, approval_purposes=["approve_payment"])
    detail = {"type": "urn:inkan:authorization:approve", "purpose": "approve_payment"}
    asked = json.dumps([detail])
    page = await shop.begin(browser, authorization_details=asked)
    told = await by_message(world, browser, phone, page)
    answered = await shop.redeem(told["code"])
    [given] = answered["authorization_details"]
    assert {name: given[name] for name in detail} == detail
    receipt = shop.claims_of(given["receipt"])
    assert (receipt["kind"], receipt["purpose"]) == ("approve", "approve_payment")
