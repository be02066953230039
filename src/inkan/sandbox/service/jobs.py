"""Faults where a job of the outbox is about to be delivered: pushes that get lost, webhooks that come late.

Composed in a sandbox only. A lost push is dropped before it reaches anybody, so it waits in no wallet either, until
the relying party sends it again. A late webhook is the outbox's own waiting: the job is given back until its time.
"""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

import msgspec

from inkan.identification import PUSH_JOB, WEBHOOK_JOB
from inkan.sandbox.model import WebhookDelayed
from inkan.sandbox.service.faults import LATE_WEBHOOK, LOST_PUSH, Faults, JobFault
from inkan.sandbox.service.parts import Parts
from inkan.store.outbox import Handler, Job

DISTURBED_JOBS: Final[Mapping[str, JobFault]] = {
    PUSH_JOB: LOST_PUSH,
    WEBHOOK_JOB: LATE_WEBHOOK,
}
"""Which jobs of the outbox go wrong on purpose; each names its session."""

_Deliver = Callable[[Job], Awaitable[None]]


class _OfSession(msgspec.Struct, frozen=True):
    """What the disturbed jobs have in common."""

    session: str


def disturb(parts: Parts, faults: Faults, table: Mapping[str, Handler]) -> dict[str, Handler]:
    """The table of the outbox with faults around the rows of :data:`DISTURBED_JOBS`; the others stay as they are."""
    return {
        kind: replace(handler, deliver=_around(parts, faults, handler.deliver, fault))
        if (fault := DISTURBED_JOBS.get(kind)) is not None
        else handler
        for kind, handler in table.items()
    }


def _around(parts: Parts, faults: Faults, deliver: _Deliver, fault: JobFault) -> _Deliver:
    async def carry_out(job: Job) -> None:
        system = await parts.identification.system_of(job.decode(_OfSession).session)
        if system is not None:
            age = parts.db.now() - job.enqueued_at
            hit = faults.draw_job(system, fault, age_s=age.total_seconds(), tried=job.tried)
            if hit.is_lost:
                return
            if hit.wait_s > 0:
                raise WebhookDelayed(
                    "held back by the sandbox", retry_after_s=math.ceil(hit.wait_s)
                )
        await deliver(job)

    return carry_out
