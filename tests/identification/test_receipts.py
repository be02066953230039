"""One receipt for each answer: signed after COMMIT, made up after a crash, and the first signature stays."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from identification.answers import frame_of
from identification.callers import SystemCaller, code_of
from inkan.client import Phone, Verdict, verify_receipt
from inkan.crypto.key_providers import KeyStoreLocked
from inkan.identification import store
from inkan.store.database import Step
from support.clock import StandingClock
from support.world import World


@pytest.fixture
async def unsigned(
    world: World, system: SystemCaller, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A session whose answer was committed while nothing could sign its receipt."""
    made = await system.created(purpose="file_return")
    held = await phone.open_frame(frame_of(made["doors"]["qr"]))

    def lost(payload: bytes) -> str:
        raise KeyStoreLocked("killed")

    with monkeypatch.context() as patch:
        patch.setattr(world.platform.pki, "sign_receipt", lost)
        await phone.approve(held.id)
        await world.platform.identification.finish()
    session: str = made["session"]["id"]
    return session


def path_of(session: str) -> str:
    return f"/v1/sessions/{session}/receipt"


async def test_a_missing_signature_is_made_up_within_seconds(
    world: World, system: SystemCaller, clock: StandingClock, unsigned: str
):
    assert (await system.read(unsigned))["outcome"] == "ok"
    assert (await stored(world, unsigned)).receipt is None
    await world.leap(timedelta(seconds=11))
    made_up = (await stored(world, unsigned)).receipt
    assert made_up is not None
    assert await world.platform.identification.sign_unsigned() == 0
    assert (await system.call("GET", path_of(unsigned))).text == made_up
    assert verify_receipt(made_up, world.anchors).verdict is Verdict.VALID


async def test_a_read_before_the_signature_makes_it(
    world: World, system: SystemCaller, unsigned: str
):
    answers = await asyncio.gather(*(system.call("GET", path_of(unsigned)) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    await world.leap(timedelta(seconds=11))
    assert (await system.call("GET", path_of(unsigned))).text == answers[0].text


async def test_of_parallel_signatures_the_first_stays(world: World, unsigned: str):
    signer = world.platform.identification._receipts
    payload = (await stored(world, unsigned)).receipt_payload
    signed = await asyncio.gather(*(signer.sign_now(unsigned, payload) for _ in range(4)))
    signer.take(unsigned, payload)
    await signer.finish()
    assert len(set(signed)) == 1
    assert (await stored(world, unsigned)).receipt == signed[0]


async def stored(world: World, session: str) -> Any:
    return await world.platform.db.read(_row, session)


def _row(session: str) -> Step[Any]:
    row = yield store.BY_ID.one(key=session)
    return row


async def test_the_receipts_of_one_moment_are_signed_without_being_asked_for(
    world: World, system: SystemCaller, phone: Phone
):
    sessions = []
    for _ in range(3):
        made = await system.created()
        await phone.open_frame(frame_of(made["doors"]["qr"]))
        await phone.approve()
        sessions.append(made["session"]["id"])
    await world.platform.identification.finish()
    rows = [await stored(world, session) for session in sessions]
    for row in rows:
        assert verify_receipt(row.receipt, world.anchors).verdict is Verdict.VALID
    assert len({row.receipt for row in rows}) == 3
    assert await world.platform.identification.sign_unsigned() == 0


async def test_one_that_cannot_be_stored_does_not_end_the_signer(
    world: World, system: SystemCaller, phone: Phone, unsigned: str
):
    made = await system.created()
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    await world.platform.identification.finish()
    assert (await stored(world, made["session"]["id"])).receipt is not None
    assert (await stored(world, unsigned)).receipt is None


async def test_there_is_no_receipt_without_an_answer(
    system: SystemCaller, phone: Phone, clock: StandingClock
):
    cancelled, expired = await system.created(), await system.created()
    await system.call("POST", f"/v1/sessions/{cancelled['session']['id']}/cancel", body={})
    clock.tick(180)
    for made, state in ((cancelled, "cancelled"), (expired, "expired")):
        for what in ("receipt", "evidence"):
            answer = await system.call("GET", f"/v1/sessions/{made['session']['id']}/{what}")
            assert (*code_of(answer), answer.json()["state"]) == (409, "receipt_not_ready", state)


async def test_platform_evidence_stays_sealed_and_a_refusal_has_none(
    world: World, system: SystemCaller, phone: Phone
):
    sealed = await system.created()
    await phone.open_frame(frame_of(sealed["doors"]["qr"]))
    await phone.approve()
    answer = await system.call("GET", f"/v1/sessions/{sealed['session']['id']}/evidence")
    assert code_of(answer) == (403, "evidence_sealed")
    jws = (await system.call("GET", path_of(sealed["session"]["id"]))).text
    receipt = verify_receipt(jws, world.anchors).receipt
    assert (receipt.evidence, receipt.commitments is None) == ("platform", False)
    refused = await system.created(purpose="file_return")
    await phone.open_frame(frame_of(refused["doors"]["qr"]))
    await phone.refuse()
    answer = await system.call("GET", f"/v1/sessions/{refused['session']['id']}/evidence")
    assert code_of(answer) == (409, "receipt_not_ready")
