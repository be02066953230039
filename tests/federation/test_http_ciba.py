"""CIBA over HTTP: what a client may ask, what it hears, and what nobody learns from it."""

import asyncio
import json
import logging
import re
from datetime import timedelta
from typing import Any

import pytest

from federation.backchannel import (
    CHEN,
    CIBA,
    NOBODY,
    WITHOUT_CIBA,
    ClientCaller,
    approved,
    claims_of,
    error_of,
    reached,
)
from federation.keeping import answered_view, everything_kept
from identification.callers import WebClient
from inkan.client import CallRefused, Phone
from inkan.federation.api import backchannel
from inkan.web.limits import RateLimit
from inkan.wire.shown import text_sha256
from support.clock import StandingClock
from support.world import PLATFORM, World

PENDING = (400, "authorization_pending")
INVALID = (400, "invalid_request")


@pytest.fixture
async def client(world: World, web: WebClient, clock: StandingClock) -> ClientCaller:
    return await ClientCaller.registered(world, web, clock)


async def others(
    world: World, like: ClientCaller, code: str = "other", **openid: Any
) -> ClientCaller:
    """A second client of the same platform."""
    return await ClientCaller.registered(world, like.web, like.clock, code, **openid)


# --- asking and collecting ---------------------------------------------------------------------------


@pytest.mark.behaviour("CIBA-1")
async def test_an_approved_request_gives_tokens(
    world: World, client: ClientCaller, phone: Phone, clock: StandingClock
) -> None:
    made = await client.asked()
    await approved(world, phone, made)
    answer = await client.poll(made)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["access_token"]
    assert claims_of(told["id_token"])["sub"]
    done = [each for each in await world.events() if each.startswith("federation.grant")]
    assert sorted(done) == [f"federation.grant_{step}" for step in ("answered", "begun", "used")]


@pytest.mark.behaviour("CIBA-2")
async def test_the_answer_holds_an_unguessable_handle_and_the_interval(
    client: ClientCaller,
) -> None:
    answer = await client.ask()
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", made["auth_req_id"])
    assert (made["expires_in"], made["interval"]) == (180, 5)
    assert (await client.asked())["auth_req_id"] != made["auth_req_id"]


@pytest.mark.behaviour("CIBA-3")
async def test_nothing_is_given_before_the_answer(
    world: World, client: ClientCaller, phone: Phone, clock: StandingClock
) -> None:
    made = await client.asked()
    assert error_of(await client.poll(made)) == PENDING
    await reached(world, phone, made["inkan_code"])
    clock.tick(5)
    assert error_of(await client.poll(made)) == PENDING


@pytest.mark.behaviour("CIBA-4")
async def test_a_hasty_client_waits_five_seconds_longer(
    client: ClientCaller, clock: StandingClock
) -> None:
    made = await client.asked()
    assert error_of(await client.poll(made)) == PENDING
    clock.tick(4)
    assert error_of(await client.poll(made)) == (400, "slow_down")
    clock.tick(9)
    assert error_of(await client.poll(made)) == (400, "slow_down")
    clock.tick(15)
    assert error_of(await client.poll(made)) == PENDING


@pytest.mark.behaviour("CIBA-5")
async def test_an_answer_is_collected_once(
    world: World, client: ClientCaller, phone: Phone, clock: StandingClock
) -> None:
    made = await client.asked()
    await approved(world, phone, made)
    assert (await client.poll(made)).status_code == 200
    clock.tick(5)
    assert error_of(await client.poll(made)) == (400, "invalid_grant")


@pytest.mark.behaviour("CIBA-6")
async def test_another_client_collects_nothing(
    world: World, client: ClientCaller, phone: Phone
) -> None:
    made = await client.asked()
    await approved(world, phone, made)
    thief = await others(world, client)
    assert error_of(await thief.poll(made)) == (400, "invalid_grant")
    assert (await client.poll(made)).status_code == 200


@pytest.mark.behaviour("CIBA-7")
async def test_an_unanswered_request_expires(client: ClientCaller, clock: StandingClock) -> None:
    made = await client.asked()
    clock.tick(made["expires_in"])
    assert error_of(await client.poll(made)) == (400, "expired_token")
    clock.tick(1000)
    assert error_of(await client.poll(made)) == (400, "expired_token")


@pytest.mark.behaviour("CIBA-8")
async def test_the_refusal_of_a_phone_that_we_named_is_told(
    world: World, client: ClientCaller, phone: Phone, clock: StandingClock
) -> None:
    first = await client.asked()
    await approved(world, phone, first)
    await client.poll(first)
    view = await answered_view(world, first["auth_req_id"])
    made = await client.asked(f"phone_ref:{view['subject']['phone_ref']}")
    held = await reached(world, phone, made["inkan_code"])
    await phone.refuse(held.id)
    assert error_of(await client.poll(made)) == (400, "access_denied")


@pytest.mark.behaviour("CIBA-9")
async def test_exactly_one_hint_is_given(world: World, client: ClientCaller, phone: Phone) -> None:
    first = await client.asked()
    await approved(world, phone, first)
    told = (await client.poll(first)).json()
    assert error_of(await client.ask(id_token_hint=told["id_token"])) == INVALID
    assert error_of(await client.ask(None)) == INVALID
    assert error_of(await client.ask("")) == INVALID


@pytest.mark.behaviour("CIBA-10")
async def test_a_login_hint_token_is_not_taken(client: ClientCaller) -> None:
    assert error_of(await client.ask(None, login_hint_token="e30.e30.e30")) == INVALID


@pytest.mark.behaviour("CIBA-11")
async def test_an_id_token_names_its_person_even_when_it_has_ended(
    world: World, client: ClientCaller, phone: Phone, clock: StandingClock
) -> None:
    first = await client.asked()
    await approved(world, phone, first)
    told = (await client.poll(first)).json()
    clock.tick(3600)
    made = await client.asked(None, id_token_hint=told["id_token"])
    await approved(world, phone, made)
    again = (await client.poll(made)).json()
    assert claims_of(again["id_token"])["sub"] == claims_of(told["id_token"])["sub"]


@pytest.mark.behaviour("CIBA-12")
async def test_only_an_id_token_of_this_provider_for_this_client_is_a_hint(
    world: World, client: ClientCaller, phone: Phone
) -> None:
    first = await client.asked()
    await approved(world, phone, first)
    told = (await client.poll(first)).json()
    other = await others(world, client)
    assert error_of(await other.ask(None, id_token_hint=told["id_token"])) == INVALID
    forged = client.signed(iss=PLATFORM, aud="bank", sub="somebody")
    assert error_of(await client.ask(None, id_token_hint=forged)) == INVALID
    access = told["access_token"]
    assert error_of(await client.ask(None, id_token_hint=access)) == INVALID


@pytest.mark.behaviour("CIBA-13")
async def test_the_scope_holds_openid_and_only_what_is_registered(client: ClientCaller) -> None:
    for scope, said in {
        "profile": "invalid_scope",
        "openid offline_access": "invalid_scope",
        "": "invalid_request",
        'openid "': "invalid_request",
    }.items():
        assert error_of(await client.ask(scope=scope)) == (400, said)
    assert error_of(await client.ask(scope=None)) == INVALID


@pytest.mark.behaviour("CIBA-14")
async def test_user_codes_and_request_uris_are_not_taken(client: ClientCaller) -> None:
    assert error_of(await client.ask(user_code="1234")) == INVALID
    assert error_of(await client.ask(request_uri="http://127.0.0.1/")) == INVALID


@pytest.mark.behaviour("CIBA-15")
async def test_the_binding_message_stands_on_the_phone_under_the_signature(
    world: World, client: ClientCaller, phone: Phone
) -> None:
    made = await client.asked(binding_message="帳號 7788 ¥1,200")
    held = await reached(world, phone, made["inkan_code"])
    purpose = next(line for line in held.text.split("\n") if "帳號 7788 ¥1,200" in line)
    assert purpose == "用途：登入（兩個畫面應同樣顯示「帳號 7788 ¥1,200」）"
    signed = json.loads(held.draft)
    assert signed["shown"]["text_sha256"] == text_sha256(held.text)


@pytest.mark.behaviour("CIBA-16")
@pytest.mark.parametrize(
    "message",
    ["", " ", "a" * 65, "two\nlines", "\u202etext", "zero\u200bwidth", "tab\t", "a」b", "”) b"],
)
async def test_a_message_that_cannot_be_shown_is_refused(
    client: ClientCaller, message: str
) -> None:
    refused = await client.ask(binding_message=message)
    assert error_of(refused) == (400, "invalid_binding_message")


@pytest.mark.behaviour("CIBA-17")
async def test_a_client_that_shows_the_code_gets_it_and_the_phone_demands_it(
    world: World, client: ClientCaller, phone: Phone
) -> None:
    made = await client.asked()
    assert re.fullmatch(r"\d{6}", made["inkan_code"])
    await world.instance.catch_up()
    [first, *_] = await phone.waiting()
    wrong = f"{(int(made['inkan_code']) + 1) % 10**6:06}"
    with pytest.raises(CallRefused):
        await phone.open_push(first.approval, wrong)
    held = await phone.open_push(first.approval, made["inkan_code"])
    await phone.approve(held.id)
    await client.poll(made)
    view = await answered_view(world, made["auth_req_id"])
    assert view["binding"]["level"] == "matched"


@pytest.mark.behaviour("CIBA-18")
async def test_a_client_without_a_place_for_the_code_asks_by_tap_at_the_lowest_level(
    world: World, client: ClientCaller, phone: Phone
) -> None:
    bare = await others(world, client, inkan_code=False)
    made = await bare.asked()
    assert "inkan_code" not in made
    await approved(world, phone, made)
    assert (await bare.poll(made)).status_code == 200
    view = await answered_view(world, made["auth_req_id"])
    assert view["binding"] == {"level": "none", "evidence": []}


@pytest.mark.behaviour("CIBA-19")
async def test_the_expiry_is_the_wished_one_within_bounds(
    world: World, client: ClientCaller, clock: StandingClock
) -> None:
    for wished, given in {"60": 60, "1": 30, "99999": 600}.items():
        assert (await client.asked(requested_expiry=wished))["expires_in"] == given
    for wrong in ("0", "-5", "1.5", "ten", ""):
        assert error_of(await client.ask(requested_expiry=wrong)) == INVALID


@pytest.mark.behaviour("CIBA-20")
@pytest.mark.parametrize(
    "system",
    [{"doors": ["redirect"]}, {"openid": None}],
    ids=["no push", "no client"],
)
async def test_a_client_asks_only_by_what_it_registered(
    world: World, web: WebClient, clock: StandingClock, system: dict[str, Any]
) -> None:
    client = await ClientCaller.registered(world, web, clock, system=system, **WITHOUT_CIBA)
    assert error_of(await client.ask()) == (400, "unauthorized_client")


@pytest.mark.behaviour("CIBA-21")
async def test_another_grant_type_is_no_ciba(world: World, client: ClientCaller) -> None:
    telly = await others(world, client, **WITHOUT_CIBA)
    assert error_of(await telly.ask()) == (400, "unauthorized_client")
    refused = await telly.token({"grant_type": CIBA, "auth_req_id": "x" * 43})
    assert error_of(refused) == (400, "unauthorized_client")


@pytest.mark.behaviour("CIBA-22")
async def test_only_an_authenticated_active_client_asks(world: World, client: ClientCaller) -> None:
    form = {"scope": "openid", "login_hint": f"national_id:{CHEN}", "client_id": "bank"}
    for bare in (form, form | {"client_assertion_type": "x", "client_assertion": "y"}):
        status, _ = error_of(await client.send("/bc-authorize", bare))
        assert status in (400, 401)
    used = client.authentication
    assert (await client.send("/bc-authorize", form | used)).status_code == 200
    assert error_of(await client.send("/bc-authorize", form | used)) == (401, "invalid_client")
    await world.platform.relying_parties.suspend("bank")
    assert error_of(await client.ask()) == (401, "invalid_client")


@pytest.mark.behaviour("CIBA-23")
async def test_parameters_stand_once_in_the_body_of_a_post(client: ClientCaller) -> None:
    hint = {"scope": "openid", "login_hint": f"national_id:{CHEN}"}
    form = client.authentication | hint
    query = f"?login_hint=national_id:{CHEN}"
    assert error_of(await client.send("/bc-authorize", form, query=query)) == INVALID
    twice = "&".join(f"scope=openid&login_hint=national_id:{who}" for who in (CHEN, NOBODY))
    assert error_of(await client.send("/bc-authorize", twice)) == INVALID
    as_json = {"content-type": "application/json"}
    assert error_of(await client.send("/bc-authorize", form, **as_json)) == INVALID
    assert error_of(await client.ask(acr_values="a" * 9000)) == INVALID
    assert (await client.web.get(f"/bc-authorize{query}")).status_code == 405


@pytest.mark.behaviour("CIBA-24")
async def test_a_typed_number_is_canonical_and_is_kept_nowhere(
    world: World, client: ClientCaller, phone: Phone, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    typed = " ａ234567893 "
    made = await client.asked(f"national_id:{typed}")
    await approved(world, phone, made)
    assert (await client.poll(made)).status_code == 200
    kept = await everything_kept(world)
    assert "grant_begun" in kept
    for spelling in (CHEN, CHEN.lower(), typed.strip()):
        assert spelling not in kept
        assert spelling not in caplog.text


@pytest.mark.behaviour("CIBA-25")
async def test_a_malformed_number_is_refused_and_says_nothing_of_anybody(
    client: ClientCaller,
) -> None:
    for wrong in ("A234567894", "x", "A23456789", "A2345678931", "A" * 40):
        refused = await client.ask(f"national_id:{wrong}")
        assert error_of(refused) == INVALID
        assert wrong not in refused.text
    for hint in (CHEN, f"tel:{CHEN}", "person_ref:", "person_ref:a b", "sub"):
        assert error_of(await client.ask(hint)) == INVALID


@pytest.mark.behaviour("CIBA-26")
async def test_of_two_polls_at_once_one_collects(
    world: World, client: ClientCaller, phone: Phone
) -> None:
    made = await client.asked()
    await approved(world, phone, made)
    answers = await asyncio.gather(client.poll(made), client.poll(made))
    assert sorted(answer.status_code for answer in answers) == [200, 400]


@pytest.mark.behaviour("CIBA-27")
async def test_an_answer_that_came_in_time_is_collected_shortly_after(
    world: World, client: ClientCaller, phone: Phone, clock: StandingClock
) -> None:
    made = await client.asked()
    clock.tick(made["expires_in"] - 1)
    await approved(world, phone, made)
    clock.tick(60)
    assert (await client.poll(made)).status_code == 200
    late = await client.asked()
    await approved(world, phone, late)
    clock.tick(late["expires_in"] + 120)
    assert error_of(await client.poll(late)) == (400, "expired_token")


@pytest.mark.behaviour("CIBA-29")
async def test_a_client_that_asks_too_often_hears_so(
    world: World, client: ClientCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = RateLimit(name="openid-requests", requests=2, window=timedelta(minutes=1))
    monkeypatch.setattr(backchannel, "_CLIENT_LIMIT", few)
    for _ in range(2):
        await client.asked()
    assert error_of(await client.ask()) == (429, "temporarily_unavailable")
    other = await others(world, client)
    assert (await other.ask()).status_code == 200
