"""Virtual phones: as they are told, their owners, their ends, hostile inputs."""

import os
from datetime import timedelta
from typing import Any

import pytest

from inkan.client import SubjectHint
from inkan.composition.running import Running
from inkan.kernel.sensitive import Personal
from inkan.sandbox.model import DoorWithoutCode, Move
from inkan.sandbox.rules import IDLE_AFTER
from inkan.sandbox.service import acting
from sandbox.conftest import Developer, Town
from support.clock import StandingClock


async def test_a_phone_that_was_suspended_goes_on_with_the_next_session(small: Town) -> None:
    phone = await small.developer.make("suspended")
    for _ in range(2):
        session = await small.ask()
        await small.developer.act(phone, "scan", frame=session.frame())
        assert (await small.end_of(session)).reason == "cert_suspended"


async def test_a_suspension_ends_also_when_the_answer_is_not_taken(
    small: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await small.developer.make("suspended")
    session = await small.ask()

    async def decline(_: object) -> None:
        raise DoorWithoutCode

    with monkeypatch.context() as patch:
        patch.setitem(acting.MOVES, Move.APPROVE, decline)
        result = await small.developer.act(phone, "scan", frame=session.frame())
    assert result["done"] == "declined"
    assert (await small.developer.act(phone, "approve"))["done"] == "approved"
    assert (await small.end_of(session)).outcome == "ok"


async def test_a_phone_is_told_what_to_do(town: Town) -> None:
    phone = await town.developer.make("agrees", behaviour="manual", name="測試手機")
    for verb, done, reason in (
        ("approve", "approved", None),
        ("refuse", "refused", "user_refused"),
        ("report", "reported", "user_reported_fraud"),
    ):
        session = await town.ask()
        opened = await town.developer.act(phone, "scan", frame=session.frame())
        assert "tax.example" in opened["text"]
        told = await town.developer.act(phone, verb, approval=opened["approval"])
        assert told["done"] == done
        assert (await town.end_of(session)).reason == reason
    nothing = await town.developer.act(phone, "approve")
    assert nothing["declined"]["code"] == "phone_approval_not_open"
    (listed,) = (await town.developer.call("GET", "phones")).json()["phones"]
    assert (listed["name"], listed["last"]) == ("測試手機", "phone_approval_not_open")


async def test_a_lost_phone_is_silent_and_a_revoked_one_refused(small: Town) -> None:
    lost = await small.developer.make("agrees", behaviour="manual")
    revoked = await small.developer.make("two_phones")
    assert (await small.developer.act(lost, "lose"))["done"] == "lost"
    assert (await small.developer.act(revoked, "revoke"))["done"] == "revoked"
    session = await small.ask()
    assert (await small.developer.act(lost, "scan", frame=session.frame()))["done"] == "silent"
    result = await small.developer.act(revoked, "scan", frame=session.frame())
    assert result["declined"]["code"] == "channel_proof_refused"
    listed = (await small.developer.call("GET", "phones")).json()["phones"]
    states = {each["id"]: each["state"] for each in listed}
    assert states == {lost["id"]: "lost", revoked["id"]: "revoked"}
    await session.refresh()
    assert session.view.state == "presented"


async def test_the_second_of_two_phones_hears_that_the_first_was_faster(small: Town) -> None:
    first = await small.developer.make("two_phones")
    second = await small.developer.make("two_phones")
    session = await small.ask()
    frame = session.frame()
    assert (await small.developer.act(first, "scan", frame=frame))["done"] == "opened"
    late = await small.developer.act(second, "scan", frame=frame)
    assert late["declined"]["code"] == "opened_elsewhere"
    third = await small.developer.call("POST", "phones", {"person": "two_phones"})
    assert (third.status, third.json()["refusal"]) == (409, "no_free_slot")


async def test_the_card_that_ends_binds_no_further_phone_and_the_bound_one_stays(
    small: Town,
) -> None:
    phone = await small.developer.make("card_expires")
    await small.world.leap(timedelta(hours=2))
    refused = await small.developer.call("POST", "phones", {"person": "card_expires"})
    assert (refused.status, refused.json()["refusal"]) == (409, "card_expired")
    session = await small.ask()
    await small.developer.act(phone, "scan", frame=session.frame())
    assert (await small.end_of(session)).outcome == "ok"


async def test_only_the_young_person_is_young(small: Town) -> None:
    for person, young in (("young", True), ("agrees", False)):
        phone = await small.developer.make(person)
        session = await small.ask()
        await small.developer.act(phone, "scan", frame=session.frame())
        await small.end_of(session)
        assert (await session.receipt()).receipt.young is young


async def test_the_expected_person_is_recognised(small: Town) -> None:
    listed = (await small.developer.call("GET", "persons")).json()["persons"]
    numbers = {each["person"]: each["national_id"] for each in listed}
    phone = await small.developer.make("agrees")
    for person, outcome in (("agrees", "ok"), ("refuses", "failed"), ("unknown", "failed")):
        hint = SubjectHint("national_id", Personal(numbers[person]))
        session = await small.ask(subject_hint=hint)
        await small.developer.act(phone, "scan", frame=session.frame())
        assert (await small.end_of(session)).outcome == outcome


async def test_a_stale_frame_and_a_foreign_one(small: Town, clock: StandingClock) -> None:
    phone = await small.developer.make("agrees")
    session = await small.ask()
    frame = session.frame()
    clock.tick(30)
    stale = await small.developer.act(phone, "scan", frame=frame)
    assert stale["declined"]["code"] == "qr_frame_stale"
    for foreign in ("https://evil.example/q#1.a.0.b", "javascript:alert(1)", "x" * 500):
        reply = await small.developer.call(
            "POST", f"phones/{phone['id']}/actions", {"action": "scan", "frame": foreign}
        )
        assert reply.status == 400
        assert reply.json()["code"] == "qr_frame_malformed"


# --- owners and ends ---------------------------------------------------------------------------------


async def test_a_system_sees_and_moves_its_own_phones_only(town: Town) -> None:
    phone = await town.developer.make()
    other = await town.another()
    assert (await other.call("GET", "phones")).json() == {"phones": []}
    path = f"phones/{phone['id']}"
    for method, where, body in (
        ("GET", path, None),
        ("DELETE", path, None),
        ("POST", f"{path}/actions", {"action": "lose"}),
        ("POST", f"{path}/actions", {"action": "scan", "frame": "x"}),
    ):
        reply = await other.call(method, where, body)
        assert (reply.status, reply.json()["code"]) == (404, "sandbox_phone_not_found")
    assert (await town.developer.call("GET", path)).json()["state"] == "held"


async def test_every_system_has_persons_of_its_own(town: Town) -> None:
    other = await town.another()
    numbers: list[str] = []
    for developer in (town.developer, other):
        listed = (await developer.call("GET", "persons")).json()["persons"]
        numbers += [each["national_id"] for each in listed]
    assert len(set(numbers)) == len(numbers) == 26
    for developer in (town.developer, other):
        for _ in range(2):  # one person's two places, for each system
            await developer.make("agrees")


async def test_a_removed_phone_gives_its_place_back(small: Town) -> None:
    made = [await small.developer.make("agrees") for _ in range(2)]
    assert (await small.developer.call("DELETE", f"phones/{made[0]['id']}")).status == 204
    assert (await small.developer.call("DELETE", f"phones/{made[0]['id']}")).status == 404
    await small.developer.make("agrees")
    folder = small.world.folder / "sandbox" / "phones"
    assert len(list(folder.glob("*.phone"))) == 2
    assert not list(folder.glob(f"{made[0]['id']}*"))
    assert "enrolment.phone_revoked" in await small.world.events()


async def test_a_system_has_only_so_many_phones(small: Town) -> None:
    limits = small.sandbox._parts
    limits.most_phones = 1
    await small.developer.make("agrees")
    reply = await small.developer.call("POST", "phones", {"person": "refuses"})
    assert (reply.status, reply.json()["code"]) == (409, "sandbox_too_many_phones")
    assert reply.json()["most"] == 1


async def test_old_and_idle_phones_end_by_true_time(small: Town, clock: StandingClock) -> None:
    phone = await small.developer.make("agrees")
    await small.world.leap(timedelta(days=60))  # travelled, not lived
    assert len((await small.developer.call("GET", "phones")).json()["phones"]) == 1
    clock.tick(IDLE_AFTER - timedelta(hours=1))
    session = await small.ask()
    await small.developer.act(phone, "scan", frame=session.frame())
    clock.tick(IDLE_AFTER - timedelta(hours=1))
    await small.sandbox.purge()
    assert len((await small.developer.call("GET", "phones")).json()["phones"]) == 1
    clock.tick(timedelta(hours=2))
    await small.sandbox.purge()
    assert (await small.developer.call("GET", "phones")).json() == {"phones": []}


async def test_everything_is_wiped_after_thirty_days(small: Town, clock: StandingClock) -> None:
    await small.developer.make("agrees")
    for path in small.sandbox._parts.files():
        os.utime(path, (clock.wire_now().timestamp(),) * 2)
    clock.tick(timedelta(days=30, seconds=1))
    await small.world.instance.catch_up()
    assert (await small.developer.call("GET", "phones")).json() == {"phones": []}
    assert small.sandbox._parts.files() == []
    await small.developer.make("agrees")  # a new card, the same person


async def test_phones_survive_a_restart(small: Town) -> None:
    phone = await small.developer.make("agrees")
    again = Running(small.world.platform)
    developer = Developer(again.application, "tax-office")
    session = await small.ask()
    assert (await developer.act(phone, "scan", frame=session.frame()))["done"] == "approved"


async def test_a_slow_phone_of_a_stopped_instance_never_answers(small: Town) -> None:
    phone = await small.developer.make("agrees", behaviour="slow", after_s=120)
    session = await small.ask()
    assert (await small.developer.act(phone, "scan", frame=session.frame()))["done"] == "later"
    await small.sandbox._acting.finish()
    assert not small.sandbox._acting._later
    await session.refresh()
    assert session.view.state == "opened"


async def test_without_a_listener_phones_wait(small: Town) -> None:
    small.sandbox._parts.transport = None
    reply = await small.developer.call("POST", "phones", {"person": "agrees"})
    assert (reply.status, reply.json()["code"]) == (503, "sandbox_unready")
    assert not list((small.world.folder / "sandbox" / "phones").iterdir())


async def test_what_cannot_be_bound_leaves_nothing(small: Town) -> None:
    reply = await small.developer.call("POST", "phones", {"person": "minor"})
    assert (reply.status, reply.json()["refusal"]) == (409, "not_eligible")
    assert (await small.developer.call("GET", "phones")).json() == {"phones": []}
    assert not list((small.world.folder / "sandbox" / "phones").iterdir())


# --- hostile inputs ----------------------------------------------------------------------------------

BAD_PHONES: list[Any] = [
    {},
    [],
    "agrees",
    {"person": "nobody_here"},
    {"person": "Agrees"},
    {"person": "../../etc"},
    {"person": "agrees", "behaviour": "explode"},
    {"person": "agrees", "after_s": 121},
    {"person": "agrees", "after_s": -1},
    {"person": "agrees", "after_s": 1.5},
    {"person": "agrees", "name": ""},
    {"person": "agrees", "name": "x" * 41},
    {"person": "agrees", "colour": "red"},
]
BAD_ACTIONS: list[Any] = [
    {},
    {"action": "jump"},
    {"action": "scan"},
    {"action": "scan", "frame": ""},
    {"action": "scan", "frame": "x" * 501},
    {"action": "approve", "frame": "x"},
    {"action": "lose", "approval": "x"},
    {"action": ["scan"]},
    {"action": "open"},
    {"action": "open", "link": ""},
    {"action": "open", "link": "x" * 501},
    {"action": "open", "frame": "x"},
    {"action": "code", "code": ""},
    {"action": "code", "code": "1" * 21},
    {"action": "code", "code": 123456},
    {"action": "code", "link": "x"},
    None,
]


async def test_bad_bodies_are_refused_and_make_nothing(small: Town) -> None:
    for body in BAD_PHONES:
        reply = await small.developer.call("POST", "phones", body)
        assert reply.status in {400, 404}, body
    phone = await small.developer.make("agrees")
    for body in BAD_ACTIONS:
        reply = await small.developer.call("POST", f"phones/{phone['id']}/actions", body)
        assert reply.status in {400, 415}, body
    listed = (await small.developer.call("GET", "phones")).json()["phones"]
    assert [(each["state"], each["last"]) for each in listed] == [("held", None)]


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer ", "Bearer nobody", "Bearer inkan", "bearer tax-office", "Basic dGF4"])  # fmt: skip
async def test_nobody_else_is_let_in(small: Town, token: str) -> None:
    headers = {"authorization": token} if token else {}
    for method, path in (
        ("GET", "persons"),
        ("POST", "phones"),
        ("PUT", "faults"),
        ("POST", "clock"),
    ):
        reply = await small.developer.request(method, f"/v1/sandbox/{path}", headers=headers)
        assert reply.status == 401, path


async def test_a_suspended_system_is_refused(small: Town) -> None:
    await small.world.platform.relying_parties.suspend("tax-office")
    reply = await small.developer.call("GET", "phones")
    assert (reply.status, reply.json()["code"]) == (403, "rp_suspended")
