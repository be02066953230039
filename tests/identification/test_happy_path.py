"""One identification from the asking page to the archive: what each side sees, and what can be proved later."""

import msgspec
import pytest

from identification.answers import frame_of
from identification.callers import CHALLENGE, SystemCaller
from inkan.client import Phone, Verdict, verify_receipt
from inkan.crypto import base64url, jose, merkle
from inkan.wire.audit_log import parse_event
from inkan.wire.evidence import parse_evidence
from inkan.wire.statement import parse_statement
from support.world import CITIZENS, PLATFORM, World

ANSWER = ("outcome", "reason", "binding", "subject", "match", "young", "back_end")
NOT_YET = dict.fromkeys(ANSWER)


def answer_of(view: dict) -> dict:
    return {name: view[name] for name in ANSWER}


@pytest.mark.req("TW-03", "TW-12", "TW-22", "TW-40", "TW-42")
async def test_from_the_code_to_the_archive(world: World, system: SystemCaller, phone: Phone):
    made = await system.created(purpose="file_return", doors=[])
    session = made["session"]["id"]
    assert (made["session"]["state"], made["doors"]) == ("created", {})
    assert made["session"]["next"]["action"] == "present"

    door = (await system.call("POST", f"/v1/sessions/{session}/doors/qr", body={})).json()
    presented = await system.read(session)
    assert (presented["state"], answer_of(presented)) == ("presented", NOT_YET)

    held = await phone.open_frame(frame_of(door))
    opened = await system.read(session)
    assert (opened["state"], opened["door"], answer_of(opened)) == ("opened", "qr", NOT_YET)
    # TW-03: the person reads who asks, by its registration, before anything is signed.
    assert "Tax Office" in held.text
    assert "tax.example" in held.text
    early = await system.call("GET", f"/v1/sessions/{session}/receipt")
    assert (early.status_code, early.json()["state"]) == (409, "opened")

    await phone.approve()
    closed = await system.read(session)
    assert (closed["state"], closed["outcome"], closed["reason"]) == ("closed", "ok", None)
    assert closed["subject"]["person_ref"]
    assert (closed["binding"], closed["young"]) == ({"level": "none", "evidence": []}, True)
    assert (closed["status_now"], closed["next"]["action"]) == ("valid", "none")

    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    raw = (await system.call("GET", f"/v1/sessions/{session}/evidence")).content
    bundle = parse_evidence(raw)
    report = verify_receipt(bundle.receipt, world.anchors, evidence=bundle)
    assert report.verdict is Verdict.VALID, report.summary
    assert report.is_logged
    # TW-12: which signature it was: the certificate's and, beside it, the passkey's.
    signed = parse_statement(
        jose.parse_compact(
            bundle.statement_jws, typ="inkan-statement+jws", required=("x5t#S256",), limit=400_000
        ).payload
    )
    assert (signed.session, signed.challenge, signed.iss) == (session, CHALLENGE, PLATFORM)
    assert bundle.assertion.credential_id
    assert len(bundle.certificates) == 2


async def test_the_audit_holds_each_act_once_and_proves_the_decision(
    world: World, system: SystemCaller, phone: Phone
):
    made = await system.created(purpose="file_return")
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    events = [event for event in await world.events() if event.startswith("identification.")]
    assert sorted(events) == [
        "identification.session_created",
        "identification.session_decided",
        "identification.session_opened",
    ]
    head = await world.platform.audit.sign_head()
    path = f"/v1/sessions/{made['session']['id']}/evidence"
    bundle = parse_evidence((await system.call("GET", path)).content)
    inclusion = bundle.inclusion
    assert inclusion is not None
    assert (inclusion.tree_size, inclusion.head_jws) == (head.size, head.jws)
    records = await world.platform.identification.records(
        (await world.citizen("chen")).person.id, before=None
    )
    proof = await world.platform.audit.inclusion(records[0].event_id)
    merkle.verify_inclusion(
        merkle.leaf_hash(proof.event),
        index=inclusion.index,
        size=inclusion.tree_size,
        path=[base64url.decode(node) for node in inclusion.path],
        root=head.root,
    )


async def test_evidence_of_before_the_head_holds_and_later_it_proves_the_log(
    world: World, system: SystemCaller, phone: Phone
):
    path = await answered(system, phone)
    early = parse_evidence((await system.call("GET", path)).content)
    assert early.inclusion is None
    report = verify_receipt(early.receipt, world.anchors, evidence=early)
    assert (report.verdict, report.is_logged) == (Verdict.VALID, False)
    await sign_log(world)
    later = parse_evidence((await system.call("GET", path)).content)
    assert later.receipt == early.receipt
    assert verify_receipt(later.receipt, world.anchors, evidence=later).is_logged


async def test_the_proof_of_one_decision_is_none_of_another(
    world: World, system: SystemCaller, phone: Phone
):
    """The same person, phone and system, under the same head."""
    paths = [await answered(system, phone) for _ in range(2)]
    await sign_log(world)
    one, other = [parse_evidence((await system.call("GET", path)).content) for path in paths]
    assert one.inclusion is not None
    assert other.inclusion is not None
    assert one.inclusion.head_jws == other.inclusion.head_jws
    swapped = msgspec.structs.replace(one, inclusion=other.inclusion)
    report = verify_receipt(one.receipt, world.anchors, evidence=swapped)
    assert (report.verdict, report.checks[-1].number) == (Verdict.INVALID, 14)
    assert not report.is_logged


async def test_the_event_in_the_proof_names_nobody(
    world: World, system: SystemCaller, phone: Phone
):
    path = await answered(system, phone)
    await sign_log(world)
    bundle = parse_evidence((await system.call("GET", path)).content)
    assert bundle.inclusion is not None
    leaf = base64url.decode(bundle.inclusion.event)
    name, _, number = CITIZENS["chen"]
    assert leaf.isascii()
    assert name.encode() not in leaf
    assert number.encode() not in leaf
    event = parse_event(leaf)
    assert event.subject == (await world.citizen("chen")).person.id


async def test_a_head_without_a_chain_is_given_to_nobody(
    world: World, system: SystemCaller, phone: Phone
):
    """An outsider could make nothing of it: the evidence says nothing rather than something that fails."""
    path = await answered(system, phone)
    world.platform.audit.certify_heads(tuple)
    await sign_log(world)
    bundle = parse_evidence((await system.call("GET", path)).content)
    assert bundle.inclusion is None


async def answered(system: SystemCaller, phone: Phone) -> str:
    """A session that ended well; where its evidence is."""
    made = await system.created(purpose="file_return")
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    return f"/v1/sessions/{made['session']['id']}/evidence"


async def sign_log(world: World) -> None:
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()


@pytest.mark.req("TW-38", "DOC-06")
async def test_the_use_stands_in_the_records_of_the_person_alone(
    world: World, system: SystemCaller, phone: Phone
):
    other = await world.bind("lin")
    made = await system.created()
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    (record,) = await phone.records()
    assert record["outcome"] == "ok"
    assert record["detail"]["relying_party"] == "Tax Office"
    assert record["detail"]["purpose"]["ja"] == "ログイン"
    assert await other.records() == []


async def test_the_same_person_is_the_same_reference_to_one_sector_and_another_to_another(
    world: World, web, clock, phone: Phone, system: SystemCaller
):
    bank = await SystemCaller.registered(world, web, clock, "other-bank")
    references = []
    for caller in (system, system, bank):
        made = await caller.created()
        await phone.open_frame(frame_of(made["doors"]["qr"]))
        await phone.approve()
        view = await caller.read(made["session"]["id"])
        references.append(view["subject"]["person_ref"])
    assert references[0] == references[1] != references[2]


async def test_a_refusal_is_an_answer_and_its_receipt_names_nobody(
    world: World, system: SystemCaller, phone: Phone
):
    for verb, reason in (("refuse", "user_refused"), ("report", "user_reported_fraud")):
        made = await system.created()
        session = made["session"]["id"]
        held = await phone.open_frame(frame_of(made["doors"]["qr"]))
        await getattr(phone, verb)(held.id)
        view = await system.read(session)
        assert (view["state"], view["outcome"], view["reason"]) == ("closed", "refused", reason)
        assert (view["subject"], view["young"]) == (None, None)
        jws = (await system.call("GET", f"/v1/sessions/{session}/receipt")).text
        report = verify_receipt(jws, world.anchors)
        assert report.verdict is Verdict.VALID, report.summary
        assert (report.receipt.outcome, report.receipt.subject) == ("refused", None)
        assert report.receipt.commitments is None
    assert [record["outcome"] for record in await phone.records()] == ["refused", "refused"]
