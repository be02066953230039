"""Faults at the outbox: a push that gets lost, a webhook that comes late; for one system alone."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.composition import sandboxes
from inkan.identification import WEBHOOK_JOB
from inkan.identification.service.webhooks import announce
from inkan.kernel.ids import SystemID
from inkan.sandbox.model import FaultOrder
from inkan.sandbox.service import Faults
from inkan.sandbox.service.faults import LATE_WEBHOOK, LOST_PUSH
from inkan.store.database import Step
from inkan.store.outbox import Handler, Job, Outbox, enqueue
from inkan.web.fetch import Answer
from inkan.wire.binding import Door
from sandbox.conftest import Town
from support.clock import LevelClock, StandingClock

SYSTEM = SystemID("sys_aaaaaaaaaaaaaaaaaaaaaaaaaa")


async def put(town: Town, **faults: Any) -> None:
    assert (await town.developer.call("PUT", "faults", faults)).status == 200


async def view(town: Town) -> dict[str, Any]:
    seen: dict[str, Any] = (await town.developer.call("GET", "faults")).json()
    return seen


# --- pushes ------------------------------------------------------------------------------------------


async def test_a_lost_push_reaches_nobody_until_it_is_sent_again(town: Town) -> None:
    phone = await town.developer.make("agrees")
    await put(town, push_lost_rate=1)
    session = await town.push("agrees")
    await session.refresh()
    assert session.view.state == "presented"
    assert (await town.developer.call("GET", f"phones/{phone['id']}")).json()["last"] is None
    by_hand = await town.developer.act(phone, "code")
    assert by_hand["declined"]["code"] == "sandbox_nothing_waits"
    seen = await view(town)
    assert (seen["pushes"], seen["requests"]) == (1, 2)
    assert seen["injected"] == {"push_lost": 1}
    await town.developer.call("DELETE", "faults")
    await session.make_door(Door.PUSH)
    await town.world.instance.catch_up()
    assert (await town.end_of(session)).is_ok


async def test_the_pushes_of_another_system_arrive(small: Town) -> None:
    other = await small.with_another()
    await other.developer.make("agrees")
    await put(small, push_lost_rate=1)
    assert (await other.end_of(await other.push("agrees"))).is_ok
    assert (await view(small))["pushes"] == 0


@given(seed=st.integers(0, 2**31 - 1), rate=st.floats(0, 1))
def test_the_same_seed_loses_the_same_pushes(seed: int, rate: float) -> None:
    def lost() -> list[bool]:
        faults = Faults(LevelClock())
        faults.set(SYSTEM, FaultOrder(push_lost_rate=rate, seed=seed))
        tries = range(20)
        return [faults.draw_job(SYSTEM, LOST_PUSH, age_s=0, tried=1).is_lost for _ in tries]

    assert lost() == lost()
    assert rate not in {0, 1} or set(lost()) == {rate == 1}


def test_a_job_that_is_tried_again_is_counted_once() -> None:
    faults = Faults(LevelClock())
    faults.set(SYSTEM, FaultOrder(webhook_delay_s=60))
    waits = [
        faults.draw_job(SYSTEM, LATE_WEBHOOK, age_s=age, tried=n) for n, age in ((1, 0), (2, 30))
    ]
    assert [hit.wait_s for hit in waits] == [60, 30]
    assert faults.view(SYSTEM).injected == {"webhook_delay": 1}


# --- webhooks ----------------------------------------------------------------------------------------


async def told(town: Town, session: str) -> tuple[Outbox, list[Job]]:
    """An outbox with one webhook to deliver, and what it delivered."""
    delivered: list[Job] = []

    async def deliver(job: Job) -> None:
        delivered.append(job)

    def leave() -> Step[None]:
        yield from enqueue(WEBHOOK_JOB, f'{{"session":"{session}","url":"x"}}'.encode())

    table = sandboxes.handlers(town.sandbox, {WEBHOOK_JOB: Handler(deliver, tries=2)})
    await town.world.platform.db.transact(leave)
    return Outbox(town.world.platform.db, table), delivered


async def test_a_webhook_comes_as_late_as_was_asked(town: Town, clock: StandingClock) -> None:
    session = await town.ask()
    await put(town, webhook_delay_s=60)
    outbox, delivered = await told(town, session.id)
    assert (await outbox.run_due(), delivered) == (1, [])
    clock.tick(59)
    assert (await outbox.run_due(), delivered) == (0, [])
    clock.tick(1)
    assert await outbox.run_due() == 1
    assert len(delivered) == 1
    assert (await view(town))["injected"] == {"webhook_delay": 1}


async def test_a_leap_of_the_clock_brings_it_too(
    small: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the instance's own outbox and sender; only the other side is played."""
    heard: list[str] = []

    class Receiver:
        async def request(self, _: str, url: str, **__: Any) -> Answer:
            heard.append(url)
            return Answer(204, {}, b"")

    monkeypatch.setattr(small.world.platform.webhooks, "_post", Receiver())
    session = await small.ask()
    await put(small, webhook_delay_s=600)
    url = "https://hook.example.com/x"
    await small.world.platform.db.transact(announce, session.id, "opened", url)
    await small.world.instance.catch_up()
    assert heard == []
    await small.developer.call("POST", "clock", {"advance_s": 600})
    await small.world.instance.catch_up()
    assert heard == [url]


async def test_without_a_fault_or_a_session_it_comes_at_once(small: Town) -> None:
    session = await small.ask()
    for name in (session.id, "ses_forgotten"):
        outbox, delivered = await told(small, name)
        await outbox.run_due()
        assert len(delivered) == 1
        await put(small, webhook_delay_s=60)


async def test_another_job_is_left_alone(small: Town) -> None:
    async def deliver(_: Job) -> None:
        raise NotImplementedError

    row = Handler(deliver, concurrency=7, timeout=timedelta(seconds=3))
    table = sandboxes.handlers(small.sandbox, {"other": row, WEBHOOK_JOB: row})
    assert table["other"] is row
    assert (table[WEBHOOK_JOB].concurrency, table[WEBHOOK_JOB].timeout) == (7, row.timeout)


def test_elsewhere_the_table_stays_as_it_is() -> None:
    table: dict[str, Handler] = {}
    assert sandboxes.handlers(None, table) is table
