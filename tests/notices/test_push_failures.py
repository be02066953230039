"""Wake-ups that fail: tried again until their time is over, delivered once, and given up in silence."""

import pytest

from inkan.audit import Actor, ActorKind
from inkan.notices.model import EndReason
from notices.pushing import HANDLE, Rig, rows, subscribed
from support.clock import StandingClock
from support.push_service import PushService, Rude

STAFF = Actor(ActorKind.STAFF, "acc_clerk")
EMPTY_LENGTH = 16 + 4 + 1 + 65 + 128 + 16


# --- what fails ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "known"), [(410, True), (404, False)])
async def test_a_subscription_that_the_service_does_not_know_ends(
    rig: Rig, service: PushService, status: int, known: bool
) -> None:
    browser = await subscribed(rig, service)
    del service.bound_to[browser.path]
    if known:
        service.gone.add(browser.path)
    await rig.wake()
    assert await rig.run() == 1
    row = await rig.row()
    assert (row.end_reason, row.endpoint, row.keys) == (EndReason.GONE, None, None)
    assert service.tries == [status]
    assert await rig.wake() == 0


@pytest.mark.parametrize("rude", [Rude(500), Rude(503), Rude(0), Rude(429), Rude(408)])
async def test_a_passing_failure_is_tried_again_and_delivered_once(
    rig: Rig, service: PushService, clock: StandingClock, rude: Rude
) -> None:
    browser = await subscribed(rig, service)
    service.rude = [rude]
    await rig.wake()
    assert await rig.run() == 1
    assert service.handles(browser) == []
    clock.tick(1)
    assert await rig.run() == 1
    clock.tick(60)
    assert await rig.run() == 0
    assert service.handles(browser) == [HANDLE]
    assert service.tries == [rude.status, 201]


@pytest.mark.parametrize("status", [413, 429, 503])
async def test_a_service_that_asks_to_wait_is_left_alone(
    rig: Rig, service: PushService, clock: StandingClock, status: int
) -> None:
    browser = await subscribed(rig, service)
    service.rude = [Rude(status, {"retry-after": "45"})]
    await rig.wake()
    await rig.run()
    clock.tick(44)
    assert await rig.run() == 0
    clock.tick(1)
    assert await rig.run() == 1
    (message,) = service.kept
    assert message.headers["ttl"] == "135", "the time that is left"
    assert service.handles(browser) == [HANDLE]


async def test_nothing_is_sent_after_its_time(
    rig: Rig, service: PushService, clock: StandingClock
) -> None:
    await subscribed(rig, service)
    service.rude = [Rude(500)] * 20
    await rig.wake(ttl_s=20)
    for second in range(45):
        before = len(service.tries)
        await rig.run()
        assert second < 20 or len(service.tries) == before
        clock.tick(1)
    assert 3 <= len(service.tries) <= 8
    assert await rig.run() == 0, "given up, not dead and not waiting"
    assert await rows(rig.database, "store_outbox") == []
    assert await rows(rig.database, "store_dead") == []
    assert (await rig.row()).ended_at is None


async def test_a_worker_that_comes_too_late_sends_nothing(
    rig: Rig, service: PushService, clock: StandingClock
) -> None:
    await subscribed(rig, service)
    await rig.wake(ttl_s=20)
    clock.tick(20)
    assert await rig.run() == 1
    assert service.tries == []


async def test_a_wait_longer_than_the_message_lives_gives_it_up(
    rig: Rig, service: PushService
) -> None:
    await subscribed(rig, service)
    service.rude = [Rude(429, {"retry-after": "3600"})]
    await rig.wake(ttl_s=60)
    assert await rig.run() == 1
    assert await rows(rig.database, "store_outbox") == []
    assert (await rig.row()).ended_at is None


@pytest.mark.parametrize("status", [301, 307, 308, 400, 401, 403, 413])
async def test_a_refusal_is_final_for_the_message_alone(
    rig: Rig, service: PushService, status: int
) -> None:
    browser = await subscribed(rig, service)
    service.rude = [Rude(status, {"location": f"{service.origin}{browser.path}"})]
    await rig.wake()
    assert await rig.run() == 1
    assert service.tries == [status], "no redirect is followed and nothing is tried again"
    assert (await rig.row()).ended_at is None
    assert await rows(rig.database, "store_outbox") == []


async def test_a_subscription_of_another_application_server_is_not_ours(
    rig: Rig, service: PushService
) -> None:
    browser = await subscribed(rig, service)
    service.bound_to[browser.path] = "another"
    await rig.wake()
    await rig.run()
    assert service.tries == [403]
