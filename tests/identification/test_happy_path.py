"""One identification from the asking page to the archive: what each side sees, and what can be proved later."""

import pytest

from identification.answers import frame_of
from identification.callers import CHALLENGE, SystemCaller
from inkan.client import Phone, Verdict, verify_receipt
from inkan.crypto import base64url, jose, merkle
from inkan.wire.evidence import parse_evidence
from inkan.wire.statement import parse_statement
from support.world import PLATFORM, World

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
