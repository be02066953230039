"""``verified_claims`` of a login: what can be shown, and silence about the rest."""

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from federation.http_logins import HTTPClient
from federation.ida_schema import VERIFIED_CLAIMS
from federation.logins import ADDRESS, NAME, take_back
from inkan.client import Phone
from support.world import World

CARD, REGISTER = "urn:inkan:trust:card", "urn:inkan:trust:register"
EVERYTHING = {"trust_framework": None, "assurance_level": None, "time": None, "evidence": None}


@pytest.fixture
async def client(world: World, phone: Phone) -> HTTPClient:
    return await HTTPClient.registered(world, phone)


def wish(verification: Any, *names: str, place: str = "userinfo") -> dict[str, Any]:
    element = {"verification": verification, "claims": dict.fromkeys(names)}
    return {place: {"verified_claims": element}}


async def told(client: HTTPClient, verification: Any, *names: str) -> Any:
    got = await client.log_in(claims=wish(verification, *names))
    return (await got.userinfo()).get("verified_claims")


@pytest.mark.behaviour("IDA-1")
async def test_what_the_card_proved_is_told_with_the_card_as_evidence(client: HTTPClient):
    shown = await told(client, EVERYTHING, "name", "birthdate")
    Draft202012Validator(VERIFIED_CLAIMS).validate(shown)
    assert shown["verification"]["trust_framework"] == CARD
    [evidence] = shown["verification"]["evidence"]
    assert evidence["type"] == "document"
    assert evidence["check_details"] == [{"check_method": "vcrypt"}]
    assert shown["claims"]["name"] == NAME


@pytest.mark.behaviour("IDA-2")
async def test_no_level_is_told_of_the_card(client: HTTPClient):
    shown = await told(client, EVERYTHING, "name")
    assert "assurance_level" not in shown["verification"]
    assert await told(client, EVERYTHING | {"assurance_level": {"value": "3"}}, "name") is None


@pytest.mark.behaviour("IDA-3")
async def test_a_register_is_told_with_its_own_level(client: HTTPClient):
    await client.record_address()
    shown = await told(client, EVERYTHING, "address")
    Draft202012Validator(VERIFIED_CLAIMS).validate(shown)
    assert shown["verification"]["trust_framework"] == REGISTER
    assert shown["verification"]["assurance_level"] == "2"
    assert shown["claims"] == {"address": {"formatted": ADDRESS}}


@pytest.mark.behaviour("IDA-4")
async def test_another_trust_framework_is_answered_with_silence(client: HTTPClient):
    assert await told(client, {"trust_framework": {"value": "eidas"}}, "name") is None


@pytest.mark.behaviour("IDA-5")
async def test_so_is_evidence_that_there_is_not(client: HTTPClient):
    vouched = {"trust_framework": None, "evidence": [{"type": {"value": "vouch"}}]}
    assert await told(client, vouched, "name") is None


@pytest.mark.behaviour("IDA-6")
async def test_so_is_a_verification_that_is_too_old(client: HTTPClient):
    aged = {"trust_framework": None, "time": {"max_age": 0}}
    client.world.clock.tick(5)  # type: ignore[attr-defined]
    assert await told(client, aged, "birthdate") is None


@pytest.mark.behaviour("IDA-7")
@pytest.mark.parametrize("claims", [{}, None, []])
async def test_claims_that_are_empty_are_an_invalid_request(client: HTTPClient, claims: Any):
    element = {"verification": {"trust_framework": None}, "claims": claims}
    assert (
        await client.refused(claims={"userinfo": {"verified_claims": element}}) == "invalid_request"
    )


@pytest.mark.behaviour("IDA-8")
@pytest.mark.parametrize("verification", [None, {}, {"time": None}])
async def test_so_is_a_verification_without_a_trust_framework(
    client: HTTPClient, verification: Any
):
    assert await client.refused(claims=wish(verification, "name")) == "invalid_request"


@pytest.mark.behaviour("IDA-9")
async def test_two_sources_are_two_elements(client: HTTPClient):
    await client.record_address()
    shown = await told(client, {"trust_framework": None}, "name", "address")
    Draft202012Validator(VERIFIED_CLAIMS).validate(shown)
    assert sorted(each["verification"]["trust_framework"] for each in shown) == [CARD, REGISTER]


@pytest.mark.behaviour("IDA-10")
async def test_a_plain_wish_is_answered_beside_an_element_that_is_left_out(client: HTTPClient):
    claims = wish({"trust_framework": {"value": "eidas"}}, "birthdate")
    claims["userinfo"]["name"] = None
    got = await client.log_in(claims=claims)
    assert await got.userinfo() == {"name": NAME}


@pytest.mark.behaviour("IDA-11")
@pytest.mark.parametrize("purpose", ["ab", "x" * 301])
async def test_a_purpose_has_3_to_300_characters(client: HTTPClient, purpose: str):
    assert (
        await client.refused(claims={"userinfo": {"name": {"purpose": purpose}}})
        == "invalid_request"
    )


@pytest.mark.behaviour("IDA-12")
async def test_a_consent_that_was_taken_back_ends_the_element(world: World, client: HTTPClient):
    got = await client.log_in(claims=wish({"trust_framework": None}, "name", place="id_token"))
    assert got.id_token["verified_claims"]["claims"] == {"name": NAME}
    await take_back(world, client.phone)
    assert "verified_claims" not in (await got.refreshed()).id_token


@pytest.mark.behaviour("IDA-13")
async def test_a_claim_that_the_purpose_does_not_register_is_in_no_element(client: HTTPClient):
    assert await told(client, {"trust_framework": None}, "residence") is None


@pytest.mark.behaviour("IDA-14")
async def test_what_is_not_asked_of_the_verification_is_not_told(client: HTTPClient):
    shown = await told(client, {"trust_framework": None}, "name")
    assert shown["verification"] == {"trust_framework": CARD}
