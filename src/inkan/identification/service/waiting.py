"""What waits for a phone: questions that were pushed to it and that nobody has opened (design §5.4 `push`).

The wallet shows them whether a message came through or not; none of the question's own words are given out before
the code is typed, only who asks and what for.
"""

import asyncio

import msgspec

from inkan.approvals import Approval
from inkan.enrolment import PhonePrincipal, phone_topic
from inkan.identification.rules import MAX_WAIT_S
from inkan.identification.service.parts import Parts, find_by_approval
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PhoneID
from inkan.store.database import Step
from inkan.wire.shown import Language

REREAD_S = 10.0


class Waiting(msgspec.Struct, frozen=True):
    """One waiting question: who asks, what for, and whether a code must be typed."""

    approval: str
    kind: str
    relying_party: str
    domain: str
    purpose_text: str
    at: str
    expires_at: str
    code_required: bool


async def waiting_on(
    parts: Parts, phone: PhonePrincipal, *, lang: Language, seconds: float
) -> list[Waiting]:
    """What waits for this phone, newest first; with ``seconds`` it waits so long for the first one."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(seconds, MAX_WAIT_S)
    async with parts.db.bus.subscribe(phone_topic(phone.phone)) as calls:
        while True:
            found = await parts.db.read(_waiting, parts, phone.phone, lang)
            left = deadline - loop.time()
            if found or left <= 0:
                return found
            await calls.wait(timeout_s=min(left, REREAD_S))


def _waiting(parts: Parts, phone: PhoneID, lang: Language) -> Step[list[Waiting]]:
    approvals = yield from parts.approvals.waiting_on(phone)
    views = []
    for approval in approvals:
        view = yield from _view(approval, lang)
        views.append(view)
    return views


def _view(approval: Approval, lang: Language) -> Step[Waiting]:
    session = yield from find_by_approval(approval)
    question = approval.question
    return Waiting(
        approval=approval.id,
        kind=question.kind,
        relying_party=question.relying_party.name,
        domain=question.relying_party.domain,
        purpose_text=question.purpose_text[lang],
        at=rfc3339(approval.created_at),
        expires_at=rfc3339(approval.expires_at),
        code_required=not session.terms.tap_only,
    )
