"""Signed authentication requests (CIBA Core §7.1.1, FAPI-CIBA §5.2.2) over HTTP."""

from typing import Any

import pytest

from federation.backchannel import FAPI, ClientCaller, error_of, reached
from identification.callers import WebClient
from inkan.client import Phone
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from support.clock import StandingClock
from support.world import PLATFORM, World

INVALID = (400, "invalid_request")


@pytest.fixture
async def client(world: World, web: WebClient, clock: StandingClock) -> ClientCaller:
    return await ClientCaller.registered(world, web, clock)


async def second(world: World, like: ClientCaller, **openid: Any) -> ClientCaller:
    """Another client of the same platform."""
    return await ClientCaller.registered(world, like.web, like.clock, "other", **openid)


@pytest.mark.behaviour("CIBA-30")
async def test_a_signed_request_is_answered(
    world: World, client: ClientCaller, phone: Phone
) -> None:
    answer = await client.ask_signed(client.signed(requested_expiry=60, binding_message="K7"))
    made = answer.json()
    assert (answer.status_code, made["expires_in"]) == (200, 60)
    held = await reached(world, phone, made["inkan_code"])
    assert "「K7」" in held.text


@pytest.mark.behaviour("CIBA-31")
async def test_nothing_is_asked_beside_a_signed_request(client: ClientCaller) -> None:
    refused = await client.ask_signed(client.signed(), binding_message="another")
    assert error_of(refused) == INVALID


@pytest.mark.behaviour("CIBA-32")
async def test_a_fapi_client_signs_its_requests(world: World, client: ClientCaller) -> None:
    bank = await second(world, client, **FAPI)
    assert error_of(await bank.ask()) == INVALID
    assert (await bank.ask_signed(bank.signed())).status_code == 200


@pytest.mark.behaviour("CIBA-33")
async def test_a_signed_request_is_used_once(client: ClientCaller) -> None:
    request = client.signed()
    assert (await client.ask_signed(request)).status_code == 200
    assert error_of(await client.ask_signed(request)) == (400, "invalid_request_object")


@pytest.mark.behaviour("CIBA-34")
async def test_a_signed_request_names_its_parties_and_its_short_life(
    client: ClientCaller, clock: StandingClock
) -> None:
    now = to_seconds(clock.wire_now())
    flaws: list[dict[str, Any]] = [
        {"iss": "other"},
        {"aud": f"{PLATFORM}/bc-authorize"},
        {"aud": [PLATFORM]},
        {"exp": now},
        {"nbf": now + 60, "exp": now + 120},
        {"exp": now + 3601},
        {"nbf": now - 3600, "exp": now + 60},
        {"jti": "short"},
        *({name: None} for name in ("iss", "aud", "iat", "nbf", "exp", "jti")),
        {"requested_expiry": True},
        {"scope": ["openid"]},
    ]
    for flaw in flaws:
        refused = await client.ask_signed(client.signed(**flaw))
        assert error_of(refused) == (400, "invalid_request_object"), flaw


@pytest.mark.behaviour("CIBA-35")
async def test_only_a_registered_key_signs_a_request(client: ClientCaller) -> None:
    foreign = client.signed(key=generate(KeySpec.P256))
    for bad in (foreign, foreign.rpartition(".")[0] + ".", "e30.e30.", "x"):
        assert error_of(await client.ask_signed(bad)) == (400, "invalid_request_object")


@pytest.mark.behaviour("CIBA-36")
async def test_a_fapi_client_ties_the_two_screens_together(
    world: World, client: ClientCaller
) -> None:
    bank = await second(world, client, **FAPI, inkan_code=False)
    refused = await bank.ask_signed(bank.signed())
    assert error_of(refused) == (400, "invalid_binding_message")
    assert (await bank.ask_signed(bank.signed(binding_message="K7"))).status_code == 200
