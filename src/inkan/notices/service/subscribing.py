"""Push subscriptions: one live one for each phone, and the jobs that wake phones.

Endpoint and keys rest sealed and go away when the subscription ends; an ended row says only that there was one, and
why it ended.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.kernel.ids import new_id
from inkan.notices import store
from inkan.notices.model import (
    CarrierName,
    CarrierState,
    EndReason,
    PushAddress,
    PushSubscriptionBusy,
    PushUnavailable,
)
from inkan.notices.ports import Carrier
from inkan.notices.rules import WAKE_LIMIT_S
from inkan.notices.service.parts import Parts
from inkan.store.database import MOMENT, Step
from inkan.store.outbox import enqueue
from inkan.wire.wake_up import is_handle

PUSH_JOB: Final = "notices.push"

Carriers = Mapping[CarrierName, Carrier]
Hold = Callable[[], Step[bool]]
"""Takes the row by which a phone ends, until COMMIT; False when the phone changed meanwhile."""


class PushJob(msgspec.Struct, frozen=True):
    """The job :data:`PUSH_JOB`: which subscription is told which handle, and until when it is worth it."""

    subscription: str
    handle: str
    expires_at: datetime


async def subscribe(
    parts: Parts,
    carriers: Carriers,
    phone: str,
    carrier: CarrierName,
    address: PushAddress | None,
    *,
    hold: Hold | None = None,
) -> None:
    """Wake a phone by this carrier at this address, and no longer elsewhere; the same again changes nothing.

    Args:
        parts: the feature's dependencies.
        carriers: the ways that this instance has.
        phone: opaque id.
        carrier: one of them.
        address: what the phone gave.
        hold: joined first, so that a phone which ends at this moment keeps no subscription (threat 12).

    Raises:
        PushUnavailable: this instance has no such carrier.
        PushSubscriptionRefused, PushKeysMalformed: the carrier cannot wake anybody there.
        PushSubscriptionBusy: a rival subscription was faster, or the phone changed meanwhile.
    """
    way = carriers.get(carrier)
    if way is None:
        raise PushUnavailable(f"{carrier} is not offered here")
    way.admit(address)
    await parts.db.transact(_subscribe, parts, phone, carrier, address, hold)


def _subscribe(
    parts: Parts,
    phone: str,
    carrier: CarrierName,
    address: PushAddress | None,
    hold: Hold | None,
) -> Step[None]:
    if hold is not None and not (yield from hold()):
        raise PushSubscriptionBusy("the phone changed meanwhile")
    held = yield store.LIVE_SUBSCRIPTION.one(phone_id=phone)
    if held is not None and held.carrier is carrier and parts.open_address(held) == address:
        return
    event = yield from parts.audit.record(
        "notices.push_subscribed",
        actor=Actor(ActorKind.PHONE, phone),
        subject=phone,
        details={"carrier": carrier.value},
    )
    if held is not None:
        yield store.END_SUBSCRIPTION.run(key=held.id, reason=EndReason.REPLACED, event=event)
    yield from _insert(parts, phone, carrier, address, event)


def _insert(
    parts: Parts, phone: str, carrier: CarrierName, address: PushAddress | None, event: str
) -> Step[None]:
    subscription = new_id("psh")
    endpoint, keys = parts.seal_address(subscription, address)
    made = yield store.INSERT_SUBSCRIPTION.run(
        id=subscription,
        phone=phone,
        carrier=carrier,
        endpoint=endpoint,
        keys=keys,
        created_at=(yield MOMENT),
        ended_at=None,
        end_reason=None,
        event_id=event,
    )
    if not made:
        raise PushSubscriptionBusy()


def end_of_phone(parts: Parts, phone: str, *, reason: EndReason, actor: Actor) -> Step[bool]:
    """Step: wake a phone no more; False when it had no live subscription."""
    held = yield store.LIVE_SUBSCRIPTION.one(phone_id=phone)
    if held is None:
        return False
    yield from _end(parts, held, reason=reason, actor=actor)
    return True


def end_one(parts: Parts, subscription: str, *, reason: EndReason, actor: Actor) -> Step[bool]:
    """Step: end one subscription; False when it had ended before."""
    held = yield store.LIVE_SUBSCRIPTION_BY_ID.one(key=subscription)
    if held is None:
        return False
    yield from _end(parts, held, reason=reason, actor=actor)
    return True


def _end(parts: Parts, held: Any, *, reason: EndReason, actor: Actor) -> Step[None]:
    event = yield from parts.audit.record(
        "notices.push_ended",
        actor=actor,
        subject=held.phone,
        details={"reason": reason.value},
    )
    yield store.END_SUBSCRIPTION.run(key=held.id, reason=reason, event=event)


def wake(*, phones: Sequence[str], handle: str, ttl_s: int) -> Step[int]:
    """Step: tell a handle to each of these phones that has a live subscription; return how many those are.

    One job for each subscription; while a job of the same handle waits, no second one is made.

    Args:
        phones: opaque ids; unknown ones and those without a subscription are passed over.
        handle: 16 to 64 letters of base64url that say nothing by themselves.
        ttl_s: 1 to 86,400 seconds; afterwards nothing is sent any more.

    Raises:
        ValueError: another handle or life, a mistake of the caller.
    """
    if not is_handle(handle) or not 1 <= ttl_s <= WAKE_LIMIT_S:
        raise ValueError("a wake-up has an opaque handle and lives for a day at most")
    rows = yield store.LIVE_SUBSCRIPTIONS.all(phones=list(phones))
    expires_at = (yield MOMENT) + timedelta(seconds=ttl_s)
    for row in rows:
        yield from enqueue(
            PUSH_JOB,
            PushJob(subscription=row.id, handle=handle, expires_at=expires_at),
            key=f"{PUSH_JOB}:{row.id}:{handle}",
        )
    return len(rows)


def carrier_states(running: Collection[CarrierName]) -> Step[list[CarrierState]]:
    """Step: every way to wake phones, whether it runs here, and how many phones it wakes."""
    rows = yield store.COUNT_SUBSCRIPTIONS.all()
    return [
        CarrierState(
            carrier=carrier,
            is_running=carrier in running,
            live=sum(r.phones for r in rows if r.carrier is carrier and r.end_reason is None),
            ended={
                r.end_reason: r.phones
                for r in rows
                if r.carrier is carrier and r.end_reason is not None
            },
        )
        for carrier in CarrierName
    ]
