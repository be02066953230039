"""What an answer by CIBA gives, by the same tables as every other one; and what discovery says of both ways."""

import json

import pytest

from federation.backchannel import CIBA, DEVICE, ClientCaller, approved, claims_of
from identification.callers import WebClient
from inkan.client import Phone
from inkan.crypto import dpop
from inkan.wire.authentication_context import value_of
from inkan.wire.binding import BindingLevel
from support.clock import StandingClock
from support.world import PLATFORM, PURPOSES, World


@pytest.mark.behaviour("CIBA-37")
async def test_what_the_scope_asks_stands_on_the_phone_and_is_given(
    world: World, web: WebClient, phone: Phone, clock: StandingClock
) -> None:
    naming = {**PURPOSES[0], "claims": ["name"]}
    client = await ClientCaller.registered(world, web, clock, system={"purposes": [naming]})
    made = await client.asked(scope="openid profile")
    held = await approved(world, phone, made)
    assert json.loads(held.draft)["claims"] == ["name"]
    token = (await client.poll(made)).json()["access_token"]
    url = f"{PLATFORM}/userinfo"
    proof = dpop.build_proof(
        client.dpop_key, method="GET", url=url, at=clock.wire_now(), access_token=token
    )
    headers = {"authorization": f"DPoP {token}", "dpop": proof}
    told = (await web.get("/userinfo", headers=headers)).json()
    assert told["name"] == "陳怡君"


@pytest.mark.behaviour("CIBA-38")
@pytest.mark.parametrize(
    ("shows", "level"), [(True, BindingLevel.MATCHED), (False, BindingLevel.NONE)]
)
async def test_the_acr_tells_whether_the_digits_were_typed(
    world: World,
    web: WebClient,
    phone: Phone,
    clock: StandingClock,
    shows: bool,
    level: BindingLevel,
) -> None:
    client = await ClientCaller.registered(world, web, clock, inkan_code=shows)
    best = value_of(BindingLevel.STRONG)
    made = await client.asked(acr_values=best)
    await approved(world, phone, made)
    told = claims_of((await client.poll(made)).json()["id_token"])
    assert told["acr"] == value_of(level)


@pytest.mark.behaviour("CIBA-39")
async def test_discovery_says_what_both_ways_offer(web: WebClient, world: World) -> None:
    told = (await web.get("/.well-known/openid-configuration")).json()
    assert told["backchannel_authentication_endpoint"] == f"{PLATFORM}/bc-authorize"
    assert told["device_authorization_endpoint"] == f"{PLATFORM}/device_authorization"
    assert {CIBA, DEVICE} <= set(told["grant_types_supported"])
    assert told["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
    assert told["backchannel_user_code_parameter_supported"] is False
    algorithms = told["backchannel_authentication_request_signing_alg_values_supported"]
    assert algorithms == ["ES256", "PS256"]
