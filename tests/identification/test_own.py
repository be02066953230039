"""What the instance reads of its own sessions: by key, the frame of the second, and who answered."""

import pytest

from identification.answers import frame_of
from identification.callers import SystemCaller
from inkan.approvals import REDEEM_LIFE, Decision, Opener
from inkan.client import Phone
from inkan.identification import SessionNotFound
from inkan.kernel.ids import EventID, SystemID
from inkan.wire.session import Outcome
from support.clock import StandingClock
from support.world import World

KEY = "a-key-of-one-session"
STRANGER = SystemID("sys_another")


async def system_id(world: World, system: SystemCaller) -> SystemID:
    listed = await world.platform.relying_parties.systems()
    return next(each.id for each, _ in listed if each.code == system.credentials.code)


async def test_a_session_is_found_by_its_key_and_its_system_alone(
    world: World, system: SystemCaller
) -> None:
    identification = world.platform.identification
    made = (await system.create(KEY)).json()
    own = await system_id(world, system)
    assert await identification.session_of_key(KEY, system=own) == made["session"]["id"]
    for key, asker in ((KEY, STRANGER), (KEY + "x", own), ("", own)):
        with pytest.raises(SessionNotFound):
            await identification.session_of_key(key, system=asker)


async def test_who_answered_is_known_after_a_yes_and_only_then(
    world: World, system: SystemCaller, phone: Phone, clock: StandingClock
) -> None:
    identification = world.platform.identification
    own = await system_id(world, system)
    made = await system.created()
    session = made["session"]["id"]
    assert await identification.answer(session, system=own) is None
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    assert await identification.answer(session, system=own) is None
    clock.tick(5)
    await phone.approve()
    answer = await identification.answer(session, system=own)
    assert answer is not None
    assert answer.person == (await world.citizen("chen")).person.id
    assert answer.decided_at == clock.now()
    with pytest.raises(SessionNotFound):
        await identification.answer(session, system=STRANGER)


async def test_a_no_is_no_answer(world: World, system: SystemCaller, phone: Phone) -> None:
    own = await system_id(world, system)
    made = await system.created()
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.refuse()
    identification = world.platform.identification
    assert await identification.answer(made["session"]["id"], system=own) is None


async def test_another_person_than_expected_is_no_answer(
    world: World, system: SystemCaller, phone: Phone
) -> None:
    own = await system_id(world, system)
    hint = {"type": "national_id", "value": "F112233444"}
    made = await system.created(subject_hint=hint)
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    identification = world.platform.identification
    assert await identification.answer(made["session"]["id"], system=own) is None


async def test_the_frame_is_that_of_the_second(
    world: World, system: SystemCaller, phone: Phone, clock: StandingClock
) -> None:
    identification = world.platform.identification
    own = await system_id(world, system)
    made = await system.created()
    session = made["session"]["id"]
    first = await identification.frame(session, system=own)
    assert first == frame_of(made["doors"]["qr"])
    clock.tick(1)
    second = await identification.frame(session, system=own)
    assert second not in {None, first}
    assert second is not None
    await phone.open_frame(second)
    assert await identification.frame(session, system=own) is None
    clock.tick(60)  # the phone let its minute pass: another secret
    third = await identification.frame(session, system=own)
    assert third not in {None, first, second}
    with pytest.raises(SessionNotFound):
        await identification.frame(session, system=STRANGER)
    clock.tick(180)
    assert await identification.frame(session, system=own) is None


async def test_a_yes_that_is_not_released_is_no_answer(
    world: World, system: SystemCaller, phone: Phone
) -> None:
    """Before the release nothing of an answer shows, to the instance neither (design §5.3 Release)."""
    platform = world.platform
    until = platform.db.now() + REDEEM_LIFE
    own = await system_id(world, system)
    made = await system.created()
    held = await phone.open_frame(frame_of(made["doors"]["qr"]))
    approval = await platform.db.read(platform.approvals.get, held.id)
    assert approval.phone is not None
    assert approval.person is not None
    await platform.db.transact(
        platform.approvals.decide,
        approval,
        opener=Opener(phone=approval.phone, person=approval.person),
        decision=Decision(Outcome.OK, reason=None, statement_sha256="a" * 43, redeem_until=until),
        event=EventID("evt_test"),
    )
    assert await platform.identification.answer(made["session"]["id"], system=own) is None
