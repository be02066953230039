"""Attributes by consent: asked by registered code, shown by name, given by the signed statement, noted as consent."""

import pytest

from identification.answers import frame_of
from identification.callers import SystemCaller, WebClient, code_of
from identification.doorways import RETURN, VERIFIER, all_doors, brought
from inkan.client import Phone
from inkan.crypto import jose
from inkan.wire.receipt import RECEIPT_TYP, parse_receipt
from support.clock import StandingClock
from support.world import PURPOSES, World

ASKING = [{**PURPOSES[0], "claims": ["name", "age_over_18", "address"]}]


@pytest.fixture
async def shop(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "shop", **all_doors(purposes=ASKING))


@pytest.mark.req("TW-68")
async def test_what_is_asked_is_shown_given_and_noted(
    world: World, shop: SystemCaller, phone: Phone
):
    made = await shop.created(claims=["name", "age_over_18"])
    held = await phone.open_frame(frame_of(made["doors"]["qr"]))
    assert "姓名" in held.text
    await phone.approve()
    seen = await shop.read(made["session"]["id"])
    assert seen["claims"]["name"]["value"] == "陳怡君"
    assert seen["claims"]["age_over_18"]["value"] is True
    jws = (await shop.call("GET", f"/v1/sessions/{made['session']['id']}/receipt")).text
    receipt = parse_receipt(jose.parse_compact(jws, typ=RECEIPT_TYP, required=("x5c",)).payload)
    assert receipt.claims == seen["claims"]
    person = (await world.citizen("chen")).person.id
    consents = await world.platform.db.read(world.platform.attributes.consents, person)
    [consent] = consents
    assert set(consent.codes) == {"name", "age_over_18"}
    assert consent.session == made["session"]["id"]


async def test_a_missing_attribute_gives_none_of_them(
    shop: SystemCaller, phone: Phone, world: World
):
    made = await shop.created(claims=["name", "address"])
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    seen = await shop.read(made["session"]["id"])
    assert (seen["outcome"], seen["reason"], seen["claims"]) == ("failed", "attribute_missing", {})
    person = (await world.citizen("chen")).person.id
    assert await world.platform.db.read(world.platform.attributes.consents, person) == []


async def test_withheld_until_redeemed(shop: SystemCaller, phone: Phone):
    made = await shop.created(doors=["web_link"], claims=["name"], **{"return": RETURN})
    await phone.open_link(made["doors"]["web_link"]["url"])
    back = brought((await phone.approve()).return_url)
    assert (await shop.read(made["session"]["id"]))["claims"] == {}
    body = {"verifier": VERIFIER, "return_code": back["return_code"]}
    path = f"/v1/sessions/{made['session']['id']}/redeem"
    assert (await shop.call("POST", path, body=body)).json()["claims"]["name"]["value"] == "陳怡君"


async def test_a_refusal_gives_and_notes_nothing(world: World, shop: SystemCaller, phone: Phone):
    made = await shop.created(claims=["name"])
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.refuse()
    assert (await shop.read(made["session"]["id"]))["claims"] == {}
    person = (await world.citizen("chen")).person.id
    assert await world.platform.db.read(world.platform.attributes.consents, person) == []


async def test_only_what_the_purpose_names(shop: SystemCaller):
    assert code_of(await shop.create(claims=["birth_date"])) == (403, "claim_not_registered")
    assert code_of(await shop.create(claims=["name", "name"])) == (400, "malformed")
