"""Delivering wake-ups: what the outbox does with a push job.

Plan, for one try:

1. a wake-up whose time is over is dropped, and so is one of a subscription that has ended;
2. the carrier tries once;
3. a subscription that the push service does not know any more ends, and so does one that leads inside;
4. *later* is left to the outbox, which waits at least as long as the service asks, unless that is longer than the
   message lives; a refusal of this very message is final.

Nothing of an address is logged; a line names the subscription.
"""

import logging
from datetime import timedelta
from typing import Any, Final

from inkan.audit import Actor, ActorKind
from inkan.notices import store
from inkan.notices.model import Delivery, Outcome, PushDeferred, WakeUp
from inkan.notices.rules import ENDS, topic_of
from inkan.notices.service.parts import Parts
from inkan.notices.service.subscribing import Carriers, PushJob, end_one
from inkan.store.database import Step
from inkan.store.outbox import Job

PLATFORM: Final = Actor(ActorKind.PLATFORM, "notices")
_SECOND: Final = timedelta(seconds=1)

_log = logging.getLogger(__name__)


class Waker:
    """Carries push jobs to their phones."""

    def __init__(self, parts: Parts, carriers: Carriers) -> None:
        self._parts = parts
        self._carriers = carriers

    async def deliver(self, job: Job) -> None:
        """Try to wake the phone of a job.

        Raises:
            PushDeferred: step 4; InkanErrors of the carrier likewise.
        """
        wanted = job.decode(PushJob)
        left_s = (wanted.expires_at - self._parts.db.now()) // _SECOND
        row = await self._parts.db.read(_live, wanted.subscription) if left_s > 0 else None
        carrier = None if row is None else self._carriers.get(row.carrier)
        if carrier is None:  # 1
            _log.info("push %s: over, ended or without its carrier", wanted.subscription)
            return
        message = WakeUp(
            handle=wanted.handle,
            ttl_s=left_s,
            topic=topic_of(wanted.subscription, wanted.handle),
        )
        delivery = await carrier.carry(self._parts.open_address(row), message)  # 2
        await self._settle(wanted, delivery, left_s)

    async def _settle(self, wanted: PushJob, delivery: Delivery, left_s: int) -> None:
        outcome = delivery.outcome
        reason = ENDS[outcome]
        if outcome is not Outcome.ACCEPTED:
            _log.warning(
                "push %s: %s (status %s)", wanted.subscription, outcome.value, delivery.status
            )
        if reason is not None:  # 3
            await self._parts.db.transact(
                end_one, self._parts, wanted.subscription, reason=reason, actor=PLATFORM
            )
        elif outcome is Outcome.LATER and (delivery.retry_after_s or 0) < left_s:  # 4
            raise PushDeferred(retry_after_s=delivery.retry_after_s or 0)


def _live(subscription: str) -> Step[Any]:
    row = yield store.LIVE_SUBSCRIPTION_BY_ID.one(key=subscription)
    return row
