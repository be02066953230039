"""Scopes, claims, ``acr`` and consent, from the request of a client to what it is told."""

from datetime import timedelta

import pytest

from federation.clients import rows_of
from federation.http_logins import HTTPClient
from federation.logins import ADDRESS, NAME, take_back
from inkan.client import Phone
from inkan.federation.service.parts import ANSWER
from inkan.federation.store import grant
from support.clock import StandingClock
from support.world import World

BORN = "1988-03-14"
PERSONAL = {"name", "birthdate", "address", "age_over_18", "residence"}


@pytest.fixture
async def client(world: World, phone: Phone) -> HTTPClient:
    return await HTTPClient.registered(world, phone)


@pytest.mark.behaviour("CLM-1")
async def test_a_login_alone_tells_nothing_of_the_person(client: HTTPClient):
    got = await client.log_in()
    assert not PERSONAL & set(got.id_token)
    assert await got.userinfo() == {}
    assert NAME not in got.shown


@pytest.mark.behaviour("CLM-2")
async def test_profile_gives_name_and_birth_date(client: HTTPClient):
    got = await client.log_in("openid profile")
    assert await got.userinfo() == {"name": NAME, "birthdate": BORN}


@pytest.mark.behaviour("CLM-3")
async def test_what_scopes_ask_is_not_in_the_id_token(client: HTTPClient):
    got = await client.log_in("openid profile")
    assert not PERSONAL & set(got.id_token)


@pytest.mark.behaviour("CLM-4")
async def test_a_scope_gives_nothing_that_the_purpose_does_not_register(client: HTTPClient):
    got = await client.log_in("openid residence credit_card")
    assert await got.userinfo() == {}


@pytest.mark.behaviour("CLM-5")
async def test_wishes_for_the_id_token_are_answered_there(client: HTTPClient):
    got = await client.log_in(claims={"id_token": {"age_over_18": None}})
    assert got.id_token["age_over_18"] is True
    assert await got.userinfo() == {}


@pytest.mark.behaviour("CLM-6")
async def test_wishes_for_userinfo_are_answered_there(client: HTTPClient):
    got = await client.log_in(claims={"userinfo": {"name": None}})
    assert "name" not in got.id_token
    assert await got.userinfo() == {"name": NAME}


@pytest.mark.behaviour("CLM-7")
async def test_an_essential_claim_that_is_missing_does_not_fail_the_login(client: HTTPClient):
    got = await client.log_in(
        claims={"userinfo": {"address": {"essential": True}, "name": {"essential": True}}}
    )
    assert await got.userinfo() == {"name": NAME}


@pytest.mark.behaviour("CLM-8")
async def test_a_scope_without_a_value_is_left_out(client: HTTPClient):
    got = await client.log_in("openid address")
    assert await got.userinfo() == {}


@pytest.mark.behaviour("CLM-9")
async def test_claims_that_nobody_knows_are_ignored(client: HTTPClient):
    got = await client.log_in(claims={"userinfo": {"shoe_size": {"essential": True}}, "later": {}})
    assert await got.userinfo() == {}


@pytest.mark.behaviour("CLM-10")
@pytest.mark.parametrize("text", ["[]", "{", '{"userinfo":1}', '{"userinfo":{"name":"yes"}}'])
async def test_what_is_no_claims_parameter_is_an_invalid_request(client: HTTPClient, text: str):
    assert await client.refused(claims=text) == "invalid_request"


@pytest.mark.behaviour("CLM-11")
async def test_a_name_that_stands_twice_is_an_invalid_request(client: HTTPClient):
    text = '{"userinfo":{"name":null,"name":{"essential":true}}}'
    assert await client.refused(claims=text) == "invalid_request"


@pytest.mark.behaviour("CLM-12")
async def test_the_person_reads_what_is_given(client: HTTPClient):
    got = await client.log_in("openid profile")
    assert "姓名" in got.shown
    assert "出生" in got.shown
    assert "住址" not in got.shown


@pytest.mark.behaviour("CLM-13")
async def test_the_consent_names_what_was_given_and_no_more(client: HTTPClient):
    await client.log_in("openid profile address")
    [consent] = await client.phone.consents()
    assert set(consent["claims"]) == {"name", "birth_date"}
    assert consent["relying_party"] == "The shop"


@pytest.mark.behaviour("CLM-14")
async def test_a_consent_that_was_taken_back_in_the_portal_ends_userinfo_at_once(
    world: World, client: HTTPClient
):
    got = await client.log_in("openid profile", claims={"id_token": {"age_over_18": None}})
    await take_back(world, client.phone)
    assert await got.userinfo() == {}
    assert "age_over_18" not in (await got.refreshed()).id_token


@pytest.mark.behaviour("CLM-15")
async def test_it_stays_so_when_the_session_is_forgotten(
    world: World, client: HTTPClient, clock: StandingClock
):
    got = await client.log_in("openid profile")
    await take_back(world, client.phone)
    await world.instance.catch_up()  # the event of the withdrawal
    parts = world.platform.openid.parts
    [row] = await rows_of(world, grant)
    assert NAME.encode() not in parts.sealer.open(ANSWER, row.id, row.answer).reveal()
    clock.advance(timedelta(days=3))
    await world.platform.identification.purge()
    refreshed = await got.refreshed()
    assert await refreshed.userinfo() == {}
    assert (await world.events()).count("federation.grant_claims_withdrawn") == 1


@pytest.mark.behaviour("CLM-16")
async def test_another_client_keeps_what_it_was_given(
    world: World, client: HTTPClient, clock: StandingClock
):
    other = await HTTPClient.registered(world, client.phone, "bank")
    first = await other.log_in("openid profile")
    clock.tick(1)  # the newest consent is the one that is taken back
    second = await client.log_in("openid profile")
    await take_back(world, client.phone)
    assert await second.userinfo() == {}
    assert set(await first.userinfo()) == {"name", "birthdate"}


@pytest.mark.behaviour("CLM-17")
async def test_a_scanned_code_is_told_as_such(client: HTTPClient):
    got = await client.log_in()
    assert got.id_token["acr"] == "urn:inkan:acr:uv:none"


@pytest.mark.behaviour("CLM-18")
async def test_digits_that_were_typed_are_told(client: HTTPClient):
    got = await client.log_in(way="push")
    assert got.id_token["acr"] == "urn:inkan:acr:uv:matched"
    assert "mca" in got.id_token["amr"]


@pytest.mark.behaviour("CLM-19")
async def test_a_phone_that_led_its_browser_back_is_told(client: HTTPClient):
    got = await client.log_in(way="link")
    assert got.id_token["acr"] == "urn:inkan:acr:uv:returned"


@pytest.mark.behaviour("CLM-20")
async def test_a_key_that_is_declared_is_told_as_neither_hardware_nor_software(client: HTTPClient):
    got = await client.log_in(claims={"id_token": {"inkan_answer": None}})
    assert got.id_token["amr"] == ["pop", "user", "mfa"]
    answer = got.id_token["inkan_answer"]
    assert (answer["back_end"], answer["attested"]) == ("A", False)


@pytest.mark.behaviour("CLM-21")
async def test_the_answer_tells_door_level_and_youth(client: HTTPClient):
    got = await client.log_in(claims={"userinfo": {"inkan_answer": None}}, way="push")
    answer = (await got.userinfo())["inkan_answer"]
    assert answer["door"] == "redirect/push"
    assert answer["binding"] == {
        "level": "matched",
        "evidence": ["browser_bound", "code_entered"],
    }
    assert answer["young"] is True


@pytest.mark.behaviour("CLM-22")
async def test_a_value_that_differs_from_the_wish_is_not_told(client: HTTPClient):
    got = await client.log_in(
        claims={"userinfo": {"age_over_18": {"value": False}, "name": {"value": NAME}}}
    )
    assert await got.userinfo() == {"name": NAME}


@pytest.mark.behaviour("CLM-23")
async def test_an_address_has_the_form_of_the_standard(client: HTTPClient):
    await client.record_address()
    got = await client.log_in("openid address")
    assert await got.userinfo() == {"address": {"formatted": ADDRESS}}


@pytest.mark.behaviour("CLM-24")
async def test_an_age_needs_no_birth_date(client: HTTPClient):
    got = await client.log_in("openid age_over_18")
    assert await got.userinfo() == {"age_over_18": True}
    [consent] = await client.phone.consents()
    assert consent["claims"] == ["age_over_18"]
