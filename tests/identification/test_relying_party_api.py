"""The RP API: what a registration allows, what a retry meets, and how a waiter hears of a change."""

import asyncio
from typing import Any

import msgspec
import pytest

from identification.answers import frame_of
from identification.callers import CHALLENGE, SystemCaller, WebClient, code_of
from inkan.client import Phone
from inkan.crypto import base64url
from inkan.identification.service import reading
from inkan.kernel.sensitive import Secret
from inkan.wire import qr
from support.clock import StandingClock
from support.waiting import eventually
from support.world import WALLET, World

KEY = "idempotency-key-1"


def without_instance(response: Any) -> dict[str, Any]:
    return {name: value for name, value in response.json().items() if name != "instance"}


# --- creating ----------------------------------------------------------------------------------------


async def test_a_repeated_order_is_one_session(
    world: World, web: WebClient, clock: StandingClock, system: SystemCaller
):
    first = await system.create(key=KEY)
    again = await system.create(key=KEY)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert code_of(await system.create(key=KEY, expires_in=60)) == (409, "idempotency_conflict")
    other = await SystemCaller.registered(world, web, clock, "other-bank")
    elsewhere = await other.create(key=KEY)
    assert elsewhere.json()["session"]["id"] != first.json()["session"]["id"]
    # The attempts that made nothing left nothing in the audit either.
    assert (await world.events()).count("identification.session_created") == 2


@pytest.mark.race
async def test_parallel_orders_of_one_key_are_one_session(world: World, system: SystemCaller):
    await system.fetch_token()
    made = await asyncio.gather(*(system.create(key=KEY) for _ in range(6)))
    assert {answer.status_code for answer in made} == {201}
    assert len({answer.json()["session"]["id"] for answer in made}) == 1
    assert (await world.events()).count("identification.session_created") == 1


async def test_a_retry_gets_the_answer_of_then(system: SystemCaller, phone: Phone):
    first = await system.create(key=KEY)
    await phone.open_frame(frame_of(first.json()["doors"]["qr"]))
    await phone.approve()
    again = await system.create(key=KEY)
    assert again.json()["session"] == first.json()["session"]


async def test_an_order_needs_a_key(system: SystemCaller):
    for key in ("short", "x" * 65, "with a space 123456"):
        answer = await system.create(key=key)
        assert code_of(answer) == (400, "idempotency_key_missing")


async def test_only_what_is_registered_may_be_asked(
    world: World, web: WebClient, clock: StandingClock, system: SystemCaller
):
    refused = [
        ({"purpose": "unheard_of"}, "purpose_not_registered"),
        ({"purpose": "approve_payment"}, "purpose_not_registered"),
        ({"doors": ["push"]}, "door_not_registered"),
        ({"binding_min": "matched"}, "level_too_low"),
        ({"kind": "approve", "purpose": "approve_payment"}, "level_too_low"),
        (
            {"kind": "approve", "purpose": "approve_payment", "binding_min": "none"},
            "level_too_low",
        ),
    ]
    for members, code in refused:
        assert code_of(await system.create(**members)) == (403, code), members
    doorless = await SystemCaller.registered(world, web, clock, "doorless", doors=[])
    assert code_of(await doorless.create()) == (403, "door_not_registered")
    lenient = await SystemCaller.registered(world, web, clock, "lenient", binding_min="none")
    approve = {"kind": "approve", "purpose": "approve_payment"}
    assert code_of(await lenient.create(**approve)) == (403, "level_too_low")
    internal = await SystemCaller.registered(world, web, clock, "internal", internal=True)
    assert (await internal.create(**approve, binding_min="none")).status_code == 201


async def test_a_door_that_cannot_reach_the_level_is_not_made_later_either(system: SystemCaller):
    made = await system.created(doors=[], binding_min="matched")
    path = f"/v1/sessions/{made['session']['id']}/doors/qr"
    answer = await system.call("POST", path, body={})
    assert (*code_of(answer), answer.json()["reachable"]) == (403, "level_too_low", "none")


# --- who may look ------------------------------------------------------------------------------------


async def test_another_systems_session_is_an_unknown_one(
    world: World, web: WebClient, clock: StandingClock, system: SystemCaller, phone: Phone
):
    made = await system.created(purpose="file_return")
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    other = await SystemCaller.registered(world, web, clock, "other-bank")
    paths = [
        ("GET", ""),
        ("GET", "?wait=5"),
        ("GET", "/events"),
        ("GET", "/receipt"),
        ("GET", "/evidence"),
        ("GET", "/doors/qr/stream"),
        ("POST", "/doors/qr"),
        ("POST", "/cancel"),
    ]
    for method, path in paths:
        theirs, nobodys = [
            await other.call(
                method, f"/v1/sessions/{session}{path}", body={} if method == "POST" else None
            )
            for session in (made["session"]["id"], "ses_" + "a" * 26)
        ]
        assert code_of(theirs) == (404, "session_not_found"), path
        assert without_instance(theirs) == without_instance(nobodys)


async def test_a_suspended_system_is_refused_at_once(world: World, system: SystemCaller):
    made = await system.created()
    await world.platform.relying_parties.suspend("bank")
    answer = await system.call("GET", f"/v1/sessions/{made['session']['id']}")
    assert code_of(answer) == (403, "rp_suspended")
    assert code_of(await system.create()) == (403, "rp_suspended")
    await world.platform.relying_parties.resume("bank")
    assert (await system.read(made["session"]["id"]))["state"] == "presented"


async def test_a_token_serves_its_own_key_for_ten_minutes(
    world: World, web: WebClient, clock: StandingClock, system: SystemCaller
):
    made = await system.created()
    path = f"/v1/sessions/{made['session']['id']}"
    thief = await SystemCaller.registered(world, web, clock, "thief")
    thief.token = system.token
    assert code_of(await thief.call("GET", path))[0] == 401
    bearer = await web.get(path, headers={"authorization": f"Bearer {system.token}"})
    assert code_of(bearer)[0] == 401
    clock.tick(599)
    assert (await system.call("GET", path)).status_code == 200
    clock.tick(1)
    assert code_of(await system.call("GET", path))[0] == 401


# --- waiting -----------------------------------------------------------------------------------------


async def waiting(world: World, session: str) -> None:
    topic = f"session:{session}"
    await eventually(lambda: topic in world.platform.db.bus.waiters)


async def test_a_waiter_hears_of_each_change_and_of_the_end(
    world: World, system: SystemCaller, phone: Phone
):
    made = await system.created()
    session = made["session"]["id"]
    path = f"/v1/sessions/{session}"
    tag = (await system.call("GET", path)).headers["etag"]
    poll = asyncio.ensure_future(system.call("GET", f"{path}?wait=30", if_none_match=tag))
    await waiting(world, session)
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    opened = await asyncio.wait_for(poll, 5)
    assert opened.json()["state"] == "opened"
    assert opened.headers["etag"] != tag
    end = asyncio.ensure_future(system.call("GET", f"{path}?wait=30"))
    await waiting(world, session)
    await phone.approve()
    assert (await asyncio.wait_for(end, 5)).json()["outcome"] == "ok"
    at_once = await system.call("GET", f"{path}?wait=30", if_none_match=opened.headers["etag"])
    assert at_once.json()["outcome"] == "ok"


async def test_a_waiter_hears_of_what_time_alone_decides(
    world: World, system: SystemCaller, phone: Phone, clock: StandingClock
):
    made = await system.created()
    session = made["session"]["id"]
    path = f"/v1/sessions/{session}"
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    clock.tick(59.9)
    tag = (await system.call("GET", path)).headers["etag"]
    for leap, expected in ((0.2, ("opened", "present")), (119.8, ("expired", "none"))):
        poll = asyncio.ensure_future(system.call("GET", f"{path}?wait=30", if_none_match=tag))
        await waiting(world, session)
        clock.tick(leap - 0.1 if leap > 1 else 0)
        world.platform.db.bus.wake_all()
        await asyncio.sleep(0.01)
        assert not poll.done()
        clock.tick(0.2)
        answer = await asyncio.wait_for(poll, 5)
        view = answer.json()
        assert (view["state"], view["next"]["action"]) == expected
        tag = answer.headers["etag"]


async def test_a_waiter_hears_even_when_no_call_arrives(
    world: World, system: SystemCaller, phone: Phone, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(world.platform.db.bus, "publish", lambda topics: None)
    monkeypatch.setattr(reading, "REREAD_S", 0.05)
    made = await system.created()
    session = made["session"]["id"]
    poll = asyncio.ensure_future(system.call("GET", f"/v1/sessions/{session}?wait=30"))
    await waiting(world, session)
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    assert (await asyncio.wait_for(poll, 5)).json()["outcome"] == "ok"


async def test_a_wait_is_from_0_to_120_seconds(system: SystemCaller):
    made = await system.created()
    path = f"/v1/sessions/{made['session']['id']}"
    for wait in ("121", "-1", "1.5", "x", "", "١"):
        answer = await system.call("GET", f"{path}?wait={wait}")
        assert code_of(answer) == (400, "malformed"), wait
    assert (await system.call("GET", f"{path}?wait=0")).status_code == 200


def events_of(stream: str) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(line.removeprefix("data: "))
        for line in stream.splitlines()
        if line.startswith("data: ")
    ]


async def test_the_stream_tells_every_state_to_the_end(
    world: World, system: SystemCaller, phone: Phone
):
    made = await system.created()
    session = made["session"]["id"]
    stream = asyncio.ensure_future(system.call("GET", f"/v1/sessions/{session}/events"))
    await waiting(world, session)
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await waiting(world, session)
    await phone.approve()
    states = [each["state"] for each in events_of((await asyncio.wait_for(stream, 5)).text)]
    assert (states[0], states[-1]) == ("presented", "closed")
    assert states == list(dict.fromkeys(states))


@pytest.mark.req("TW-40")
async def test_the_platform_draws_frames_that_its_wallet_reads(
    world: World,
    system: SystemCaller,
    phone: Phone,
    clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(qr, "FRAME_SECONDS", 0.01)
    made = await system.created()
    door, session = made["doors"]["qr"], made["session"]["id"]
    stream = asyncio.ensure_future(system.call("GET", f"/v1/sessions/{session}/doors/qr/stream"))
    # Each wait is many frames long, so that a busy machine draws at least one of every second.
    for _ in range(3):
        await asyncio.sleep(0.3)
        clock.tick(1)
    await phone.open_frame(frame_of(door, t=3))
    await asyncio.sleep(0.3)
    await phone.approve()
    frames = [each["frame"] for each in events_of((await asyncio.wait_for(stream, 5)).text)]
    assert frames[-1] is None  # a phone had it open
    key = qr.qr_key(Secret(base64url.decode(door["secret"])))
    drawn = [qr.parse_frame(frame, origin=WALLET) for frame in frames if frame]
    for frame in drawn:
        qr.verify_frame(frame, key, t_now=frame.t)
    assert list(dict.fromkeys(frame.t for frame in drawn)) == sorted({f.t for f in drawn})
    assert {0, 1, 2} <= {frame.t for frame in drawn}


async def test_two_screens_may_draw_while_a_dawdling_phone_loses_the_code(
    system: SystemCaller, phone: Phone, clock: StandingClock, world: World
):
    made = await system.created()
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    clock.tick(60)
    sessions = world.platform.identification
    row = await world.platform.db.read(
        reading.find, sessions._parts, made["session"]["id"], system=await system_id(world)
    )
    screens = [sessions.frames(made["session"]["id"], system=row.session.system) for _ in range(2)]
    frames = await asyncio.gather(*(anext(screen) for screen in screens))
    handles = {qr.parse_frame(frame, origin=WALLET).handle for frame in frames if frame}
    assert len(handles) == 1
    assert handles != {made["doors"]["qr"]["handle"]}
    for screen in screens:
        await screen.aclose()


async def system_id(world: World) -> Any:
    ((found, _),) = await world.platform.relying_parties.systems()
    return found.id


async def test_an_ended_session_has_no_code(
    system: SystemCaller, phone: Phone, clock: StandingClock
):
    cancelled = await system.created(doors=[])
    await system.call("POST", f"/v1/sessions/{cancelled['session']['id']}/cancel", body={})
    expired = await system.created()
    clock.tick(180)
    closed = await system.created()
    await phone.open_frame(frame_of(closed["doors"]["qr"]))
    await phone.approve()
    for made, state in ((cancelled, "cancelled"), (expired, "expired"), (closed, "closed")):
        path = f"/v1/sessions/{made['session']['id']}/doors/qr"
        answer = await system.call("POST", path, body={})
        assert (*code_of(answer), answer.json()["state"]) == (410, "approval_ended", state)
        stream = await system.call("GET", f"{path}/stream")
        assert events_of(stream.text) == []


async def test_sessions_are_forgotten_and_what_the_person_keeps_stays(
    world: World, system: SystemCaller, phone: Phone, clock: StandingClock
):
    """A long stop: expiry was never swept, the purge comes first, and the sweep still gets through."""
    answered, left = await system.created(), await system.created()
    await phone.open_frame(frame_of(answered["doors"]["qr"]))
    await phone.approve()
    clock.tick(86_400 + 180)
    await world.platform.identification.purge()
    assert await world.platform.identification.expire() == 1
    await world.platform.identification.purge()
    await system.fetch_token()
    for made in (answered, left):
        gone = await system.call("GET", f"/v1/sessions/{made['session']['id']}")
        assert code_of(gone) == (404, "session_not_found")
    assert [record["outcome"] for record in await phone.records()] == ["ok"]
    assert (await world.events()).count("identification.session_expired") == 1
    assert await world.platform.db.read(rows_of_approvals) == 0
    assert CHALLENGE


def rows_of_approvals() -> Any:
    import sqlalchemy as sa

    from inkan.approvals.store import approval
    from inkan.store.query import Query

    return (yield Query(sa.select(sa.func.count().label("n")).select_from(approval)).one()).n
