"""Requests that no honest phone or system sends: one clear problem each, and nothing is consumed."""

from datetime import timedelta

import pytest

from identification.answers import frame_of, honest
from identification.callers import CHALLENGE, LOGIN, PhoneCaller, SystemCaller, WebClient, code_of
from inkan.client import Phone
from inkan.crypto.keys import KeySpec, generate
from support.clock import StandingClock
from support.world import World

OPEN = "/phone/v1/approvals/open"


async def test_bodies_that_are_no_request(caller: PhoneCaller, system: SystemCaller):
    made = await system.created()
    frame = frame_of(made["doors"]["qr"])
    bent = {
        b"": (400, "malformed"),
        b"{": (400, "malformed"),
        b"\xff\xfe": (400, "malformed"),
        b"[]": (400, "malformed"),
        b'{"frame":1,"lang":"en"}': (400, "malformed"),
        b'{"frame":"x","frame":"x","lang":"en"}': (400, "name_repeated"),
        b'{"frame":"x","lang":"xx"}': (400, "malformed"),
        b'{"frame":"x","lang":"en","more":1}': (400, "malformed"),
        b'{"frame":"x","lang":"en"}': (400, "qr_frame_malformed"),
        b"[" * 5000: (400, "malformed"),
        b'{"frame":"%s"}' % (b"x" * 20_000): (413, "too_large"),
    }
    for body, expected in bent.items():
        assert code_of(await caller.post(OPEN, body)) == expected, body[:40]
    plain = await caller.post(OPEN, {"frame": frame, "lang": "en"}, media_type="text/plain")
    assert code_of(plain) == (415, "media_type_refused")
    assert (await system.read(made["session"]["id"]))["state"] == "presented"


async def test_decisions_that_are_no_decision(
    caller: PhoneCaller, system: SystemCaller, phone: Phone
):
    made = await system.created()
    held = await phone.open_frame(frame_of(made["doors"]["qr"]))
    good = honest(phone, held)
    assertion = good["assertion"]
    bent = [
        ({}, 400),
        (good | {"jws": ""}, 400),
        (good | {"jws": "a.b"}, 400),
        (good | {"jws": good["jws"] + "="}, 400),
        (good | {"jws": good["jws"] + "\n"}, 400),
        (good | {"jws": "a" * 500_000}, 413),
        (good | {"assertion": assertion | {"signature": "!"}}, 400),
        (good | {"assertion": assertion | {"signature": "AB"}}, 400),
        (good | {"assertion": assertion | {"client_data_json": "bm8"}}, 400),
        (good | {"assertion": assertion | {"authenticator_data": "AAAA"}}, 400),
        (good | {"assertion": assertion | {"credential_id": "AAAA"}}, 403),
    ]
    for index, (body, status) in enumerate(bent):
        answer = await caller.decide(held.id, body)
        assert code_of(answer)[0] == status, (index, answer.text)
    path = f"/phone/v1/approvals/{held.id}/decide"
    plain = await caller.post(path, good, media_type="text/plain")
    assert code_of(plain) == (415, "media_type_refused")
    assert (await caller.decide(held.id, good)).status_code == 200


@pytest.mark.req("HCA-47", "TW-45")
async def test_a_frame_is_current_for_three_seconds_and_consumes_nothing_before(
    caller: PhoneCaller, system: SystemCaller, clock: StandingClock
):
    made = await system.created()
    door, session = made["doors"]["qr"], made["session"]["id"]
    clock.tick(10)
    for t in (0, 6, 12, 13, 2**32 - 1):
        assert code_of(await caller.open(frame_of(door, t=t))) == (409, "qr_frame_stale"), t
    forged = await caller.open(frame_of(door, t=10, secret=bytes(32)))
    unknown = await caller.open(frame_of(door | {"handle": "qr_" + "x" * 22}, t=10))
    # Who guesses handles learns nothing: unknown, forged and stale are one answer.
    assert code_of(forged) == code_of(unknown) == (409, "qr_frame_stale")
    assert without_instance(forged) == without_instance(unknown)
    assert (await system.read(session))["state"] == "presented"
    for t in (7, 11):
        made = await system.created()
        clock.tick(10)
        assert (await caller.open(frame_of(made["doors"]["qr"], t=t))).status_code == 200


def without_instance(response) -> dict:
    return {name: value for name, value in response.json().items() if name != "instance"}


@pytest.mark.req("HCA-47")
async def test_a_replayed_frame_opens_nothing_for_another_phone(
    world: World,
    web: WebClient,
    caller: PhoneCaller,
    system: SystemCaller,
    clock: StandingClock,
    phone: Phone,
):
    stranger = PhoneCaller(web, await world.bind("lin"), clock)
    made = await system.created()
    frame = frame_of(made["doors"]["qr"])
    first = await caller.open(frame)
    assert code_of(await stranger.open(frame)) == (409, "opened_elsewhere")
    again = await caller.open(frame)
    assert (again.status_code, again.json()) == (200, first.json())
    held = first.json()["approval"]
    theirs = {
        "decide": await stranger.decide(held, {"jws": "a.b.c", "assertion": EMPTY}),
        "refuse": await stranger.post(f"/phone/v1/approvals/{held}/refuse"),
        "report": await stranger.post(f"/phone/v1/approvals/{held}/report"),
        "release": await stranger.post(f"/phone/v1/approvals/{held}/release"),
    }
    assert code_of(theirs.pop("decide"))[0] == 400  # read before anything is looked up
    for verb, answer in theirs.items():
        unknown = await stranger.post(f"/phone/v1/approvals/apr_unknown/{verb}")
        assert code_of(answer) == (404, "approval_not_found"), verb
        assert without_instance(answer) == without_instance(unknown), verb
    opened = await phone.open_frame(frame)
    body = honest(phone, opened)
    mine = await stranger.decide(held, body)
    nobodys = await stranger.decide("apr_unknown", body)
    assert code_of(mine) == code_of(nobodys) == (404, "approval_not_found")
    assert without_instance(mine) == without_instance(nobodys)
    assert (await stranger.get("/phone/v1/approvals")).json() == {"approvals": [], "waiting": []}
    listed = (await caller.get("/phone/v1/approvals")).json()["approvals"]
    assert [each["approval"] for each in listed] == [held]


EMPTY = {
    "credential_id": "AAAA",
    "client_data_json": "AAAA",
    "authenticator_data": "AAAA",
    "signature": "AAAA",
}


async def test_a_phone_request_needs_a_fresh_proof_of_this_channel_for_this_request(
    caller: PhoneCaller, system: SystemCaller, clock: StandingClock
):
    made = await system.created()
    body = {"frame": frame_of(made["doors"]["qr"]), "lang": "en"}
    bent = {
        "another address": caller.proof("POST", "/phone/v1/approvals"),
        "another origin": caller.proof("POST", OPEN, url="http://wallet.localhost:8480" + OPEN),
        "another method": caller.proof("GET", OPEN),
        "too old": caller.proof("POST", OPEN, at=clock.wire_now() - timedelta(seconds=66)),
        "from the future": caller.proof("POST", OPEN, at=clock.wire_now() + timedelta(seconds=6)),
        "no proof": "x",
    }
    for name, proof in bent.items():
        answer = await caller.post(OPEN, body, proof=proof)
        assert code_of(answer) == (401, "dpop_proof_refused"), name
    none = await caller.post(OPEN, body, proof=None)
    assert code_of(none) == (401, "login_required")
    nobodys = caller.proof("POST", OPEN, key=generate(KeySpec.P256))
    assert code_of(await caller.post(OPEN, body, proof=nobodys)) == (403, "role_missing")
    once = caller.proof("POST", OPEN)
    assert (await caller.post(OPEN, body, proof=once)).status_code == 200
    assert code_of(await caller.post(OPEN, body, proof=once)) == (401, "proof_replayed")


async def test_orders_that_no_session_can_be_made_of(system: SystemCaller):
    text = "A" * 43
    content = {"id": "a", "name": "Contract", "digest": text}
    bent = {
        "/challenge": {"challenge": CHALLENGE[:-1] + "B"},  # unused bits set
        "/expires_in": {"expires_in": 29},
        "/kind": {"kind": "seal"},
        "/contents": {"contents": [content]},
        "/contents/0/name": {"contents": [content | {"name": "a\u202eb"}]},
        "/contents/0/digest": {"contents": [content | {"digest": text + "AA"}], "kind": "approve"},
        "/more": {"more": 1},
        "/doors/0": {"doors": ["tunnel"]},
    }
    for where, members in bent.items():
        answer = await system.create(**members)
        assert code_of(answer) == (400, "malformed"), where
        assert answer.json()["errors"][0]["pointer"] == where, answer.text
    for body, expected in ((b"{", 400), (b"", 400), (b'{"kind":"%s"}' % (b"x" * 140_000), 413)):
        answer = await system.call("POST", "/v1/sessions", body=body, idempotency_key="k" * 16)
        assert code_of(answer)[0] == expected
    plain = await system.call(
        "POST", "/v1/sessions", body=LOGIN, idempotency_key="k" * 16, content_type="text/plain"
    )
    assert code_of(plain) == (415, "media_type_refused")


@pytest.mark.req("TW-45")
async def test_a_code_lives_at_most_180_seconds(system: SystemCaller):
    assert code_of(await system.create(expires_in=181)) == (400, "malformed")
    longer = await system.created(expires_in=600, doors=[])
    path = f"/v1/sessions/{longer['session']['id']}/doors/qr"
    assert code_of(await system.call("POST", path, body={})) == (400, "malformed")
    assert (await system.created(expires_in=180))["doors"]["qr"]["generation"] == 1
