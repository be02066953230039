"""Faults: drawn from a seed, for one system alone, around the routes of relying parties and no others."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import InkanError
from inkan.kernel.ids import SystemID
from inkan.sandbox.model import Fault, FaultCode, FaultOrder
from inkan.sandbox.service import Faults
from inkan.sandbox.service.faults import draw
from sandbox.conftest import Developer, Town
from support.asgi import Reply
from support.clock import LevelClock

ORDER = {
    "kind": "identify",
    "purpose": "login",
    "challenge": "A" * 43,
    "doors": ["qr"],
}
STATUS = {FaultCode.RATE_EXCEEDED: 429, FaultCode.INTERNAL: 500, FaultCode.UNAVAILABLE: 503}
SYSTEM = SystemID("sys_aaaaaaaaaaaaaaaaaaaaaaaaaa")


async def create(developer: Developer, key: str = "k" * 16) -> Reply:
    headers = {"authorization": f"Bearer {developer.code}", "idempotency-key": key}
    return await developer.post("/v1/sessions", headers=headers, json=ORDER)


async def put(developer: Developer, **faults: Any) -> None:
    assert (await developer.call("PUT", "faults", faults)).status == 200


@pytest.mark.parametrize("code", FaultCode)
async def test_an_injected_refusal_looks_like_a_real_one(small: Town, code: FaultCode) -> None:
    await put(small.developer, error_rate=1, errors=[code], retry_after_s=7)
    reply = await create(small.developer)
    assert (reply.status, reply.json()["code"]) == (STATUS[code], code.value)
    assert reply.header("inkan-sandbox-fault") == "error"
    assert reply.header("retry-after") == (None if code is FaultCode.INTERNAL else "7")
    assert (await small.developer.call("DELETE", "faults")).status == 204
    made = await create(small.developer)
    assert made.status == 201
    assert made.header("inkan-sandbox-fault") is None


async def test_an_answer_is_cut_off_after_the_work_was_done(small: Town) -> None:
    await put(small.developer, drop_rate=1)
    cut = await create(small.developer)
    assert int(cut.header("content-length") or 0) > 0
    assert cut.body == b""
    await small.developer.call("DELETE", "faults")
    first = (await create(small.developer)).json()
    again = (await create(small.developer)).json()
    assert first["session"]["id"] == again["session"]["id"]
    assert "identification.session_created" in await small.world.events()
    assert (await small.world.events()).count("identification.session_created") == 1


async def test_a_delayed_answer_says_so(small: Town) -> None:
    await put(small.developer, latency_ms=1)
    reply = await create(small.developer)
    assert (reply.status, reply.header("inkan-sandbox-fault")) == (201, "latency")
    seen = (await small.developer.call("GET", "faults")).json()
    assert (seen["requests"], seen["injected"]) == (1, {"latency": 1})


async def test_faults_are_one_systems_and_spare_the_sandbox_itself(town: Town) -> None:
    other = await town.another()
    await put(town.developer, error_rate=1)
    assert (await create(other)).status == 201
    assert (await other.call("GET", "faults")).json()["faults"] is None
    phone = await town.developer.make("agrees")  # phones and /v1/sandbox are spared
    assert phone["state"] == "held"
    assert (await create(town.developer)).status == 503


async def test_a_request_that_proves_nobody_is_refused_as_ever(small: Town) -> None:
    await put(small.developer, error_rate=1)
    reply = await small.developer.post("/v1/sessions", json=ORDER)
    assert reply.status == 401
    assert reply.header("inkan-sandbox-fault") is None


@given(
    seed=st.integers(0, 2**31 - 1),
    error_rate=st.floats(0, 1),
    drop_rate=st.floats(0, 1),
    errors=st.lists(st.sampled_from(FaultCode), min_size=1, max_size=3),
)
def test_the_same_seed_draws_the_same_faults(
    seed: int, error_rate: float, drop_rate: float, errors: list[FaultCode]
) -> None:
    order = FaultOrder(error_rate=error_rate, drop_rate=drop_rate, errors=errors, seed=seed)

    def drawn() -> list[tuple[list[Fault], str | None]]:
        hits = [draw(order, number) for number in range(20)]
        return [(hit.kinds, hit.refusal.code if hit.refusal else None) for hit in hits]

    first = drawn()
    assert first == drawn()
    assert {code for _, code in first} <= {None, *(error.value for error in errors)}
    assert all(not (hit.refusal and hit.drop) for hit in (draw(order, n) for n in range(20)))


def test_a_rate_is_about_its_share() -> None:
    order = FaultOrder(error_rate=0.3, errors=list(FaultCode), seed=1)
    hits = [draw(order, number).refusal for number in range(3000)]
    assert 800 < sum(hit is not None for hit in hits) < 1000
    assert {hit.code for hit in hits if isinstance(hit, InkanError)} == {c.value for c in FaultCode}


def test_faults_end_by_themselves() -> None:
    clock = LevelClock()
    faults = Faults(clock)
    faults.set(SYSTEM, FaultOrder(error_rate=1, lasts_s=60))
    assert faults.draw(SYSTEM) is not None
    clock.tick(timedelta(seconds=59))
    assert faults.view(SYSTEM).ends_in_s == 1
    clock.tick(timedelta(seconds=1))
    assert faults.draw(SYSTEM) is None
    assert faults.view(SYSTEM).faults is None


BAD = [
    {"latency_ms": 10_001},
    {"latency_ms": -1},
    {"error_rate": 1.1},
    {"error_rate": "1"},
    {"drop_rate": -0.1},
    {"errors": []},
    {"errors": ["teapot"]},
    {"errors": ["internal"] * 4},
    {"retry_after_s": 0},
    {"lasts_s": 86_401},
    {"seed": -1},
    {"seed": 2**31},
    {"webhook": 1},
    {"push_lost_rate": 1.1},
    {"push_lost_rate": -0.1},
    {"push_lost_rate": "1"},
    {"webhook_delay_s": 601},
    {"webhook_delay_s": -1},
    {"webhook_delay_s": 0.5},
    [],
]


async def test_bad_faults_are_refused(small: Town) -> None:
    for body in BAD:
        assert (await small.developer.call("PUT", "faults", body)).status == 400, body
    assert (await small.developer.call("GET", "faults")).json()["faults"] is None
