"""Waking phones: one live subscription each, an opaque handle, retries until the time is over (threats 2, 13, 28)."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from inkan.audit import Actor, ActorKind, Audit
from inkan.notices import (
    EVENT_PAIRS,
    CarrierName,
    Notices,
    PushSubscriptionBusy,
    PushUnavailable,
)
from inkan.notices.model import EndReason
from inkan.notices.service.subscribing import PUSH_JOB, PushJob
from inkan.store.outbox import Job
from notices.pushing import HANDLE, OTHER, PHONE, Rig, rows, subscribed
from support.clock import StandingClock
from support.push_service import PushService

STAFF = Actor(ActorKind.STAFF, "acc_clerk")
EMPTY_LENGTH = 16 + 4 + 1 + 65 + 128 + 16


# --- what is delivered --------------------------------------------------------------------------------


async def test_a_phone_is_told_the_handle_and_nothing_else(rig: Rig, service: PushService) -> None:
    browser = await subscribed(rig, service)
    assert await rig.wake(PHONE, "phn_unknown") == 1
    await rig.run()
    assert (service.complaints, service.tries) == ([], [201])
    (message,) = service.kept
    assert service.handles(browser) == [HANDLE]
    assert message.headers["ttl"] == "180"
    assert message.headers["urgency"] == "high"
    assert set(message.headers) == {
        "host", "ttl", "urgency", "topic", "content-encoding", "content-type", "authorization",
        "accept-encoding", "user-agent", "content-length",
    }  # fmt: skip


async def test_every_message_has_one_length(rig: Rig, service: PushService) -> None:
    await subscribed(rig, service)
    for length in (16, 40, 64):
        await rig.wake(handle="x" * length)
    await rig.run()
    assert {len(each.body) for each in service.kept} == {EMPTY_LENGTH}
    assert len(service.kept) == 3


async def test_a_resent_wake_up_replaces_the_first_and_tells_nothing(
    rig: Rig, service: PushService
) -> None:
    first = await subscribed(rig, service)
    second = await subscribed(rig, service, OTHER, 31)
    for _ in range(2):
        await rig.wake(PHONE, OTHER)
        await rig.run()
    topics = {each.headers["topic"] for each in service.kept}
    assert len(topics) == len(service.kept) == 2, "phones of one person share no topic"
    assert not any(HANDLE[:8] in topic for topic in topics)
    assert service.handles(first) == service.handles(second) == [HANDLE]
    assert service.tries == [201] * 4


async def test_a_token_is_signed_once_for_half_a_day(
    rig: Rig, service: PushService, clock: StandingClock
) -> None:
    await subscribed(rig, service)
    for hours in (0, 10, 2, 23):
        clock.tick(timedelta(hours=hours))
        await rig.wake(handle=f"{hours:016}")
        await rig.run()
    assert service.complaints == []
    assert [service.tokens.index(each) for each in service.tokens] == [0, 0, 2, 3]


async def test_tokens_are_dated_by_true_time(
    rig: Rig, service: PushService, clock: StandingClock
) -> None:
    await subscribed(rig, service)
    clock.advance(timedelta(days=100))
    await rig.wake()
    await rig.run()
    assert (service.complaints, service.tries) == ([], [201])


# --- one live subscription for each phone -------------------------------------------------------------


async def test_a_new_subscription_replaces_the_one_before(rig: Rig, service: PushService) -> None:
    old = await subscribed(rig, service)
    new = await subscribed(rig, service, number=31)
    await rig.wake()
    await rig.run()
    assert (service.handles(old), service.handles(new)) == ([], [HANDLE])
    (ended,) = [row for row in await rows(rig.database) if row.ended_at is not None]
    assert (ended.end_reason, ended.endpoint, ended.keys) == (EndReason.REPLACED, None, None)


async def test_the_same_subscription_again_changes_nothing(rig: Rig, service: PushService) -> None:
    browser = await subscribed(rig, service)
    await rig.notices.subscribe(PHONE, CarrierName.WEBPUSH, browser.address)
    assert len(await rows(rig.database)) == 1
    await rig.notices.subscribe(PHONE, CarrierName.UNIFIEDPUSH, browser.address)
    assert len(await rows(rig.database)) == 2


async def test_a_job_of_a_replaced_subscription_does_nothing(
    rig: Rig, service: PushService
) -> None:
    old = await subscribed(rig, service)
    await rig.wake()
    await subscribed(rig, service, number=31)
    assert await rig.run() == 1
    assert service.tries == []
    assert service.handles(old) == []


async def test_rivals_leave_one_live_subscription(rig: Rig, service: PushService) -> None:
    browsers = [service.subscribe(rig.notices.push_key, number=30 + n) for n in range(6)]
    results = await asyncio.gather(
        *(rig.notices.subscribe(PHONE, CarrierName.WEBPUSH, each.address) for each in browsers),
        return_exceptions=True,
    )
    failures = [each for each in results if each is not None]
    assert all(isinstance(each, PushSubscriptionBusy) for each in failures)
    assert len([row for row in await rows(rig.database) if row.ended_at is None]) == 1


async def test_a_phone_unsubscribes(rig: Rig, service: PushService) -> None:
    await subscribed(rig, service)
    assert await rig.notices.unsubscribe(PHONE) is True
    assert await rig.notices.unsubscribe(PHONE) is False
    assert (await rig.row()).end_reason is EndReason.UNSUBSCRIBED
    assert await rig.wake() == 0


async def test_a_phone_that_ended_is_not_woken(rig: Rig, service: PushService) -> None:
    await subscribed(rig, service)
    await rig.wake()
    end = rig.notices.end_subscriptions
    assert await rig.database.transact(end, PHONE, actor=STAFF) is True
    assert await rig.database.transact(end, PHONE, actor=STAFF) is False
    await rig.run()
    assert service.tries == []
    assert (await rig.row()).end_reason is EndReason.PHONE_ENDED


async def test_every_change_stands_in_the_audit_log(
    rig: Rig, service: PushService, audit: Audit
) -> None:
    await subscribed(rig, service)
    await subscribed(rig, service, number=31)
    await rig.notices.unsubscribe(PHONE)
    await audit.sequence_once()
    report = await audit.verify([("notices", query) for query in EVENT_PAIRS])
    assert report.is_intact, report
    assert [row.use_case for row in await rows(rig.database, "audit_event")].count(
        "notices.push_subscribed"
    ) == 2


async def test_what_ended_is_forgotten_after_a_month(
    rig: Rig, service: PushService, clock: StandingClock
) -> None:
    await subscribed(rig, service)
    await subscribed(rig, service, number=31)
    clock.advance(timedelta(days=31))
    await rig.notices.purge()
    (kept,) = await rows(rig.database)
    assert kept.ended_at is None
    await rig.database.transact(rig.notices.forget, PHONE)
    assert await rows(rig.database) == []


# --- other carriers -----------------------------------------------------------------------------------


async def test_polling_is_always_offered_and_sends_nothing(
    notices: Notices, rig: Rig, service: PushService
) -> None:
    for each in (notices, rig.notices):
        await each.subscribe(PHONE, CarrierName.POLL_ONLY)
    assert await rig.wake() == 1
    await rig.run()
    assert service.tries == []


async def test_a_carrier_that_is_not_there_is_named(notices: Notices, service: PushService) -> None:
    browser = service.subscribe("any")
    with pytest.raises(PushUnavailable):
        await notices.subscribe(PHONE, CarrierName.WEBPUSH, browser.address)
    with pytest.raises(PushUnavailable):
        _ = notices.push_key


async def test_a_carrier_that_was_taken_away_ends_nothing(
    rig: Rig, notices: Notices, service: PushService
) -> None:
    await subscribed(rig, service)
    row = await rig.row()
    job = PushJob(row.id, HANDLE, rig.clock.now() + timedelta(minutes=1))
    await notices.handlers[PUSH_JOB].deliver(
        Job("job", PUSH_JOB, None, msgspec.json.encode(job), 1, rig.clock.now())
    )
    assert service.tries == []
    assert (await rig.row()).ended_at is None


@pytest.mark.parametrize(
    "bent", [{"handle": "short"}, {"handle": "a b" * 8}, {"ttl_s": 0}, {"ttl_s": 86_401}]
)
async def test_a_wake_up_that_is_none_is_a_mistake_of_the_program(rig: Rig, bent) -> None:
    with pytest.raises(ValueError, match="opaque handle"):
        await rig.wake(**bent)
