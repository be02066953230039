"""The expected person (TW-43): compared after the approval, and no oracle of who exists or has a phone."""

import base64
import hashlib
import logging
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from identification.answers import frame_of, honest
from identification.callers import LOGIN, PhoneCaller, SystemCaller, WebClient, code_of
from inkan.client import Phone
from inkan.store.query import Query
from inkan.store.schema import metadata
from support.clock import StandingClock
from support.world import CITIZENS, World

CHEN, LIN = CITIZENS["chen"][2], CITIZENS["lin"][2]
UNKNOWN = "H123456786"


def expecting(number: str) -> dict[str, Any]:
    return {"subject_hint": {"type": "national_id", "value": number}}


async def answered(caller: PhoneCaller, door: dict[str, Any]) -> tuple[int, bytes]:
    held = await caller.phone.open_frame(frame_of(door))
    answer = await caller.decide(held.id, honest(caller.phone, held))
    return answer.status_code, answer.content


@pytest.mark.req("TW-43")
async def test_the_holder_of_the_number_and_nobody_else(
    world: World, web: WebClient, system: SystemCaller, phone: Phone, clock: StandingClock
):
    stranger = PhoneCaller(web, await world.bind("lin"), clock)
    holder = PhoneCaller(web, phone, clock)
    answers, views = [], []
    for number, who in (
        (CHEN, holder),
        (CHEN.lower(), holder),
        (CHEN, stranger),
        (UNKNOWN, holder),
    ):
        made = await system.created(**expecting(number))
        answers.append(await answered(who, made["doors"]["qr"]))
        views.append(await system.read(made["session"]["id"]))
    # On the phone every answer is the same, bytes and all: who scans a code learns nothing of who was expected.
    assert len(set(answers)) == 1
    assert [(view["outcome"], view["match"]) for view in views[:2]] == [("ok", True)] * 2
    for view in views[2:]:
        assert (view["state"], view["outcome"]) == ("closed", "failed")
        assert (view["reason"], view["match"]) == ("subject_mismatch", False)
        assert (view["subject"], view["binding"]) == (None, views[0]["binding"])
    records = [*await phone.records(), *await stranger.phone.records()]
    assert "subject_mismatch" not in msgspec.json.encode(records).decode()


@pytest.mark.req("TW-43")
async def test_a_person_may_be_expected_by_the_reference_of_an_earlier_answer(
    world: World, web: WebClient, system: SystemCaller, phone: Phone, clock: StandingClock
):
    holder = PhoneCaller(web, phone, clock)
    stranger = PhoneCaller(web, await world.bind("lin"), clock)
    made = await system.created()
    await answered(holder, made["doors"]["qr"])
    reference = (await system.read(made["session"]["id"]))["subject"]["person_ref"]
    outcomes = []
    for who in (holder, stranger):
        hint = {"type": "person_ref", "value": reference}
        made = await system.created(subject_hint=hint)
        await answered(who, made["doors"]["qr"])
        outcomes.append((await system.read(made["session"]["id"]))["outcome"])
    assert outcomes == ["ok", "failed"]


async def test_an_unknown_number_is_answered_like_a_known_one(
    world: World, system: SystemCaller, phone: Phone
):
    """Threat 15: known with a phone, known without, unknown; until the answer all look the same."""
    await world.citizen("tanaka")
    seen = []
    for number in (CHEN, CITIZENS["tanaka"][2], UNKNOWN):
        made = await system.create(**expecting(number))
        session = made.json()["session"]["id"]
        read = await system.call("GET", f"/v1/sessions/{session}")
        seen.append((made.status_code, shape(made.json()), len(made.content), shape(read.json())))
    assert seen[0] == seen[1] == seen[2]


def shape(value: Any) -> Any:
    """What is left when the random names are taken away: the same for every person."""
    match value:
        case dict():
            return {name: shape(member) for name, member in value.items()}
        case str() if value[:4] in {"ses_", "qr_"[:4]} or len(value) >= 25:
            return len(value)
    return value


@pytest.mark.req("TW-44")
async def test_a_number_that_is_none_is_refused_without_being_repeated(system: SystemCaller):
    for number in (CHEN + "3", "A234567890", "", "x" * 11, "A-23456789", "ı234567893"):
        answer = await system.create(**expecting(number))
        assert code_of(answer)[0] == 400, number
        assert not number or number not in answer.text
    assert code_of(await system.create(**expecting("A" * 65)))[0] == 400


async def everything(world: World) -> bytes:
    """Each byte that the instance keeps in its database."""

    def rows() -> Any:
        found = []
        for table in metadata.sorted_tables:
            for row in (yield Query(sa.select(table)).all()):
                found.append(repr(tuple(row)).encode())
                found += [bytes(each) for each in row if isinstance(each, bytes)]
        return b"\n".join(found)

    kept: bytes = await world.platform.db.scan(rows)
    for path in world.folder.rglob("*"):
        if path.is_file() and not path.name.endswith((".phone", ".card")):
            kept += path.read_bytes()
    return kept


async def test_a_typed_number_is_kept_nowhere(
    world: World,
    system: SystemCaller,
    phone: Phone,
    web: WebClient,
    clock: StandingClock,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    caplog.set_level(logging.DEBUG)
    body = msgspec.json.encode(LOGIN | expecting(CHEN))
    made = await system.call("POST", "/v1/sessions", body=body, idempotency_key="k" * 20)
    assert made.status_code == 201
    unanswered = await everything(world)
    await answered(PhoneCaller(web, phone, clock), made.json()["doors"]["qr"])
    await system.create(**expecting(UNKNOWN))
    await system.create(**expecting(CHEN + "3"))
    out, err = capfd.readouterr()
    kept = unanswered + await everything(world) + caplog.text.encode() + (out + err).encode()
    assert len(kept) > 10_000
    for number in (CHEN, UNKNOWN):
        for form in forms(number.encode()):
            assert form not in kept
    # The body holds nothing else that is secret: its plain hash would be the number's, to who tries them all.
    for form in forms(hashlib.sha256(body).digest()):
        assert form not in kept


def forms(secret: bytes) -> list[bytes]:
    digest = hashlib.sha256(secret).digest()
    spelled = [secret, secret.lower(), secret.hex().encode(), digest, digest.hex().encode()]
    for each in (secret, digest):
        spelled.append(base64.b64encode(each).rstrip(b"=")[:12])
        spelled.append(base64.urlsafe_b64encode(each).rstrip(b"="))
    return spelled


async def test_the_blind_form_of_the_number_ends_with_the_answer(
    world: World, system: SystemCaller, phone: Phone, web: WebClient, clock: StandingClock
):
    from inkan.identification.store import session as table

    made = await system.created(**expecting(CHEN))

    def hint() -> Any:
        return (yield Query(sa.select(table.c.hint)).one()).hint

    assert await world.platform.db.read(hint) is not None
    await answered(PhoneCaller(web, phone, clock), made["doors"]["qr"])
    assert await world.platform.db.read(hint) is None
