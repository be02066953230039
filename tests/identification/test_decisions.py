"""Rivals around one decision: of repeated, parallel, late and taken-back answers one is written down."""

import asyncio
from dataclasses import replace

import pytest

from identification.answers import frame_of, honest
from identification.callers import PhoneCaller, SystemCaller, code_of
from identification.rivals import Interposed, decisions, interposed, principal
from inkan.approvals import ApprovalMoved
from inkan.client import Phone
from inkan.identification.service import opening
from support.clock import StandingClock
from support.world import World

# --- repeated and parallel -------------------------------------------------------------------------


async def test_the_same_bytes_again_get_the_stored_answer_and_others_conflict(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone, made, held
):
    body = honest(phone, held)
    first = await caller.decide(held.id, body)
    again = await caller.decide(held.id, body)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    receipt = f"/v1/sessions/{made['session']['id']}/receipt"
    signed = (await system.call("GET", receipt)).content
    other = await caller.decide(held.id, honest(phone, held))
    assert code_of(other) == (409, "decision_conflict")
    refused = await caller.post(f"/phone/v1/approvals/{held.id}/refuse")
    assert code_of(refused) == (409, "decision_conflict")
    assert (await system.call("GET", receipt)).content == signed
    assert await decisions(world) == 1
    assert len(await phone.records()) == 1


async def test_after_a_refusal_there_is_nothing_to_approve(
    world: World, caller: PhoneCaller, phone: Phone, held
):
    body = honest(phone, held)
    first = await caller.post(f"/phone/v1/approvals/{held.id}/refuse")
    again = await caller.post(f"/phone/v1/approvals/{held.id}/report")
    assert (
        first.json()
        == again.json()
        == {
            "state": "decided",
            "outcome": "refused",
            "return_url": None,
        }
    )
    assert code_of(await caller.decide(held.id, body)) == (409, "decision_conflict")
    assert await decisions(world) == 1


@pytest.mark.race
async def test_of_eight_parallel_approvals_one_is_written_down(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone, made, held
):
    bodies = [honest(phone, held) for _ in range(4)]
    answers = await asyncio.gather(*(caller.decide(held.id, body) for body in bodies * 2))
    taken = [index % 4 for index, answer in enumerate(answers) if answer.status_code == 200]
    assert len(taken) == 2  # one statement, sent twice
    assert len(set(taken)) == 1
    lost = [answer for answer in answers if answer.status_code != 200]
    assert {code_of(answer) for answer in lost} == {(409, "decision_conflict")}
    assert await decisions(world) == 1
    assert len(await phone.records()) == 1
    receipt = f"/v1/sessions/{made['session']['id']}/receipt"
    receipts = await asyncio.gather(*(system.call("GET", receipt) for _ in range(4)))
    assert len({answer.content for answer in receipts}) == 1


@pytest.mark.race
async def test_approve_refuse_and_cancel_have_one_winner(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone
):
    for _ in range(3):
        made = await system.created()
        session = made["session"]["id"]
        held = await phone.open_frame(frame_of(made["doors"]["qr"]))
        approve, refuse, cancel = await asyncio.gather(
            caller.decide(held.id, honest(phone, held)),
            caller.post(f"/phone/v1/approvals/{held.id}/refuse"),
            system.call("POST", f"/v1/sessions/{session}/cancel", body={}),
        )
        view = await system.read(session)
        won = {
            "ok": approve,
            "refused": refuse,
            None: cancel,
        }[view["outcome"]]
        assert won.status_code == 200
        lost = [answer for answer in (approve, refuse, cancel) if answer is not won]
        assert {code_of(answer)[0] for answer in lost} <= {409, 410}
        assert view["state"] == ("cancelled" if won is cancel else "closed")
    assert len(await phone.records()) == await decisions(world)


# --- too late --------------------------------------------------------------------------------------


@pytest.mark.req("TW-45")
async def test_an_approval_holds_until_the_last_moment_and_not_in_it(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone, clock: StandingClock
):
    late, timely = [await system.created() for _ in range(2)]
    held = [await phone.open_frame(frame_of(each["doors"]["qr"])) for each in (late, timely)]
    clock.tick(179.9)
    assert (await caller.decide(held[1].id, honest(phone, held[1]))).status_code == 200
    clock.tick(0.1)
    ended = await caller.decide(held[0].id, honest(phone, held[0]))
    assert (*code_of(ended), ended.json()["state"]) == (410, "approval_ended", "expired")
    for verb in ("refuse", "report", "release"):
        answer = await caller.post(f"/phone/v1/approvals/{held[0].id}/{verb}")
        assert code_of(answer) == (410, "approval_ended")
    # Nobody has swept: it is over by time alone (threat 11), and a sweep changes nothing of what is read.
    view = await system.read(late["session"]["id"])
    assert (view["state"], view["reason"]) == ("expired", "user_no_response")
    assert await world.platform.identification.expire() == 1
    assert await system.read(late["session"]["id"]) == view
    assert await world.platform.identification.expire() == 0
    assert (await world.events()).count("identification.session_expired") == 1


@pytest.mark.race
async def test_time_may_run_out_between_the_proofs_and_the_transaction(
    world: World, system: SystemCaller, phone: Phone, clock: StandingClock, made, held
):
    async def pass_time() -> None:
        clock.tick(200)

    answer = await interposed(world, phone, held, pass_time)
    assert answer == "approval_ended"
    assert (await system.read(made["session"]["id"]))["state"] == "expired"
    assert await phone_records(world) == 0


async def phone_records(world: World) -> int:
    person = (await world.citizen("chen")).person.id
    return len(await world.platform.identification.records(person, before=None))


# --- taken back ------------------------------------------------------------------------------------


async def test_a_cancelled_question_cannot_be_answered(
    caller: PhoneCaller, system: SystemCaller, phone: Phone, made, held
):
    path = f"/v1/sessions/{made['session']['id']}/cancel"
    first = await system.call("POST", path, body={})
    again = await system.call("POST", path, body={})
    assert first.json()["state"] == "cancelled"
    assert first.json() == again.json()
    answer = await caller.decide(held.id, honest(phone, held))
    assert (*code_of(answer), answer.json()["state"]) == (410, "approval_ended", "cancelled")
    rescanned = await caller.open(frame_of(made["doors"]["qr"]))
    assert code_of(rescanned) == (410, "approval_ended")


async def test_an_answered_question_cannot_be_taken_back(
    system: SystemCaller, phone: Phone, made, held
):
    await phone.approve()
    path = f"/v1/sessions/{made['session']['id']}/cancel"
    answer = await system.call("POST", path, body={})
    assert (*code_of(answer), answer.json()["state"]) == (410, "approval_ended", "closed")


async def test_the_opener_gives_back_and_the_old_code_is_worth_nothing(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone, made, held
):
    door = made["doors"]["qr"]
    other = await world.bind("lin")
    body = honest(phone, held)
    for generation in (2, 3, 4):
        given = await caller.post(f"/phone/v1/approvals/{held.id}/release")
        assert given.status_code == 204
        assert code_of(await caller.open(frame_of(door))) == (409, "qr_frame_stale")
        assert code_of(await caller.decide(held.id, body))[1] == "approval_not_found"
        path = f"/v1/sessions/{made['session']['id']}/doors/qr"
        renewed = (await system.call("POST", path, body={})).json()
        assert renewed["generation"] == generation
        assert {renewed[name] for name in ("handle", "secret")}.isdisjoint(door.values())
        door = renewed
        held = await phone.open_frame(frame_of(door))
    # What was signed over the first draft does not answer a later one.
    stale = await caller.decide(held.id, body)
    assert (*code_of(stale), stale.json()["field"]) == (409, "statement_differs", "server_nonce")
    again = await caller.post(f"/phone/v1/approvals/{held.id}/release")
    assert code_of(again) == (410, "approval_ended")
    with pytest.raises(Exception, match="another phone"):
        await other.open_frame(frame_of(door))
    await phone.approve()
    assert (await system.read(made["session"]["id"]))["outcome"] == "ok"


async def test_a_phone_that_dawdles_loses_the_question_after_a_minute(
    world: World, system: SystemCaller, phone: Phone, clock: StandingClock, made, held
):
    session = made["session"]["id"]
    path = f"/v1/sessions/{session}/doors/qr"
    clock.tick(59.9)
    assert (await system.read(session))["next"]["action"] == "wait"
    assert (await system.call("POST", path, body={})).json()["generation"] == 1
    clock.tick(0.1)
    view = await system.read(session)
    assert (view["state"], view["next"]["action"]) == ("opened", "present")
    door = (await system.call("POST", path, body={})).json()
    assert (door["generation"], door["t"]) == (2, 0)
    assert (await system.read(session))["state"] == "presented"
    other = await world.bind("lin")
    await other.open_frame(frame_of(door))
    with pytest.raises(Exception, match="no such request"):
        await phone.approve(held.id)
    await other.approve()
    assert (await system.read(session))["outcome"] == "ok"
    assert "identification.opening_released" in await world.events()


@pytest.mark.race
async def test_an_answer_to_an_opening_that_was_given_back_meanwhile_is_refused(
    world: World, system: SystemCaller, phone: Phone, made, held
):
    """The same phone has it open again, but under another draft than the one that was signed."""
    sender = await principal(world, phone)

    async def open_again() -> None:
        await world.platform.identification.give_back(sender, held.id)
        path = f"/v1/sessions/{made['session']['id']}/doors/qr"
        door = (await system.call("POST", path, body={})).json()
        await phone.open_frame(frame_of(door))

    assert await interposed(world, phone, held, open_again) == ApprovalMoved.code
    view = await system.read(made["session"]["id"])
    assert (view["state"], view["outcome"]) == ("opened", None)


@pytest.mark.race
async def test_a_frame_of_a_generation_that_was_given_back_meanwhile_is_stale(
    world: World, system: SystemCaller, phone: Phone, made, held
):
    sender = await principal(world, phone)
    parts = world.platform.identification._parts

    async def give_back() -> None:
        await world.platform.identification.give_back(sender, held.id)

    late = replace(parts, db=Interposed(parts.db, give_back))
    with pytest.raises(Exception, match="no longer current"):
        await opening.open_by_frame(
            late,
            sender,
            frame=frame_of(made["doors"]["qr"]),
            lang="en",
            arrived=parts.db.now(),
        )
    assert (await system.read(made["session"]["id"]))["state"] == "presented"
