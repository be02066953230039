"""Redeem: the answer goes to the browser that began, once, in time, and while it still holds (threat 3, TW-59)."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from identification.answers import honest
from identification.callers import PhoneCaller, SystemCaller, WebClient, code_of
from identification.doorways import RETURN, VERIFIER, all_doors, brought
from identification.test_phone_end import revoke_certificate, revoke_phone
from inkan.client import Phone
from inkan.crypto import base64url
from support.clock import StandingClock
from support.world import CITIZENS, World

OTHER = base64url.encode(bytes(32))


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


class Case:
    """A session that was approved and awaits its return."""

    def __init__(self, office: SystemCaller, made: dict[str, Any], return_code: str) -> None:
        self.office, self.id, self.return_code = office, made["session"]["id"], return_code

    @classmethod
    async def approved(cls, office: SystemCaller, phone: Phone, **members: Any) -> "Case":
        made = await office.created(doors=["web_link"], **{"return": RETURN, **members})
        await phone.open_link(made["doors"]["web_link"]["url"])
        return cls(office, made, brought((await phone.approve()).return_url)["return_code"])

    async def redeem(self, **bent: Any) -> Any:
        body = {"verifier": VERIFIER, "return_code": self.return_code, **bent}
        return await self.office.call("POST", f"/v1/sessions/{self.id}/redeem", body=body)

    async def view(self) -> dict[str, Any]:
        return await self.office.read(self.id)


@pytest.mark.parametrize(
    "bent", [{"verifier": OTHER}, {"return_code": OTHER}, {"return_code": None}]
)
async def test_another_browser_ends_the_session_without_an_answer(
    office: SystemCaller, phone: Phone, bent
):
    case = await Case.approved(office, phone)
    assert code_of(await case.redeem(**bent)) == (403, "return_other_browser")
    seen = await case.view()
    assert (seen["state"], seen["outcome"], seen["reason"]) == (
        "closed",
        "failed",
        "return_other_browser",
    )
    assert (seen["subject"], seen["claims"]) == (None, {})
    assert code_of(await case.redeem()) == (
        410,
        "approval_ended",
    )  # and the right one comes too late
    [record] = await phone.records()
    assert record["detail"]["reason"] == "return_other_browser"


async def test_redeemed_once(office: SystemCaller, phone: Phone):
    case = await Case.approved(office, phone)
    assert (await case.redeem()).json()["outcome"] == "ok"
    assert code_of(await case.redeem()) == (410, "approval_ended")
    assert (await case.view())["outcome"] == "ok"


@pytest.mark.race
async def test_of_parallel_redemptions_one_wins(world: World, office: SystemCaller, phone: Phone):
    case = await Case.approved(office, phone)
    answers = await asyncio.gather(*(case.redeem() for _ in range(6)))
    assert Counter(answer.status_code for answer in answers)[200] == 1
    assert Counter(await world.events())["identification.session_decided"] == 1
    assert len(await phone.records()) == 1


async def test_within_a_minute(
    world: World, office: SystemCaller, phone: Phone, clock: StandingClock
):
    case = await Case.approved(office, phone)
    clock.tick(59)
    assert (await case.redeem()).status_code == 200
    late = await Case.approved(office, phone)
    clock.tick(60)
    assert code_of(await late.redeem()) == (410, "approval_ended")
    seen = await late.view()
    assert (seen["state"], seen["reason"], seen["outcome"]) == ("expired", "return_missing", None)
    await world.instance.catch_up()
    newest = (await phone.records())[0]
    assert newest["outcome"] == "ok"
    assert newest["detail"]["is_delivered"] is False


@pytest.mark.parametrize("revoke", [revoke_certificate, revoke_phone])
async def test_what_was_revoked_meanwhile_is_no_answer(
    world: World, office: SystemCaller, phone: Phone, revoke
):
    case = await Case.approved(office, phone)
    await revoke(world, phone)
    seen = (await case.redeem()).json()
    assert (seen["outcome"], seen["reason"], seen["subject"]) == ("failed", "cert_revoked", None)


async def test_nothing_to_redeem_before_the_answer_and_after_a_refusal(
    office: SystemCaller, phone: Phone
):
    made = await office.created(doors=["web_link"], **{"return": RETURN})
    case = Case(office, made, OTHER)
    assert code_of(await case.redeem()) == (409, "session_not_decided")
    await phone.open_link(made["doors"]["web_link"]["url"])
    assert code_of(await case.redeem()) == (409, "session_not_decided")
    back = brought((await phone.refuse()).return_url)
    assert back == {"session": case.id}  # the browser goes back, with nothing to redeem
    assert code_of(await case.redeem()) == (410, "approval_ended")
    assert (await case.view())["reason"] == "user_refused"


async def test_another_systems_answer_is_an_unknown_one(
    world: World, web: WebClient, clock: StandingClock, office: SystemCaller, phone: Phone
):
    case = await Case.approved(office, phone)
    stranger = await SystemCaller.registered(world, web, clock, "other", **all_doors())
    body = {"verifier": VERIFIER, "return_code": case.return_code}
    answer = await stranger.call("POST", f"/v1/sessions/{case.id}/redeem", body=body)
    assert code_of(answer) == (404, "session_not_found")
    assert (await case.redeem()).status_code == 200


async def test_the_same_answer_again_hears_the_same_address(
    office: SystemCaller, phone: Phone, caller: PhoneCaller
):
    made = await office.created(doors=["web_link"], **{"return": RETURN})
    held = await phone.open_link(made["doors"]["web_link"]["url"])
    body = honest(phone, held)
    first, again = await caller.decide(held.id, body), await caller.decide(held.id, body)
    assert first.json() == again.json()
    assert brought(first.json()["return_url"])["return_code"]
    assert code_of(await caller.decide(held.id, honest(phone, held))) == (409, "decision_conflict")


async def test_a_withheld_answer_gives_no_receipt_and_no_evidence(
    office: SystemCaller, phone: Phone
):
    case = await Case.approved(office, phone, purpose="file_return")
    for what in ("receipt", "evidence"):
        answer = await office.call("GET", f"/v1/sessions/{case.id}/{what}")
        assert code_of(answer) == (409, "receipt_not_ready")
    await case.redeem()
    assert (await office.call("GET", f"/v1/sessions/{case.id}/evidence")).status_code == 200


async def test_the_expected_person_is_compared_before_anything_awaits_its_return(
    office: SystemCaller, phone: Phone
):
    hint = {"type": "national_id", "value": CITIZENS["lin"][2]}
    made = await office.created(doors=["web_link"], subject_hint=hint, **{"return": RETURN})
    await phone.open_link(made["doors"]["web_link"]["url"])
    assert (await phone.approve()).outcome == "ok"  # the phone hears nothing of whom was expected
    seen = await office.read(made["session"]["id"])
    assert (seen["outcome"], seen["reason"]) == ("failed", "subject_mismatch")
