"""A consent that is taken back: what is given out no more, and that nobody takes back somebody else's."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from identification.answers import frame_of
from identification.callers import PhoneCaller, SystemCaller, WebClient, code_of
from identification.doorways import all_doors
from inkan.client import Phone
from inkan.identification.service import receipt_signer
from inkan.identification.store import session as table
from inkan.store.query import Query
from support.clock import StandingClock
from support.world import PURPOSES, World

ASKING = [{**PURPOSES[0], "claims": ["name", "age_over_18"]}]


@pytest.fixture
async def shop(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "shop", **all_doors(purposes=ASKING))


@pytest.fixture
async def given(shop: SystemCaller, phone: Phone) -> dict[str, Any]:
    """A session in which the person gave name and age."""
    made = await shop.created(claims=["name", "age_over_18"])
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    return made["session"]


async def test_after_it_nothing_more_is_given_out(
    world: World, shop: SystemCaller, phone: Phone, given: dict[str, Any]
):
    path = f"/v1/sessions/{given['id']}"
    before = await shop.call("GET", path)
    assert before.json()["claims"]["name"]["value"] == "陳怡君"
    assert (await shop.call("GET", f"{path}/receipt")).status_code == 200
    assert "陳怡君".encode() in await stored(world, given["id"])
    [consent] = await phone.consents()
    assert (consent["relying_party"], consent["withdrawn_at"]) == ("Tax Office", None)
    assert set(consent["claims"]) == {"name", "age_over_18"}
    await phone.withdraw_consent(consent["id"])
    after = await shop.call("GET", path)
    assert (after.json()["state"], after.json()["claims"]) == ("closed", {})
    assert after.headers["etag"] != before.headers["etag"]
    for what in ("receipt", "evidence"):
        assert code_of(await shop.call("GET", f"{path}/{what}")) == (410, "consent_withdrawn")
    [consent] = await phone.consents()
    assert consent["withdrawn_at"] is not None
    left = await stored(world, given["id"])
    assert "陳怡君".encode() not in left
    assert b"eyJ" not in left  # nor a JWS around it
    assert (await world.events()).count("attributes.consent_withdrawn") == 1


async def stored(world: World, session: str) -> bytes:
    """Everything that the session's row holds in the clear, the receipt's payload among it."""
    query = Query(sa.select(table).where(table.c.id == session))

    def body():
        return (yield query.one())

    row = await world.platform.db.read(body)
    return b"|".join(
        each if isinstance(each, bytes) else msgspec.json.encode(each)
        for name, each in row._asdict().items()
        if name != "evidence" and not hasattr(each, "tzinfo")
    )


async def test_twice_is_once_and_the_first_moment_stays(
    world: World, phone: Phone, given: dict[str, Any], clock: StandingClock
):
    [consent] = await phone.consents()
    await phone.withdraw_consent(consent["id"])
    [first] = await phone.consents()
    clock.tick(60)
    await phone.withdraw_consent(consent["id"])
    assert await phone.consents() == [first]
    assert (await world.events()).count("attributes.consent_withdrawn") == 1


async def test_nobody_takes_back_somebody_elses(
    world: World,
    shop: SystemCaller,
    phone: Phone,
    given: dict[str, Any],
    web: WebClient,
    clock: StandingClock,
):
    [consent] = await phone.consents()
    lin = await world.bind("lin", phone=world.new_phone("phone of lin"))
    assert await lin.consents() == []
    stranger = PhoneCaller(web, lin, clock)
    for each in (consent["id"], "con_" + "a" * 32):
        answer = await stranger.post(f"/phone/v1/consents/{each}/withdraw")
        assert code_of(answer) == (404, "consent_not_found")
    assert [each["withdrawn_at"] for each in await phone.consents()] == [None]
    assert (await shop.read(given["id"]))["claims"] != {}


async def test_it_needs_the_person_not_the_phone_alone(
    phone: Phone, given: dict[str, Any], caller: PhoneCaller, clock: StandingClock
):
    [consent] = await phone.consents()
    clock.tick(601)
    answer = await caller.post(f"/phone/v1/consents/{consent['id']}/withdraw")
    assert code_of(answer) == (403, "verification_stale")


async def test_a_signature_in_the_making_brings_nothing_back(
    world: World, shop: SystemCaller, phone: Phone, given: dict[str, Any]
):
    """The receipt is signed after COMMIT: a withdrawal may come between."""
    [consent] = await phone.consents()
    await phone.withdraw_consent(consent["id"])
    await world.platform.db.transact(receipt_signer._store_all, [(given["id"], "a.b.c")])
    answer = await shop.call("GET", f"/v1/sessions/{given['id']}/receipt")
    assert code_of(answer) == (410, "consent_withdrawn")
    assert b"a.b.c" not in await stored(world, given["id"])


async def test_a_purged_session_leaves_the_withdrawal(
    world: World, phone: Phone, given: dict[str, Any], clock: StandingClock
):
    clock.tick(25 * 3600)
    await world.platform.identification.purge()
    [consent] = await phone.consents()
    await phone.withdraw_consent(consent["id"])
    [consent] = await phone.consents()
    assert consent["withdrawn_at"] is not None
