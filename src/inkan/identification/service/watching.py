"""What an open wallet is told as it happens: that questions wait, and that there is news; never what they say.

A watcher sleeps on two topics of the bus. Nothing is done for it until one of them is called: a call for its phone
costs one read, a call for news costs none. It keeps no queue: whatever happens while its reader is slow is one hint
when the reader takes the next. A lost hint costs at most the watcher's life, after which the wallet asks again.
"""

import asyncio
from collections.abc import AsyncGenerator
from enum import StrEnum

import msgspec

from inkan.enrolment import PhonePrincipal, phone_topic
from inkan.identification.rules import WATCH_LIFE
from inkan.identification.service.parts import Parts
from inkan.kernel.ids import PhoneID
from inkan.notices import NEWS_TOPIC
from inkan.store.bus import Subscription
from inkan.store.database import Step


class HintKind(StrEnum):
    """What a wallet reads again when it is told."""

    WAITING = "waiting"
    NEWS = "news"


class Hint(msgspec.Struct, frozen=True):
    """One hint.

    Attributes:
        approvals: for ``waiting`` the ids of the approvals that wait, newest first; else empty.
    """

    kind: HintKind
    approvals: tuple[str, ...] = ()


async def watch(parts: Parts, phone: PhonePrincipal) -> AsyncGenerator[Hint, None]:
    """What waits now, and then every change, until the phone is revoked or suspended or the watcher's life is over."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + WATCH_LIFE.total_seconds()
    bus = parts.db.bus
    async with bus.subscribe(phone_topic(phone.phone)) as own, bus.subscribe(NEWS_TOPIC) as news:
        told: tuple[str, ...] | None = None
        while loop.time() < ends_at:
            waiting = await parts.db.read(_waiting, parts, phone.phone)
            if waiting is None:
                return
            if waiting != told:
                told = waiting
                yield Hint(HintKind.WAITING, waiting)
            while not await _called(own, news, ends_at):
                if loop.time() >= ends_at:
                    return
                yield Hint(HintKind.NEWS)


async def _called(own: Subscription, news: Subscription, ends_at: float) -> bool:
    """Wait for either topic; whether it was the phone's own (which is looked at first), else news or the end."""
    left = max(0.0, ends_at - asyncio.get_running_loop().time())
    waits = [asyncio.ensure_future(each.wait(timeout_s=left)) for each in (own, news)]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        return waits[0].done() and waits[0].result()
    finally:
        for each in waits:
            each.cancel()
        await asyncio.gather(*waits, return_exceptions=True)


def _waiting(parts: Parts, phone: PhoneID) -> Step[tuple[str, ...] | None]:
    """The ids of what waits for a phone; None when it is in use no more."""
    active = yield from parts.enrolment.is_active(phone)
    if not active:
        return None
    approvals = yield from parts.approvals.waiting_on(phone)
    return tuple(each.id for each in approvals)
