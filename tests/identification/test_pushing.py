"""Push: who is reached, what the asker sees of it, and how often a person is bothered (TW-46 to TW-50, threats 2, 15)."""

from datetime import timedelta
from typing import Any

import pytest

from identification.callers import PhoneCaller, SystemCaller, WebClient, code_of
from identification.doorways import RETURN, VERIFIER, all_doors, brought, hint_of, push, pushed
from inkan.client import Phone
from inkan.client.exchange import CallRefused
from support.clock import StandingClock
from support.world import World

UNKNOWN = {"type": "national_id", "value": "B123456780"}
DAY = timedelta(hours=25)


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


@pytest.fixture
async def second(world: World, phone: Phone) -> Phone:
    """A second phone of 陳怡君, a day later."""
    await world.leap(DAY)
    return await world.bind("chen", phone=world.new_phone("ASUS_A007"))


@pytest.mark.req("TW-47")
@pytest.mark.req("TW-48")
async def test_all_phones_or_the_named_one(
    world: World, office: SystemCaller, phone: Phone, second: Phone
):
    await push(office)
    await world.instance.catch_up()
    assert [len(await each.waiting()) for each in (phone, second)] == [1, 1]
    await push(office, phone_name="ａsus_a007 ")
    await world.instance.catch_up()
    assert [len(await each.waiting()) for each in (phone, second)] == [1, 2]
    await push(office, phone_name="no such phone")
    await world.instance.catch_up()
    assert [len(await each.waiting()) for each in (phone, second)] == [1, 2]


async def test_what_waits_tells_who_asks_and_nothing_else(
    world: World, office: SystemCaller, phone: Phone
):
    await push(office)
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    assert (waiting.relying_party, waiting.domain, waiting.code_required) == (
        "Tax Office",
        "tax.example",
        True,
    )
    assert waiting.purpose_text == "登入"


async def test_a_push_to_somebody_else_cannot_be_opened(
    world: World, office: SystemCaller, phone: Phone
):
    lin = await world.bind("lin")
    made = await push(office)
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    with pytest.raises(CallRefused, match="no such request"):
        await lin.open_push(waiting.approval, made["doors"]["push"]["code"])


@pytest.mark.req("HCA-62")
async def test_three_wrong_codes_end_it_and_the_asker_sees_nothing_of_it(
    world: World, office: SystemCaller, phone: Phone, caller: PhoneCaller
):
    made = await push(office)
    code = made["doors"]["push"]["code"]
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    body = {"lang": "en", "approval": waiting.approval}
    wrong = str((int(code) + 1) % 10**6).zfill(6)
    left = []
    for tried in (wrong, None, "１２３４５６"):
        answer = await caller.post(
            "/phone/v1/approvals/open", body | ({"code": tried} if tried else {})
        )
        assert code_of(answer) == (403, "code_wrong")
        left.append(answer.json()["tries_left"])
    assert left == [2, 1, 0]
    late = await caller.post("/phone/v1/approvals/open", body | {"code": code})
    assert code_of(late) == (410, "approval_ended")
    assert await phone.waiting() == []
    seen = await office.read(made["session"]["id"])
    assert (seen["state"], seen["outcome"], seen["reason"]) == ("presented", None, None)
    [record] = await phone.records()
    assert record["detail"]["reason"] == "user_wrong_code"


async def test_a_new_push_does_not_reset_the_tries(
    world: World, office: SystemCaller, phone: Phone, caller: PhoneCaller
):
    made = await push(office)
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    body = {"lang": "en", "approval": waiting.approval, "code": "x"}
    for _ in range(2):
        await caller.post("/phone/v1/approvals/open", body)
    again = await office.call("POST", f"/v1/sessions/{made['session']['id']}/doors/push", body={})
    assert again.json() == made["doors"]["push"]  # the same code and the same end (TW-49)
    await world.instance.catch_up()
    answer = await caller.post("/phone/v1/approvals/open", body)
    assert answer.json()["tries_left"] == 0


SHOWN = (
    "state",
    "outcome",
    "reason",
    "next",
    "door",
    "binding",
    "subject",
    "opened_at",
    "decided_at",
)


@pytest.mark.req("TW-49")
async def test_unknown_unbound_refusing_and_mistyping_persons_look_alike(
    world: World,
    office: SystemCaller,
    phone: Phone,
    caller: PhoneCaller,
    clock: StandingClock,
):
    await world.citizen("lin")  # known, no phone

    async def views(sessions: list[str]) -> list[dict[str, Any]]:
        read = [await office.call("GET", f"/v1/sessions/{each}") for each in sessions]
        assert len({answer.headers["etag"] for answer in read}) == 1
        return [{name: answer.json()[name] for name in SHOWN} for answer in read]

    orders = [UNKNOWN, hint_of("lin"), hint_of("chen"), hint_of("chen"), hint_of("chen")]
    made = []
    for hint in orders:
        made.append(await office.created(doors=["push"], subject_hint=hint))
        clock.tick(1)
    sessions = [each["session"]["id"] for each in made]
    await world.instance.catch_up()
    by_age = list(reversed(await phone.waiting()))  # of the three that are hers
    await phone.open_push(by_age[0].approval, made[2]["doors"]["push"]["code"])
    assert len({str(view) for view in await views(sessions)}) == 1  # opened
    await phone.refuse(by_age[0].approval)
    for _ in range(3):
        await caller.post(
            "/phone/v1/approvals/open",
            {"lang": "en", "approval": by_age[1].approval, "code": "0"},
        )
    assert len({str(view) for view in await views(sessions)}) == 1
    for path in ("receipt", "evidence"):
        codes = {
            code_of(await office.call("GET", f"/v1/sessions/{each}/{path}")) for each in sessions
        }
        assert codes == {(409, "receipt_not_ready")}
    doors = [
        await office.call("POST", f"/v1/sessions/{each}/doors/push", body={}) for each in sessions
    ]
    assert {answer.status_code for answer in doors} == {200}
    clock.tick(175)
    assert len({str(view) for view in await views(sessions[1:])}) == 1
    clock.tick(5)
    assert {str(view) for view in await views(sessions)} == {
        str(
            dict.fromkeys(SHOWN)
            | {"state": "expired", "reason": "user_no_response"}
            | {"next": {"action": "none", "retry_after_ms": 0}}
        )
    }


async def test_taking_back_looks_alike_too(world: World, office: SystemCaller, phone: Phone):
    made, stranger = await push(office), await office.created(doors=["push"], subject_hint=UNKNOWN)
    held = await pushed(world, phone, made["doors"]["push"]["code"])
    await phone.refuse(held.id)
    for each in (made, stranger):
        answer = await office.call("POST", f"/v1/sessions/{each['session']['id']}/cancel", body={})
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")


async def test_what_was_released_is_not_taken_back(
    world: World, office: SystemCaller, phone: Phone
):
    made = await push(office)
    held = await pushed(world, phone, made["doors"]["push"]["code"])
    await phone.approve(held.id)
    answer = await office.call("POST", f"/v1/sessions/{made['session']['id']}/cancel", body={})
    assert code_of(answer) == (410, "approval_ended")
    assert (await office.read(made["session"]["id"]))["outcome"] == "ok"


async def test_a_phone_that_leaves_a_push_open_loses_it_to_the_next(
    world: World, office: SystemCaller, phone: Phone, second: Phone, clock: StandingClock
):
    made = await push(office)
    await pushed(world, phone, made["doors"]["push"]["code"])
    [waiting] = await second.waiting() or [None]
    assert waiting is None  # it is open on the other
    clock.tick(61)
    path = f"/v1/sessions/{made['session']['id']}/doors/push"
    await office.call("POST", path, body={})  # sent again
    await world.instance.catch_up()
    [waiting] = await second.waiting()
    await second.open_push(waiting.approval, made["doors"]["push"]["code"])
    await second.approve()
    assert (await office.read(made["session"]["id"]))["outcome"] == "ok"


async def test_an_approval_shows_at_its_release_only(
    world: World, office: SystemCaller, phone: Phone
):
    made = await push(office, **{"return": RETURN})
    held = await pushed(world, phone, made["doors"]["push"]["code"])
    await phone.approve(held.id)
    assert (await office.read(made["session"]["id"]))["state"] == "presented"
    body = {"verifier": VERIFIER}
    answer = await office.call("POST", f"/v1/sessions/{made['session']['id']}/redeem", body=body)
    assert answer.json()["binding"]["evidence"] == ["browser_bound", "code_entered"]


# --- quotas and mutes -----------------------------------------------------------------------------------


async def sent(world: World) -> int:
    return (await world.events()).count("identification.prompt_sent")


async def test_the_fourth_prompt_within_ten_minutes_waits_silently(
    world: World, office: SystemCaller, phone: Phone, clock: StandingClock
):
    answers = [await push(office) for _ in range(4)]
    await world.instance.catch_up()
    assert await sent(world) == 3
    assert len(await phone.waiting()) == 4
    assert len({tuple(answer["session"]) for answer in answers}) == 1
    clock.tick(601)
    office.token = ""
    await push(office)
    await world.instance.catch_up()
    assert await sent(world) == 4


async def test_five_systems_share_a_persons_patience(
    world: World, web: WebClient, clock: StandingClock, phone: Phone
):
    for n in range(3):
        system = await SystemCaller.registered(world, web, clock, f"shop-{n}", **all_doors())
        for _ in range(2):
            await push(system)
    await world.instance.catch_up()
    assert await sent(world) == 5


async def test_two_refusals_mute_the_asker_until_an_agreement_or_a_day(
    world: World, office: SystemCaller, phone: Phone, clock: StandingClock
):
    for _ in range(2):
        made = await push(office)
        held = await pushed(world, phone, made["doors"]["push"]["code"])
        await phone.refuse(held.id)
    clock.tick(3600)
    office.token = ""
    await push(office)
    await world.instance.catch_up()
    assert (await world.events()).count("identification.prompt_kept_silent") == 1
    clock.tick(24 * 3600)
    office.token = ""
    await push(office)
    await world.instance.catch_up()
    assert await sent(world) == 3


async def test_one_report_mutes_the_asker_whatever_door_it_came_by(
    world: World, office: SystemCaller, phone: Phone
):
    made = await office.created(doors=["web_link"], **{"return": RETURN})
    await phone.open_link(made["doors"]["web_link"]["url"])
    await phone.report()
    await push(office)
    await world.instance.catch_up()
    assert await sent(world) == 0
    assert len(await phone.waiting()) == 1


# --- hints ----------------------------------------------------------------------------------------------


async def test_references_that_were_given_out_name_person_and_phone(
    world: World, office: SystemCaller, phone: Phone, second: Phone, clock: StandingClock
):
    made = await office.created(doors=["web_link"], **{"return": RETURN})
    await second.open_link(made["doors"]["web_link"]["url"])
    back = brought((await second.approve()).return_url)
    body = {"verifier": VERIFIER, "return_code": back["return_code"]}
    path = f"/v1/sessions/{made['session']['id']}/redeem"
    subject = (await office.call("POST", path, body=body)).json()["subject"]
    await push(office, subject_hint={"type": "person_ref", "value": subject["person_ref"]})
    await world.instance.catch_up()
    clock.tick(1)
    assert [len(await each.waiting()) for each in (phone, second)] == [1, 1]
    hint = {"type": "phone_ref", "value": subject["phone_ref"]}
    made = await push(office, subject_hint=hint)
    await world.instance.catch_up()
    assert [len(await each.waiting()) for each in (phone, second)] == [1, 2]
    held = await second.open_push(
        (await second.waiting())[0].approval, made["doors"]["push"]["code"]
    )
    await second.refuse(held.id)
    seen = await office.read(made["session"]["id"])
    assert seen["reason"] == "user_refused"  # who names a phone_ref may know


async def test_a_reference_of_another_sector_reaches_nobody(
    world: World, web: WebClient, clock: StandingClock, office: SystemCaller, phone: Phone
):
    person = (await world.citizen("chen")).person.id
    people = world.platform.people
    foreign = people.reference(person, sector="another")
    await push(office, subject_hint={"type": "person_ref", "value": foreign})
    await world.instance.catch_up()
    assert await phone.waiting() == []


async def test_tap_only_is_a_policy_of_the_registration_and_reaches_no_level(
    world: World, web: WebClient, clock: StandingClock, phone: Phone
):
    tapping = await SystemCaller.registered(
        world, web, clock, "tapping", **all_doors(tap_only=True)
    )
    made = await push(tapping)
    assert made["doors"]["push"]["code"] is None
    held = await pushed(world, phone, None)
    await phone.approve(held.id)
    seen = await tapping.read(made["session"]["id"])
    assert seen["binding"] == {"level": "none", "evidence": []}
    members = {"subject_hint": hint_of("chen"), "binding_min": "matched"}
    assert code_of(await tapping.create(doors=["push"], **members)) == (403, "level_too_low")
