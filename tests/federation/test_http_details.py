"""``authorization_details``: an approval asked in OAuth's words, and the receipt as its result."""

from typing import Any

import pytest

from federation.asking import DIGEST
from federation.logins import Client, take_back
from inkan.crypto import jose
from inkan.federation.model.refusals import DetailsRefused
from inkan.wire.receipt import RECEIPT_TYP, Receipt, parse_receipt
from support.world import World

APPROVE = "urn:inkan:authorization:approve"
CONTENT = {"id": "c1", "name": "匯款單 1024", "digest": DIGEST, "alg": "sha-256"}
DETAIL = {"type": APPROVE, "purpose": "approve_payment", "contents": [CONTENT]}


def receipt_of(details: Any) -> Receipt:
    [detail] = details
    jws = jose.parse_compact(detail["receipt"], typ=RECEIPT_TYP, required=("x5c",))
    return parse_receipt(jws.payload)


async def refused(client: Client, *details: Any) -> None:
    with pytest.raises(DetailsRefused) as error:
        await client.log_in(details=list(details), door="push")
    assert error.value.error == "invalid_authorization_details"


@pytest.mark.behaviour("RAR-1")
async def test_the_person_reads_the_content_and_its_fingerprint(client: Client):
    got = await client.log_in(details=[DETAIL], door="push")
    assert "匯款單 1024" in got.shown.text
    assert "9f86 d081" in got.shown.text


@pytest.mark.behaviour("RAR-2")
async def test_the_receipt_of_the_approval_is_the_result(client: Client):
    got = await client.log_in(details=[DETAIL], door="push")
    receipt = receipt_of(got.details)
    assert (receipt.kind, receipt.purpose) == ("approve", "approve_payment")
    assert [(each.name, each.digest) for each in receipt.contents] == [("匯款單 1024", DIGEST)]
    assert receipt.subject is not None
    assert receipt.subject.person_ref == got.id_token["sub"]


@pytest.mark.behaviour("RAR-3")
async def test_what_was_asked_comes_back_with_it(client: Client):
    [detail] = (await client.log_in(details=[DETAIL], door="push")).details or []
    assert {name: detail[name] for name in DETAIL} == DETAIL


@pytest.mark.behaviour("RAR-4")
async def test_an_unknown_type_is_refused(client: Client):
    await refused(client, DETAIL | {"type": "payment_initiation"})


@pytest.mark.behaviour("RAR-5")
async def test_a_member_that_the_type_does_not_have_is_refused(client: Client):
    await refused(client, DETAIL | {"actions": ["read"]})


@pytest.mark.behaviour("RAR-6")
async def test_a_purpose_that_the_client_did_not_register_is_refused(client: Client):
    await refused(client, DETAIL | {"purpose": "not_for_clients"})
    await refused(client, DETAIL | {"purpose": "login"})


@pytest.mark.behaviour("RAR-7")
async def test_two_approvals_are_two_requests(client: Client):
    await refused(client, DETAIL, DETAIL)


@pytest.mark.behaviour("RAR-8")
async def test_a_digest_of_another_length_is_refused(client: Client):
    await refused(client, DETAIL | {"contents": [CONTENT | {"alg": "sha-512"}]})


@pytest.mark.behaviour("RAR-9")
async def test_an_approval_has_the_level_that_approvals_need(client: Client):
    got = await client.log_in(details=[DETAIL], door="push")
    assert got.id_token["acr"] == "urn:inkan:acr:uv:matched"


@pytest.mark.behaviour("RAR-10")
async def test_without_its_consent_the_receipt_is_not_given_again(world: World, client: Client):
    got = await client.log_in("openid profile", details=[DETAIL], door="push")
    assert set(receipt_of(got.details).claims) == {"name"}
    await take_back(world, client.phone)
    [detail] = (await got.refreshed()).details or []
    assert "receipt" not in detail
    assert detail["contents"] == [CONTENT]
