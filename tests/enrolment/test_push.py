"""A bound phone is woken over HTTP from end to end, and no more once it is revoked (design §5.2 step 9)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enrolment.hands import RawPhone, refusal, rows
from inkan.client import Phone
from inkan.crypto import base64url
from inkan.enrolment import store as enrolment_store
from inkan.enrolment.service import phones
from inkan.notices import store as notices_store
from inkan.notices.model import EndReason
from inkan.pki import RevocationReason
from inkan.store.database import Database, Step
from inkan.wire.enrolment_request import RevokeCause
from support.clock import StandingClock
from support.push_service import PushService, Rude
from support.world import CLERK, World, world_on

HANDLE = "w" * 30


@pytest.fixture
async def service(clock: StandingClock) -> AsyncIterator[PushService]:
    async with PushService(clock).running() as running:
        yield running


@pytest.fixture
async def world(
    database: Database, clock: StandingClock, tmp_path: Path, service: PushService
) -> AsyncIterator[World]:
    fetch = service.fetcher()
    async with world_on(database, clock, tmp_path, push_fetch=fetch) as made:
        yield made
    await fetch.aclose()


async def subscribe(phone: Phone, service: PushService) -> str:
    """Subscribe as the reference phone does; return the path of the endpoint."""
    browser = service.subscribe(base64url.encode(await phone.push_key()))
    await phone.subscribe(browser.endpoint)
    return browser.path


async def wake(world: World, *ids: str) -> int:
    """Wake phones and deliver."""
    platform = world.platform
    made: int = await platform.db.transact(
        platform.notices.wake, phones=ids, handle=HANDLE, ttl_s=60
    )
    await world.instance.outbox.run_due()
    return made


async def subscriptions(world: World) -> list[Any]:
    return await rows(world, notices_store.subscription)


async def test_a_bound_phone_is_woken(world: World, service: PushService) -> None:
    phone = await world.bind("chen")
    await subscribe(phone, service)
    assert phone.binding is not None
    assert await wake(world, phone.binding.phone) == 1
    (message,) = service.kept
    assert phone.read_push(message.body) == HANDLE
    assert service.complaints == []
    await phone.unsubscribe()
    assert await wake(world, phone.binding.phone) == 0
    await world.events()


async def test_revoking_a_phone_ends_its_subscription(world: World, service: PushService) -> None:
    phone = await world.bind("chen")
    await subscribe(phone, service)
    assert phone.binding is not None
    await phone.revoke(phone.binding.phone, RevokeCause.LOST)
    (row,) = await subscriptions(world)
    assert (row.end_reason, row.endpoint, row.keys) == (EndReason.PHONE_ENDED, None, None)
    assert await wake(world, phone.binding.phone) == 0
    assert service.tries == []
    assert "notices.push_ended" in await world.events()
    assert await refusal(phone.subscribe("https://push.example.com/x")) == "channel_proof_refused"


async def test_subscription_and_phone_end_in_one_transaction(
    world: World, service: PushService
) -> None:
    phone = await world.bind("chen")
    await subscribe(phone, service)
    parts = world.platform.enrolment._parts

    class Crashed(Exception):
        pass

    def revoke(*, crash: bool) -> Step[None]:
        row = yield enrolment_store.PHONE_BY_ID.one(key=phone.binding.phone)
        held = phones.read_phone(row)
        assert held is not None
        yield from phones.revoke(parts, held, reason=RevocationReason.KEY_COMPROMISE, actor=CLERK)
        if crash:
            raise Crashed

    with pytest.raises(Crashed):
        await world.platform.db.transact(revoke, crash=True)
    (row,) = await subscriptions(world)
    (held,) = await rows(world, enrolment_store.phone)
    assert (row.ended_at, held.state) == (None, "active")
    await world.platform.db.transact(revoke, crash=False)
    (row,) = await subscriptions(world)
    (held,) = await rows(world, enrolment_store.phone)
    assert (row.end_reason, held.state) == (EndReason.PHONE_ENDED, "revoked")


async def test_a_phone_that_is_revoked_while_it_subscribes_keeps_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request was authenticated before the revocation, and stores after it (threat 12)."""
    phone = await world.bind("chen")
    assert phone.binding is not None
    platform, binding = world.platform, phone.binding
    subscribe_late = platform.notices.subscribe

    async def revoked_before(*given: Any, **more: Any) -> None:
        (held,) = map(phones.read_phone, await rows(world, enrolment_store.phone))
        reason = RevocationReason.KEY_COMPROMISE
        parts = platform.enrolment._parts
        await platform.db.transact(phones.revoke, parts, held, reason=reason, actor=CLERK)
        await subscribe_late(*given, **more)

    monkeypatch.setattr(platform.notices, "subscribe", revoked_before)
    body = {"carrier": "poll_only"}
    assert await refusal(phone._parts.api.put("/phone/v1/push", body)) == "push_subscription_busy"
    assert await subscriptions(world) == []
    assert await wake(world, binding.phone) == 0


async def test_a_phone_without_a_subscription_is_revoked_all_the_same(world: World) -> None:
    phone = await world.bind("chen")
    assert phone.binding is not None
    await phone.revoke(phone.binding.phone)
    assert await subscriptions(world) == []
    await world.events()


async def test_a_channel_key_that_is_bound_to_nobody_subscribes_nothing(world: World) -> None:
    phone = RawPhone(world)
    body = {"carrier": "poll_only"}
    assert await refusal(phone.api.put("/phone/v1/push", body)) == "role_missing"
    assert await subscriptions(world) == []


async def test_what_no_message_reaches_is_tried_until_its_time_is_over(
    world: World, service: PushService, clock: StandingClock
) -> None:
    phone = await world.bind("chen")
    await subscribe(phone, service)
    assert phone.binding is not None
    service.rude = [Rude(503)] * 3
    await wake(world, phone.binding.phone)
    for _ in range(20):
        clock.tick(1)
        await world.instance.outbox.run_due()
    assert service.tries == [503, 503, 503, 201]
    (message,) = service.kept
    assert phone.read_push(message.body) == HANDLE


async def test_a_suspended_phone_is_woken_no_more(world: World, service: PushService) -> None:
    phone = await world.bind("chen")
    await subscribe(phone, service)
    assert phone.binding is not None
    (held,) = map(phones.read_phone, await rows(world, enrolment_store.phone))
    assert held is not None
    parts = world.platform.enrolment._parts
    await world.platform.db.transact(phones.suspend, parts, held, actor=CLERK, cause="lost")
    (row,) = await subscriptions(world)
    assert (row.end_reason, row.endpoint, row.keys) == (EndReason.PHONE_ENDED, None, None)
    assert await wake(world, phone.binding.phone) == 0
    assert service.tries == []
    await world.events()


async def test_the_phone_freezes_every_phone_after_its_person_was_recognised(
    world: World, service: PushService
) -> None:
    phone = await world.bind("chen")
    await world.leap(timedelta(hours=25))
    other = await world.bind("chen")
    bystander = await world.bind("lin")
    await subscribe(other, service)
    await world.leap(timedelta(minutes=11))
    assert await refusal(phone._parts.api.post("/phone/v1/freeze", {}, dict)) == (
        "verification_stale"
    )
    assert await phone.freeze() == 2
    (row,) = await subscriptions(world)
    assert row.end_reason == EndReason.PHONE_ENDED
    for each in (phone, other):
        assert await refusal(each.waiting()) == "channel_proof_refused"
        assert await refusal(each.freeze()) == "channel_proof_refused"
    assert await bystander.waiting() == []
    states = sorted(row.state for row in await rows(world, enrolment_store.phone))
    assert states == ["active", "suspended", "suspended"]
    await world.events()


async def test_a_channel_key_that_is_bound_to_nobody_freezes_nothing(world: World) -> None:
    assert await refusal(RawPhone(world).api.post("/phone/v1/freeze", {}, dict)) == "role_missing"
