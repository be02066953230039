"""Pushed requests over HTTP (RFC 9126), negative rows first."""

import re
from typing import Any

import pytest

from federation.clients import (
    FAPI2,
    REDIRECT_URI,
    OpenIDClient,
    answer,
    arrive,
    brought,
    openid_client,
    refused_page,
    rows_of,
)
from inkan.client import Phone
from inkan.crypto import dpop, jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.federation.store import grant, pushed_request
from portal.browsers import Browser
from support.asgi import Reply
from support.clock import StandingClock
from support.world import PLATFORM, World

URN = re.compile(r"urn:ietf:params:oauth:request_uri:[A-Za-z0-9_-]{43}")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database; tests/federation/test_stored.py walks the same ways on both."""
    return sqlite_url


@pytest.fixture
async def bank(world: World) -> OpenIDClient:
    """A client of the FAPI 2.0 Security Profile."""
    return await openid_client(world, "bank", **FAPI2)


def error_of(reply: Reply, status: int = 400) -> str:
    """The error of a refusal (RFC 6749 §5.2)."""
    assert reply.status == status, reply.text
    assert reply.header("content-type") == "application/json"
    assert reply.header("cache-control") == "no-store"
    found: str = reply.json()["error"]
    return found


@pytest.mark.behaviour("PAR-1")
async def test_a_push_without_authentication_is_refused(bank: OpenIDClient) -> None:
    reply = await bank.web.post("/par", form=bank.asked())
    assert reply.status in {400, 401}
    assert reply.json()["error"] in {"invalid_client", "invalid_request"}
    forged = OpenIDClient(bank.world, bank.code, generate(KeySpec.P256))
    assert error_of(await forged.push(), 401) == "invalid_client"


@pytest.mark.behaviour("PAR-2")
async def test_a_request_uri_is_not_pushed(bank: OpenIDClient) -> None:
    for uri in ("urn:ietf:params:oauth:request_uri:x", "https://bank.example/request.jwt"):
        assert error_of(await bank.push(bank.asked(request_uri=uri))) == "invalid_request"


@pytest.mark.behaviour("PAR-3")
async def test_another_clients_name_is_refused(bank: OpenIDClient, shop: OpenIDClient) -> None:
    assert error_of(await bank.push(bank.asked(client_id=shop.code))) == "invalid_request"


@pytest.mark.behaviour("PAR-4")
async def test_a_repeated_parameter_is_refused(bank: OpenIDClient) -> None:
    kind = {"content-type": "application/x-www-form-urlencoded"}
    reply = await bank.web.post("/par", body=b"scope=openid&scope=openid", headers=kind)
    assert error_of(reply) == "invalid_request"


@pytest.mark.behaviour("PAR-5")
async def test_an_unregistered_address_is_refused(bank: OpenIDClient) -> None:
    for uri in ("https://evil.example/callback", None):
        assert error_of(await bank.push(bank.asked(redirect_uri=uri))) == "invalid_request"


@pytest.mark.behaviour("PAR-6")
async def test_a_fapi_client_brings_a_code_challenge(bank: OpenIDClient) -> None:
    without = bank.asked(code_challenge=None, code_challenge_method=None)
    assert error_of(await bank.push(without)) == "invalid_request"
    assert error_of(await bank.push(bank.asked(code_challenge_method="plain"))) == "invalid_request"


@pytest.mark.behaviour("PAR-7")
async def test_other_bodies_and_methods_are_refused(bank: OpenIDClient) -> None:
    reply = await bank.web.post("/par", json=bank.asked() | bank.assertion())
    assert error_of(reply) == "invalid_request"
    for method in ("GET", "HEAD", "PUT"):
        reply = await bank.web.request(method, "/par")
        assert (reply.status, reply.header("allow")) == (405, "OPTIONS, POST")


@pytest.mark.behaviour("PAR-8")
async def test_an_oversized_push_is_refused(bank: OpenIDClient) -> None:
    reply = await bank.push(bank.asked(claims="x" * 40_000))
    assert reply.status in {400, 413}
    assert reply.json()["error"] == "invalid_request"


@pytest.mark.behaviour("PAR-9")
async def test_errors_of_the_endpoint_are_those_of_the_request(bank: OpenIDClient) -> None:
    for error, bent in {
        "unsupported_response_type": {"response_type": "token"},
        "invalid_scope": {"scope": None},
        "invalid_target": {"resource": "https://api.elsewhere.example/"},
    }.items():
        form: dict[str, Any] = bank.asked(**bent)
        assert error_of(await bank.push(form)) == error


@pytest.mark.behaviour("PAR-10")
async def test_a_used_request_uri_is_refused(bank: OpenIDClient, browser: Browser) -> None:
    address = bank.pushed_address(await bank.pushed())
    await bank.begin(browser, address)
    assert refused_page(await arrive(bank.browser(), address)) == "openid_request_uri_refused"


@pytest.mark.behaviour("PAR-24")
async def test_a_reload_before_the_answer_leads_to_the_same_page(
    bank: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    address = bank.pushed_address(await bank.pushed())
    page = await bank.begin(browser, address)
    assert await bank.begin(browser, address) == page
    assert len(await rows_of(bank.world, grant)) == 1
    brought(await arrive(browser, await answer(browser, phone, page)))
    assert refused_page(await arrive(browser, address)) == "openid_request_uri_refused"


@pytest.mark.behaviour("PAR-11")
async def test_an_expired_request_uri_is_refused(
    bank: OpenIDClient, browser: Browser, clock: StandingClock
) -> None:
    address = bank.pushed_address(await bank.pushed())
    clock.tick(89)
    await bank.begin(browser, address)
    late = bank.pushed_address(await bank.pushed())
    clock.tick(90)
    assert refused_page(await arrive(browser, late)) == "openid_request_uri_refused"


@pytest.mark.behaviour("PAR-12")
async def test_another_clients_request_uri_is_refused(
    bank: OpenIDClient, shop: OpenIDClient, browser: Browser
) -> None:
    pushed = await bank.pushed()
    reply = await arrive(browser, shop.pushed_address(pushed))
    assert refused_page(reply) == "openid_request_uri_refused"
    await bank.begin(browser, bank.pushed_address(pushed))  # and was not used up by that


@pytest.mark.behaviour("PAR-13")
async def test_an_unknown_request_uri_is_refused(bank: OpenIDClient, browser: Browser) -> None:
    for handle in ("", "x", "A" * 43, "é"):
        address = bank.pushed_address(f"urn:ietf:params:oauth:request_uri:{handle}")
        assert refused_page(await arrive(browser, address)) == "openid_request_uri_refused"


@pytest.mark.behaviour("PAR-14")
async def test_a_look_at_the_headers_uses_nothing_up(bank: OpenIDClient, browser: Browser) -> None:
    address = bank.pushed_address(await bank.pushed())
    assert (await browser.request("HEAD", address)).status == 405
    await bank.begin(browser, address)


@pytest.mark.behaviour("PAR-15")
async def test_parameters_beside_a_request_uri_do_not_count(
    bank: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    address = bank.pushed_address(await bank.pushed())
    beside = "&redirect_uri=https%3A%2F%2Fevil.example%2F&state=theirs&scope=other&prompt=none"
    answer = await bank.log_in(phone, browser, address + beside)
    assert answer["state"] == "af0ifjsldkj"


@pytest.mark.behaviour("PAR-16")
async def test_request_and_request_uri_exclude_each_other(
    bank: OpenIDClient, browser: Browser
) -> None:
    address = bank.pushed_address(await bank.pushed()) + "&request=e30.e30.e30"
    assert refused_page(await arrive(browser, address)) == "openid_request_refused"


@pytest.mark.behaviour("PAR-17")
async def test_a_proof_of_another_key_than_named_is_refused(
    shop: OpenIDClient, clock: StandingClock
) -> None:
    key, other = generate(KeySpec.P256), generate(KeySpec.P256)
    proof = dpop.build_proof(key, method="POST", url=f"{PLATFORM}/par", at=clock.wire_now())
    named = shop.asked(dpop_jkt=jwk.thumbprint(other.public_key()))
    assert error_of(await shop.push(named, dpop=proof)) == "invalid_request"


@pytest.mark.behaviour("PAR-18")
async def test_a_proof_that_does_not_hold_is_refused(
    bank: OpenIDClient, clock: StandingClock
) -> None:
    key = generate(KeySpec.P256)
    elsewhere = dpop.build_proof(key, method="POST", url=f"{PLATFORM}/token", at=clock.wire_now())
    for proof in (elsewhere, "no.proof.here"):
        assert error_of(await bank.push(dpop=proof)) == "invalid_dpop_proof"


@pytest.mark.behaviour("PAR-19")
async def test_the_key_of_a_proof_binds_the_code(
    world: World, shop: OpenIDClient, clock: StandingClock
) -> None:
    key = generate(KeySpec.P256)
    proof = dpop.build_proof(key, method="POST", url=f"{PLATFORM}/par", at=clock.wire_now())
    assert (await shop.push(dpop=proof)).status == 201
    [row] = await rows_of(world, pushed_request)
    assert row.asked["dpop_jkt"] == jwk.thumbprint(key.public_key())


@pytest.mark.behaviour("PAR-20")
async def test_the_answer_names_the_request_and_its_life(bank: OpenIDClient) -> None:
    reply = await bank.push()
    assert reply.status == 201
    assert reply.header("cache-control") == "no-store"
    answer = reply.json()
    assert set(answer) == {"request_uri", "expires_in"}
    assert URN.fullmatch(answer["request_uri"])
    assert answer["expires_in"] == 90


@pytest.mark.behaviour("PAR-21")
async def test_nothing_that_authenticates_is_kept(world: World, bank: OpenIDClient) -> None:
    handle = (await bank.pushed()).rpartition(":")[2]
    [row] = await rows_of(world, pushed_request)
    kept = str(row)
    assert handle not in kept
    assert "assertion" not in kept
    assert row.asked["redirect_uri"] == REDIRECT_URI


@pytest.mark.behaviour("PAR-22")
async def test_a_fapi_client_logs_in_by_a_pushed_request(
    bank: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    answer = await bank.log_in(phone, browser, bank.pushed_address(await bank.pushed()))
    assert set(answer) == {"code", "state", "iss"}


@pytest.mark.behaviour("PAR-23")
async def test_a_client_of_the_basic_profile_may_push(shop: OpenIDClient, browser: Browser) -> None:
    uri = await shop.pushed(prompt="none")
    reply = await arrive(browser, shop.pushed_address(uri))
    assert brought(reply)["error"] == "login_required"
