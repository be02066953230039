"""Signing digest lists: one gesture over registered documents, a result for each, by the signing key alone."""

from datetime import timedelta

import pytest

from identification.answers import frame_of
from identification.callers import SystemCaller, WebClient, code_of
from identification.doorways import all_doors, hint_of, pushed
from inkan.client import CallRefused, Phone
from inkan.client.verifier import verify_receipt
from inkan.wire.evidence import parse_evidence
from support.clock import StandingClock
from support.world import World

DIGEST = "A" * 43
SIGNING = [
    {
        "code": "sign_contract",
        "kinds": ["sign", "approve"],
        "text": {"en": "Sign a contract", "ja": "契約の署名", "zh-Hant": "簽署契約"},
    }
]


@pytest.fixture
async def firm(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(
        world, web, clock, "firm", **all_doors(purposes=SIGNING, internal=True)
    )


@pytest.fixture
async def old_phone(world: World, phone: Phone) -> Phone:
    """A phone whose binding is no longer young."""
    await world.leap(timedelta(hours=25))
    return phone


async def batch(firm: SystemCaller, count: int = 3) -> str:
    items = [
        {"name": f"契約書 {n}", "digest": DIGEST[:-2] + f"{n:02d}"[-1] + "A"} for n in range(count)
    ]
    answer = await firm.call(
        "POST", "/v1/batches", body={"name": "March", "items": items}, idempotency_key="k" * 20
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


ORDER = {"kind": "sign", "purpose": "sign_contract", "binding_min": "none"}


@pytest.mark.req("TW-10")
async def test_a_batch_is_signed_by_one_gesture(world: World, firm: SystemCaller, old_phone: Phone):
    named = await batch(firm)
    made = await firm.created(batch=named, **ORDER)
    held = await old_phone.open_frame(frame_of(made["doors"]["qr"]))
    assert "契約書 2" in held.text
    await old_phone.approve()
    session = made["session"]["id"]
    assert (await firm.read(session))["outcome"] == "ok"
    seen = (await firm.call("GET", f"/v1/batches/{named}")).json()
    assert [(item["result"], item["sessions"]) for item in seen["items"]] == [
        ("signed", [session])
    ] * 3
    evidence = await firm.call(
        "GET", f"/v1/sessions/{session}/evidence"
    )  # always full for a signature
    bundle = parse_evidence(evidence.content)
    report = verify_receipt(bundle.receipt, world.anchors, evidence=bundle)
    assert report.verdict == "valid", report.summary


async def test_a_refused_batch_is_refused_item_by_item(firm: SystemCaller, old_phone: Phone):
    named = await batch(firm, 2)
    made = await firm.created(batch=named, **ORDER)
    await old_phone.open_frame(frame_of(made["doors"]["qr"]))
    await old_phone.refuse()
    seen = (await firm.call("GET", f"/v1/batches/{named}")).json()
    assert [item["result"] for item in seen["items"]] == ["refused"] * 2


async def test_a_young_phone_signs_no_contents(firm: SystemCaller, phone: Phone):
    made = await firm.created(batch=await batch(firm), **ORDER)
    with pytest.raises(CallRefused) as refused:
        await phone.open_frame(frame_of(made["doors"]["qr"]))
    assert refused.value.problem.code == "phone_young"


async def test_another_systems_batch_is_an_unknown_one(
    world: World, web: WebClient, clock: StandingClock, firm: SystemCaller
):
    named = await batch(firm)
    other = await SystemCaller.registered(
        world, web, clock, "other", **all_doors(purposes=SIGNING, internal=True)
    )
    for unknown in (named, "bat_" + "a" * 26):
        assert code_of(await other.create(batch=unknown, **ORDER)) == (404, "batch_not_found")
    assert code_of(await firm.create(batch=named, documents=["doc_a" * 5], **ORDER))[0] == 400
    assert code_of(await firm.create(**ORDER)) == (400, "malformed")  # nothing to sign


async def test_a_signature_demands_a_level_unless_internal(
    world: World, web: WebClient, clock: StandingClock, old_phone: Phone
):
    strict = await SystemCaller.registered(
        world, web, clock, "strict", **all_doors(purposes=SIGNING)
    )
    order = {"kind": "sign", "purpose": "sign_contract"}
    items = {"contents": [{"id": "one", "name": "契約書", "digest": DIGEST}]}
    assert code_of(await strict.create(**order, **items)) == (
        403,
        "level_too_low",
    )  # qr reaches none
    made = await strict.created(doors=["push"], subject_hint=hint_of("chen"), **order, **items)
    held = await pushed(world, old_phone, made["doors"]["push"]["code"])
    await old_phone.approve(held.id)
    assert (await strict.read(made["session"]["id"]))["outcome"] == "ok"
