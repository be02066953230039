"""What a person reads of the uses and says about them: filters, the proof, the report, each with its attackers."""

import asyncio
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from identification.answers import frame_of
from identification.callers import PhoneCaller, SystemCaller, WebClient, code_of
from identification.doorways import all_doors, hint_of
from inkan.audit import Actor, ActorKind
from inkan.audit.store import event
from inkan.client import Phone
from inkan.client.exchange import CallRefused
from inkan.client.use_checks import UseProofUnfit, verify_use
from inkan.crypto.merkle import ProofRefused
from inkan.identification.rules import PromptResult
from inkan.identification.service import prompts as prompt_steps
from inkan.identification.store import prompt
from inkan.identification.store import session as table
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import EventID, PersonID, SystemID
from inkan.store.database import Step
from inkan.store.query import Query
from inkan.wire.use_proof import parse_use_proof, use_proof_bytes
from support.clock import StandingClock
from support.world import World

MADE_UP = "use_" + "a" * 32


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


async def scanned(system: SystemCaller, phone: Phone, *, agree: bool = True) -> dict[str, Any]:
    """One use by a scanned code; the newest record of it."""
    made = await system.created()
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await (phone.approve() if agree else phone.refuse())
    return (await phone.records())[0]


async def push(office: SystemCaller, key: str = "chen") -> dict[str, Any]:
    return await office.created(doors=["push"], subject_hint=hint_of(key))


async def sent(world: World) -> int:
    return (await world.events()).count("identification.prompt_sent")


# --- the list -------------------------------------------------------------------------------------------


@pytest.mark.req("TW-38")
async def test_uses_are_picked_by_asker_and_result(
    world: World,
    office: SystemCaller,
    web: WebClient,
    clock: StandingClock,
    phone: Phone,
    caller: PhoneCaller,
):
    shop = await SystemCaller.registered(world, web, clock, "shop", name="Shop")
    agreed = await scanned(office, phone)
    clock.tick(1)
    refused = await scanned(office, phone, agree=False)
    clock.tick(1)
    bought = await scanned(shop, phone)

    async def listed(query: str) -> list[str]:
        path = "/phone/v1/records"
        headers = {"dpop": caller.proof("GET", path)}
        answer = await web.get(f"{path}?{query}", headers=headers)
        assert answer.status_code == 200, answer.text
        return [record["id"] for record in answer.json()["records"]]

    system = agreed["detail"]["system"]
    assert await listed("") == [bought["id"], refused["id"], agreed["id"]]
    assert await listed(f"system={system}") == [refused["id"], agreed["id"]]
    assert await listed(f"system={system}&result=refused") == [refused["id"]]
    assert await listed("result=ok") == [bought["id"], agreed["id"]]
    assert await listed(f"system={system}&below={bought['id']}") == [refused["id"], agreed["id"]]
    assert await listed("result=reported") == []
    assert await listed("system=sys_of_nobody") == []
    answer = await web.get(
        "/phone/v1/records?result=perhaps",
        headers={"dpop": caller.proof("GET", "/phone/v1/records")},
    )
    assert answer.status_code == 400


@pytest.mark.req("TW-38")
async def test_a_use_says_everything_and_nothing_of_the_inside(
    world: World, office: SystemCaller, phone: Phone
):
    record = await scanned(office, phone)
    use = await phone.use(record["id"])
    assert use["phone_name"] == "my phone"
    assert (use["outcome"], use["reported_at"]) == ("ok", None)
    detail = use["detail"]
    assert (detail["relying_party"], detail["domain"], detail["kind"], detail["door"]) == (
        "Tax Office",
        "tax.example",
        "identify",
        "qr",
    )
    assert detail["binding"]["level"] == "none"
    assert "logged" not in detail
    assert use["log"]["index"] is None  # no head is signed over it yet
    with pytest.raises(CallRefused) as refused:
        await phone.use_proof(record["id"])
    assert refused.value.problem_code == "event_not_covered"


# --- the proof ------------------------------------------------------------------------------------------


@pytest.fixture
async def proved(world: World, office: SystemCaller, phone: Phone) -> bytes:
    """The proof of a use that the person agreed to."""
    record = await scanned(office, phone)
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    return await phone.use_proof(record["id"])


@pytest.mark.req("TW-38")
async def test_the_proof_holds_without_the_platform(world: World, phone: Phone, proved: bytes):
    found = verify_use(proved, world.anchors)
    [record] = await phone.records()
    assert (found.record.id, found.record.at) == (record["id"], record["at"])
    assert found.record.session == record["detail"]["session"]
    assert found.is_opened
    use = await phone.use(record["id"])
    assert use["log"]["provable"]
    assert use["log"]["index"] is not None


async def test_a_refusal_is_proved_too(world: World, office: SystemCaller, phone: Phone):
    record = await scanned(office, phone, agree=False)
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    found = verify_use(await phone.use_proof(record["id"]), world.anchors)
    assert (found.record.outcome, found.record.reason) == ("refused", "user_refused")


async def test_a_failure_is_proved_without_what_the_person_may_not_know(
    world: World, office: SystemCaller, phone: Phone
):
    """Whom the asker expected is not told to who scanned its code; the salt would give the reason away."""
    await world.citizen("lin")
    made = await office.created(subject_hint=hint_of("lin"))
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    [record] = await phone.records()
    assert (record["outcome"], record["detail"]["reason"]) == ("failed", None)
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    proof = parse_use_proof(await phone.use_proof(record["id"]))
    assert (proof.details, proof.salt) == (None, None)
    assert not verify_use(use_proof_bytes(proof), world.anchors).is_opened


@pytest.mark.parametrize(
    ("bend", "refusal"),
    [
        ({"record": {"session": "ses_other"}}, UseProofUnfit),
        ({"record": {"at": "2026-04-01T01:00:09Z"}}, UseProofUnfit),
        ({"record": {"outcome": "refused"}}, UseProofUnfit),
        ({"record": {"reason": "user_refused"}}, UseProofUnfit),
        ({"details": {"receipt_sha256": "A" * 43}}, UseProofUnfit),
        ({"salt": "A" * 22}, UseProofUnfit),
        ({"index": 10**6}, InkanError),
        ({"tree_size": 10**6}, InkanError),
        ({"path": []}, ProofRefused),
    ],
    ids=str,
)
async def test_a_bent_proof_is_refused(
    world: World, proved: bytes, bend: dict[str, Any], refusal: type[InkanError]
):
    members = msgspec.json.decode(proved)
    for name, value in bend.items():
        members[name] = members[name] | value if isinstance(value, dict) else value
    data = msgspec.json.encode(members, order="sorted")
    assert data != proved
    with pytest.raises(refusal):
        verify_use(data, world.anchors)


async def test_a_proof_of_an_unknown_root_is_refused(proved: bytes):
    with pytest.raises(InkanError):
        verify_use(proved, [])


# --- the report -----------------------------------------------------------------------------------------


async def test_a_reported_scan_mutes_the_asker_for_a_day(
    world: World, office: SystemCaller, phone: Phone, clock: StandingClock
):
    record = await scanned(office, phone)
    clock.tick(60)
    reported = await phone.report_use(record["id"])
    assert reported["reported_at"] == (await phone.use(record["id"]))["reported_at"]
    [listed] = await phone.records()
    assert listed["reported_at"] == reported["reported_at"]
    await push(office)
    await world.instance.catch_up()
    assert await sent(world) == 0
    assert len(await phone.waiting()) == 1  # silently
    clock.tick(24 * 3600 + 61)
    office.token = ""
    await push(office)
    await world.instance.catch_up()
    assert await sent(world) == 1


async def test_a_report_is_taken_once(
    world: World, office: SystemCaller, phone: Phone, clock: StandingClock
):
    record = await scanned(office, phone)
    first = await phone.report_use(record["id"])
    clock.tick(60)
    again = await asyncio.gather(*(phone.report_use(record["id"]) for _ in range(3)))
    assert [each["reported_at"] for each in again] == 3 * [first["reported_at"]]
    assert (await world.events()).count("identification.use_reported") == 1


async def test_rivals_report_once(world: World, office: SystemCaller, phone: Phone):
    record = await scanned(office, phone)
    person = (await world.citizen("chen")).person.id
    actor = Actor(ActorKind.PERSON, person)
    report = world.platform.identification.report_use
    await asyncio.gather(*(report(person, record["id"], actor=actor) for _ in range(8)))
    assert (await world.events()).count("identification.use_reported") == 1
    assert await prompts(world, "reported") == 1


async def test_what_was_reported_on_the_phone_is_reported(
    world: World, office: SystemCaller, phone: Phone
):
    made = await office.created()
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.report()
    [record] = await phone.records()
    assert record["reported_at"] == record["at"]
    await phone.report_use(record["id"])
    assert (await world.events()).count("identification.use_reported") == 0
    assert await prompts(world, "reported") == 1


async def test_somebody_elses_record_and_no_record_look_alike(
    world: World, office: SystemCaller, phone: Phone, web: WebClient, clock: StandingClock
):
    mine = await scanned(office, phone)
    lin = await world.bind("lin", phone=world.new_phone("phone of lin"))
    await lin.records()
    stranger = PhoneCaller(web, lin, clock)
    answers = []
    for record in (mine["id"], MADE_UP):
        path = f"/phone/v1/records/{record}"
        answers += [
            await stranger.get(path),
            await stranger.get(f"{path}/proof"),
            await stranger.post(f"{path}/report"),
        ]
    assert {code_of(answer) for answer in answers} == {(404, "record_not_found")}
    assert len({str(strip(answer.json())) for answer in answers}) == 1
    assert (await phone.use(mine["id"]))["reported_at"] is None
    assert "identification.use_reported" not in await world.events()


def strip(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name not in {"instance", "id"}}


async def test_one_person_alone_silences_nobody_elses_messages(
    world: World, office: SystemCaller, phone: Phone, clock: StandingClock
):
    """Five reports shun a system; six of one person are one."""
    for _ in range(6):
        record = await scanned(office, phone)
        await phone.report_use(record["id"])
        clock.tick(1)
    assert await prompts(world, "reported") == 6
    await world.bind("lin", phone=world.new_phone("phone of lin"))
    await push(office, "lin")
    await world.instance.catch_up()
    assert await sent(world) == 1


async def test_five_persons_silence_a_system_for_everybody(
    world: World, office: SystemCaller, phone: Phone
):
    system = SystemID((await scanned(office, phone))["detail"]["system"])
    for number in range(5):
        await world.platform.db.transact(
            prompt_steps.note,
            f"ses_{number}",
            system,
            PersonID(f"ps_{number}"),
            is_sent=False,
            is_paired=False,
            event=EventID("ev_none"),
            result=PromptResult.REPORTED,
        )
    await push(office)
    await world.instance.catch_up()
    assert len(await phone.waiting()) == 1
    assert await count(world, "identification.prompt_sent") == 0


# --- a push that one did not start ------------------------------------------------------------------------


async def test_a_push_is_reported_without_its_code(
    world: World, office: SystemCaller, phone: Phone
):
    """Who did not start it does not see the code (threat 2)."""
    made = await push(office)
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    await phone.turn_down(waiting.approval, report=True)
    await phone.turn_down(waiting.approval, report=True)  # the answer was lost: the same again
    assert await phone.waiting() == []
    [record] = await phone.records()
    assert (record["outcome"], record["detail"]["reason"], record["detail"]["door"]) == (
        "refused",
        "user_reported_fraud",
        "push",
    )
    assert record["reported_at"] == record["at"]
    seen = await office.read(made["session"]["id"])
    assert (seen["state"], seen["outcome"], seen["reason"]) == ("presented", None, None)
    await push(office)
    await world.instance.catch_up()
    assert await sent(world) == 1  # the first alone


async def test_a_push_is_refused_without_its_code(world: World, office: SystemCaller, phone: Phone):
    await push(office)
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    decision = await phone.turn_down(waiting.approval)
    assert decision.outcome == "refused"
    [record] = await phone.records()
    assert (record["detail"]["reason"], record["reported_at"]) == ("user_refused", None)


async def test_somebody_elses_push_is_nobodys_to_end(
    world: World, office: SystemCaller, phone: Phone
):
    await push(office)
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    lin = await world.bind("lin", phone=world.new_phone("phone of lin"))
    for report in (False, True):
        with pytest.raises(CallRefused) as refused:
            await lin.turn_down(waiting.approval, report=report)
        assert refused.value.problem_code == "approval_not_found"
    assert len(await phone.waiting()) == 1


async def test_a_code_on_a_screen_cannot_be_ended_unscanned(
    office: SystemCaller, phone: Phone, world: World
):
    """Nobody's phone is aimed at: a guessed id ends nothing."""
    made = await office.created()
    approval = (await world.platform.db.read(_approval_of, made["session"]["id"])).id
    with pytest.raises(CallRefused) as refused:
        await phone.turn_down(approval)
    assert refused.value.problem_code == "approval_not_found"
    assert (await office.read(made["session"]["id"]))["state"] == "presented"


def _approval_of(session: str) -> Step[Any]:
    query = Query(sa.select(table.c.approval.label("id")).where(table.c.id == session))
    return (yield query.one())


async def prompts(world: World, result: str) -> int:
    """How many prompts ended so."""
    query = Query(sa.select(prompt.c.id).where(prompt.c.result == result))
    return await world.platform.db.scan(_count, query)


async def count(world: World, use_case: str) -> int:
    """How many events of a use case there are, on a log that is not looked through."""
    query = Query(sa.select(event.c.id).where(event.c.use_case == use_case))
    return await world.platform.db.scan(_count, query)


def _count(query: Query) -> Step[int]:
    return len((yield query.all()))
