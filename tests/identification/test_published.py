"""What the RP API says to everybody: errors, limits, status, and whether a receipt holds."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from identification.answers import frame_of
from identification.callers import SystemCaller, WebClient, code_of
from inkan.client import Phone
from inkan.composition.limit_settings import Limits, SystemLimit
from inkan.composition.routes import application, rates_of
from inkan.identification.service.verifying import WAITING_LIMIT
from inkan.kernel.clock import rfc3339
from inkan.wire.reasons import Reason
from support.clock import StandingClock
from support.world import World

LANGUAGES = {"en", "ja", "zh-Hant"}


def limited(world: World, **limits: Any) -> WebClient:
    """The same instance with other rates."""
    settings = msgspec.structs.replace(world.platform.settings, limits=Limits(**limits))
    platform = world.platform
    object.__setattr__(platform, "settings", settings)
    return WebClient(application(platform))


# --- errors ------------------------------------------------------------------------------------------


async def test_every_code_has_its_entry(web: WebClient) -> None:
    listed = (await web.get("/v1/errors")).json()
    assert set(listed["reasons"]) == set(map(str, Reason))
    assert len(listed["problems"]) > 100
    for code in {*listed["problems"], *listed["reasons"]}:
        answer = await web.get(f"/v1/errors/{code}")
        assert answer.status_code == 200, code
        found = answer.json()
        assert found["code"] == code
        assert (found["problem"] is not None) == (code in listed["problems"])
        assert (found["reason"] is not None) == (code in listed["reasons"])
        for entry in filter(None, (found["problem"], found["reason"])):
            assert set(entry["text"]) == LANGUAGES
            assert all(entry["text"].values())
            assert entry["owner"]
            assert entry["retry"]
    assert (await web.get("/v1/errors/session_not_found")).json()["problem"]["status"] == 404


@pytest.mark.parametrize(
    "code", ["nosuchcode", "x" * 5000, "A", "session_not_found%00", "..%2f", "1"]
)
async def test_an_unknown_code_is_not_found(web: WebClient, code: str) -> None:
    answer = await web.get(f"/v1/errors/{code}")
    assert answer.status_code == 404


async def test_every_problem_names_its_entry(web: WebClient, system: SystemCaller) -> None:
    problems = [
        await web.get("/v1/sessions/x"),
        await web.get("/v1/nothing"),
        await web.get("/v1/errors/nosuchcode"),
        await system.call("GET", "/v1/sessions/x"),
        await system.create(expires_in=1),
    ]
    for answer in problems:
        said = answer.json()
        assert said["help"].endswith(f"/v1/errors/{said['code']}")
        entry = (await web.get(said["help"])).json()
        assert entry["problem"]["status"] == answer.status_code
        assert entry["problem"]["text"]["en"] == said["text"]


# --- limits ------------------------------------------------------------------------------------------


async def test_limits_are_those_of_the_instance(world: World, system: SystemCaller) -> None:
    web = limited(world, sessions_per_minute=7, systems=(SystemLimit(code="bank", times=3),))
    system.web = web
    open_rates = {row["name"]: row for row in (await web.get("/v1/limits")).json()["rates"]}
    own = {row["name"]: row for row in (await system.call("GET", "/v1/limits")).json()["rates"]}
    assert open_rates["sessions"] == {
        "name": "sessions", "requests": 7, "window_s": 60, "counted_by": "system"
    }  # fmt: skip
    assert own["sessions"]["requests"] == 21
    assert own["published"] == open_rates["published"]
    said = (await web.get("/v1/limits")).json()
    assert said["sizes"]["webhook_answer"] == 65_536
    assert said["seconds"]["door_qr"] == 180
    assert said["counts"]["contents_per_session"] == 100
    forged = await web.get("/v1/limits", headers={"authorization": "DPoP x", "dpop": "y"})
    assert code_of(forged)[0] == 401


async def test_a_system_that_asks_too_often_waits(
    world: World, web: WebClient, system: SystemCaller, clock: StandingClock
) -> None:
    other = await SystemCaller.registered(world, web, clock, "other-bank")
    system.web = other.web = limited(
        world, sessions_per_minute=3, systems=(SystemLimit(code="other-bank", times=2),)
    )
    for left in (2, 1, 0):
        made = await system.create()
        assert made.status_code == 201
        assert made.headers["ratelimit-policy"] == '"sessions";q=3;w=60'
        assert made.headers["ratelimit"].startswith(f'"sessions";r={left};t=')
    refused = await system.create()
    assert code_of(refused) == (429, "rate_exceeded")
    assert 1 <= int(refused.headers["retry-after"]) <= 20
    assert refused.headers["ratelimit"].startswith('"sessions";r=0;t=')
    assert refused.headers["ratelimit-policy"] == '"sessions";q=3;w=60'
    # Rates are rows by route and by system: reading goes on, and others have their own.
    session = made.json()["session"]["id"]
    assert (await system.call("GET", f"/v1/sessions/{session}")).status_code == 200
    assert [(await other.create()).status_code for _ in range(7)] == [201] * 6 + [429]


async def test_whoever_proves_nothing_is_not_counted_against_a_system(
    world: World, system: SystemCaller
) -> None:
    system.web = limited(world, sessions_per_minute=1)
    for _ in range(5):
        assert (await system.web.post("/v1/sessions", content=b"{}")).status_code == 401
    assert (await system.create()).status_code == 201


def test_the_settings_fill_every_rate() -> None:
    rates = rates_of(Limits(1, 2, 3, 4, (SystemLimit("bank", 5),)))
    rows = [*rates.by_system, *rates.by_sender]
    assert [row.requests for row in rows] == [1, 2, 3, 4]
    assert len({row.name for row in rows}) == 4
    assert rates.times == {"bank": 5}


# --- status ------------------------------------------------------------------------------------------


async def status_of(web: WebClient) -> dict[str, Any]:
    answer = await web.get("/v1/status")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=5"
    found: dict[str, Any] = answer.json()
    return found


async def test_the_status_counts_what_became_of_sessions(
    world: World, web: WebClient, system: SystemCaller, phone: Phone, clock: StandingClock
) -> None:
    for answer in (phone.approve, phone.refuse):
        made = await system.created()
        await phone.open_frame(frame_of(made["doors"]["qr"]))
        await answer()
    cancelled = await system.created()
    await system.call("POST", f"/v1/sessions/{cancelled['session']['id']}/cancel")
    await system.created()
    clock.tick(timedelta(seconds=181))
    await world.platform.identification.expire()
    said = await status_of(web)
    assert (said["scope"], said["at"]) == ("process", rfc3339(clock.now()))
    assert [window["minutes"] for window in said["windows"]] == [5, 60]
    for window in said["windows"]:
        found = {door["door"]: door for door in window["doors"]}
        assert (found["qr"]["ok"], found["qr"]["user"], found["qr"]["failed"]) == (1, 1, 0)
        assert found["qr"]["failure_rate"] == 0
        assert (found["none"]["user"], found["none"]["cancelled"]) == (1, 1)
        assert window["created"] == 4
        assert window["create"]["p50_ms"] > 0
        assert window["release"] == {"p50_ms": 0.0, "p95_ms": 0.0}


async def test_the_status_is_made_once_in_five_seconds(
    web: WebClient, system: SystemCaller
) -> None:
    before = await status_of(web)
    await system.created()
    assert await status_of(web) == before


async def test_the_status_names_nobody(web: WebClient, system: SystemCaller, phone: Phone) -> None:
    made = await system.created()
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    view = await system.read(made["session"]["id"])
    text = (await web.get("/v1/status")).text
    for secret in (made["session"]["id"], view["subject"]["person_ref"], "bank", "Tax Office"):
        assert secret not in text


# --- receipts ----------------------------------------------------------------------------------------


async def receipt_of(
    system: SystemCaller, phone: Phone, purpose: str = "file_return"
) -> tuple[str, dict[str, Any] | None]:
    made = await system.created(purpose=purpose)
    await phone.open_frame(frame_of(made["doors"]["qr"]))
    await phone.approve()
    path = f"/v1/sessions/{made['session']['id']}"
    receipt = (await system.call("GET", f"{path}/receipt")).text
    evidence = await system.call("GET", f"{path}/evidence")
    return receipt, evidence.json() if evidence.status_code == 200 else None


async def verified(web: WebClient, **body: Any) -> dict[str, Any]:
    answer = await web.post("/v1/receipts/verify", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_anybody_may_have_a_receipt_checked(
    world: World, web: WebClient, system: SystemCaller, phone: Phone, clock: StandingClock
) -> None:
    receipt, evidence = await receipt_of(system, phone)
    alone = await verified(web, receipt=receipt)
    assert alone["verdict"] == "valid"
    assert alone["receipt"]["outcome"] == "ok"
    assert [check["number"] for check in alone["checks"]] == [1, 2, 3, 4]
    assert {"approval", "signer_status"} <= {word["code"] for word in alone["rests_on_platform"]}
    whole = await verified(web, receipt=receipt, evidence=evidence)
    assert whole["verdict"] in {"valid", "indeterminate"}, whole["summary"]
    assert "failed" not in {check["result"] for check in whole["checks"]}
    assert "approval" not in {word["code"] for word in whole["rests_on_platform"]}
    early = rfc3339(clock.now() - timedelta(days=1))
    assert (await verified(web, receipt=receipt, at=early))["verdict"] == "invalid"


async def test_a_receipt_that_was_changed_does_not_hold(
    web: WebClient, system: SystemCaller, phone: Phone
) -> None:
    receipt, evidence = await receipt_of(system, phone)
    other, _ = await receipt_of(system, phone)
    head, _, signature = receipt.split(".")
    forged = ".".join((head, other.split(".")[1], signature))
    assert (await verified(web, receipt=forged))["verdict"] == "invalid"
    assert (await verified(web, receipt=other, evidence=evidence))["verdict"] == "invalid"
    for text in ("x", "a.b.c", receipt + "=", "é" * 10, "." * 1000):
        assert (await verified(web, receipt=text))["verdict"] == "invalid"
    for bundle in ({}, {"v": 1}, {"receipt": receipt}, evidence | {"zzz": 1}):
        assert (await verified(web, receipt=receipt, evidence=bundle))["verdict"] == "invalid"


async def test_what_is_no_question_is_refused(web: WebClient) -> None:
    bent: list[tuple[Any, int]] = [
        ({}, 400), ({"receipt": ""}, 400), ({"receipt": 1}, 400), ({"receipt": "x", "more": 1}, 400),
        ({"receipt": "x", "evidence": "x"}, 400), ({"receipt": "x", "evidence": []}, 400),
        ({"receipt": "x", "at": "yesterday"}, 400), ({"receipt": "x", "at": "2026-02-30T00:00:00Z"}, 400),
        ({"receipt": "x", "at": "２０２６-02-01T00:00:00Z"}, 400), ({"receipt": "x" * 600_000}, 413),
        ({"receipt": "x", "evidence": {"a": "x" * 600_000}}, 413),
    ]  # fmt: skip
    for body, status in bent:
        answer = await web.post("/v1/receipts/verify", json=body)
        assert code_of(answer)[0] == status, str(body)[:80]


async def test_many_that_show_receipts_wait_and_then_hear_it(world: World, web: WebClient) -> None:
    desk = world.platform.identification.desk
    desk._waiting = WAITING_LIMIT
    answer = await web.post("/v1/receipts/verify", json={"receipt": "x"})
    assert code_of(answer) == (429, "workers_busy")
    assert answer.headers["retry-after"] == "1"
    desk._waiting = 0
    assert (await verified(web, receipt="x"))["verdict"] == "invalid"
    assert desk._waiting == 0


async def test_verifying_has_a_rate_of_its_own(world: World) -> None:
    web = limited(world, verifications_per_minute=2)
    statuses = [
        (await web.post("/v1/receipts/verify", json={"receipt": "x"})).status_code for _ in range(4)
    ]
    assert statuses == [200, 200, 429, 429]
    assert (await web.get("/v1/errors")).status_code == 200
