"""What a webhook is told: every change that a GET would show, and nothing that it would hide (threat 15)."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from identification.answers import frame_of
from identification.callers import PhoneCaller, SystemCaller, WebClient
from identification.doorways import RETURN, VERIFIER, all_doors, brought, hint_of, pushed
from inkan.client import Phone
from inkan.store.database import Database
from inkan.web.fetch import Answer
from support.clock import StandingClock
from support.world import World, world_on

URL = "https://hook.example.com/inkan"
SIGNING = [
    {"code": "sign", "kinds": ["sign"], "text": {"en": "Sign", "ja": "署名", "zh-Hant": "簽署"}}
]
ORDER = {"kind": "sign", "purpose": "sign", "binding_min": "none"}
UNKNOWN = {"type": "national_id", "value": "B123456780"}


@dataclass
class Receiver:
    """The other side: keeps what it was told, by session."""

    told: dict[str, list[str]] = field(default_factory=dict)
    when: dict[str, list[str]] = field(default_factory=dict)

    async def request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Any:
        assert (method, url) == ("POST", URL)
        note = json.loads(body)
        self.told.setdefault(note["session"], []).append(note["state"])
        self.when.setdefault(note["session"], []).append(note["at"])
        return Answer(204, {}, b"")


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def world(
    database: Database, clock: StandingClock, tmp_path: Path, receiver: Receiver
) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path, post=receiver) as made:
        yield made


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    hooks = all_doors(webhooks=[{"id": "main", "url": URL}])
    return await SystemCaller.registered(world, web, clock, "office", **hooks)


async def ask(office: SystemCaller, *doors: str, **members: Any) -> dict[str, Any]:
    return await office.created(doors=list(doors), notify="main", **members)


async def heard(world: World, receiver: Receiver, made: dict[str, Any]) -> list[str]:
    await world.instance.catch_up()
    return receiver.told.get(made["session"]["id"], [])


async def test_a_scanned_session_is_told_step_by_step(
    world: World, office: SystemCaller, phone: Phone, receiver: Receiver
):
    made = await ask(office, "qr")
    assert await heard(world, receiver, made) == []  # who made it has its answer
    held = await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve(held.id)
    assert await heard(world, receiver, made) == ["opened", "closed"]


async def test_a_phone_that_lets_go_is_told(
    world: World, office: SystemCaller, phone: Phone, receiver: Receiver
):
    made = await ask(office, "qr")
    held = await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.give_back(held.id)
    assert await heard(world, receiver, made) == ["opened", "presented"]


async def test_a_return_is_told_when_it_may_be_redeemed_and_when_it_was(
    world: World, office: SystemCaller, phone: Phone, receiver: Receiver
):
    made = await ask(office, "web_link", **{"return": RETURN})
    await phone.open_link(made["doors"]["web_link"]["url"])
    back = brought((await phone.approve()).return_url)
    assert await heard(world, receiver, made) == ["opened", "decided"]
    body = {"verifier": VERIFIER, "return_code": back["return_code"]}
    await office.call("POST", f"/v1/sessions/{made['session']['id']}/redeem", body=body)
    assert await heard(world, receiver, made) == ["opened", "decided", "closed"]


async def test_a_door_that_is_made_later_an_end_and_a_cancellation_are_told(
    world: World, office: SystemCaller, receiver: Receiver, clock: StandingClock
):
    late, cancelled = await ask(office), await ask(office, "qr")
    await office.call("POST", f"/v1/sessions/{late['session']['id']}/doors/qr", body={})
    for _ in range(2):
        await office.call("POST", f"/v1/sessions/{cancelled['session']['id']}/cancel", body={})
    clock.tick(181)
    await world.platform.identification.expire()
    await world.platform.identification.expire()
    assert await heard(world, receiver, late) == ["presented", "expired"]
    assert await heard(world, receiver, cancelled) == ["cancelled"]


async def test_who_names_no_webhook_is_told_nothing(
    world: World, office: SystemCaller, receiver: Receiver, clock: StandingClock
):
    made = await office.created(doors=["push"], subject_hint=UNKNOWN)
    clock.tick(200)
    await world.platform.identification.expire()
    assert await heard(world, receiver, made) == []


async def test_behind_the_veil_only_the_good_end_and_the_common_expiry_are_told(
    world: World,
    office: SystemCaller,
    phone: Phone,
    caller: PhoneCaller,
    receiver: Receiver,
    clock: StandingClock,
):
    hers = hint_of("chen")
    good = await ask(office, "push", subject_hint=hers)
    await phone.approve((await pushed(world, phone, good["doors"]["push"]["code"])).id)
    refused = await ask(office, "push", subject_hint=hers)
    await phone.refuse((await pushed(world, phone, refused["doors"]["push"]["code"])).id)
    mistyped = await ask(office, "push", subject_hint=hers)
    nobody = await ask(office, "push", subject_hint=UNKNOWN)
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    for _ in range(3):
        body = {"lang": "en", "approval": waiting.approval, "code": "0"}
        await caller.post("/phone/v1/approvals/open", body)
    assert await heard(world, receiver, good) == ["closed"]
    for each in (refused, mistyped, nobody):
        assert await heard(world, receiver, each) == []
    clock.tick(200)
    await world.platform.identification.expire()
    for each in (refused, mistyped, nobody):
        assert await heard(world, receiver, each) == ["expired"]
    ends = {str(receiver.when[each["session"]["id"]]) for each in (refused, mistyped, nobody)}
    assert len(ends) == 1
    assert await heard(world, receiver, good) == ["closed"]


async def test_what_was_taken_back_behind_the_veil_does_not_expire_as_well(
    world: World, office: SystemCaller, phone: Phone, receiver: Receiver, clock: StandingClock
):
    made = await ask(office, "push", subject_hint=hint_of("chen"))
    held = await pushed(world, phone, made["doors"]["push"]["code"])
    await phone.refuse(held.id)
    await office.call("POST", f"/v1/sessions/{made['session']['id']}/cancel", body={})
    clock.tick(200)
    await world.platform.identification.expire()
    assert await heard(world, receiver, made) == ["cancelled"]


async def test_a_refused_document_stays_pending_behind_the_veil(
    world: World, web: WebClient, clock: StandingClock, phone: Phone
):
    await world.leap(timedelta(hours=25))  # a young binding signs nothing
    terms = all_doors(purposes=SIGNING, internal=True)
    office = await SystemCaller.registered(world, web, clock, "firm", **terms)
    name = {"name": "Rental agreement", "digest": "A" * 43}
    found = await office.call("POST", "/v1/documents", body=name, idempotency_key="k" * 16)
    document = found.json()["id"]
    made = await office.created(
        doors=["push"], subject_hint=hint_of("chen"), documents=[document], **ORDER
    )
    held = await pushed(world, phone, made["doors"]["push"]["code"])
    await phone.refuse(held.id)
    answer = await office.call("GET", f"/v1/documents/{document}")
    assert (answer.json()["result"], answer.json()["sessions"]) == ("pending", [])
