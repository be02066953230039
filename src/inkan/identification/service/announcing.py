"""Every change of a session is told: to whoever reads it now, and to the webhook that it named (design §5.5).

A webhook says no more than a GET at the same moment: a change that the veil hides is not told. How a veiled session
ends unseen is told as the expiry that its reader sees, by a job that was left when the push was ordered; so it comes
at the same moment and by the same work whether the person refused, mistyped, has no phone or does not exist.
"""

from datetime import datetime
from typing import Final

import msgspec

from inkan.approvals import Approval
from inkan.identification import store
from inkan.identification.model import Session, SessionEnded
from inkan.identification.rules import ENUMERABLE_HINTS, FINAL, Opening, way_of
from inkan.identification.service import webhooks
from inkan.identification.service.parts import Parts, is_veiled, read_session, shown_state, topic
from inkan.store.database import MOMENT, Step, Wake
from inkan.store.outbox import enqueue
from inkan.wire.session import SessionState

END_JOB: Final = "identification.veiled_end"


class EndJob(msgspec.Struct, frozen=True):
    """Which session may have ended behind the veil."""

    session: str


def changed(
    session: Session, *, before: Approval, after: Approval, was: Session | None = None
) -> Step[None]:
    """Step: tell that an approval has changed, as far as it shows.

    Args:
        session: as it is now.
        before: the approval before the change.
        after: as the change writes it.
        was: the session before, if it changed too.
    """
    moment = yield MOMENT
    shown = shown_state(session, after, moment)
    if shown is shown_state(was or session, before, moment):
        yield Wake(topic(session.id))
    else:
        yield from tell(session, shown)


def tell(session: Session, shown: SessionState) -> Step[None]:
    """Step: tell that the session shows this state now."""
    yield Wake(topic(session.id))
    if session.terms.webhook is not None:
        yield from webhooks.announce(session.id, shown, session.terms.webhook)
    if session.terms.is_followed and shown in FINAL:
        ended = SessionEnded(session=session.id, system=session.system)
        yield from enqueue(SessionEnded.kind, ended)


def order_end(session: Session) -> Step[None]:
    """Step: when a push goes out behind the veil, leave the job that tells its unseen end."""
    if session.terms.webhook is None and not session.terms.is_followed:
        return
    if session.hint_type not in ENUMERABLE_HINTS:
        return
    if way_of(Opening.PUSH, session.terms.doors) is not None:
        key = f"{END_JOB}:{session.id}"
        yield from enqueue(END_JOB, EndJob(session=session.id), key=key, due=session.expires_at)


async def end(parts: Parts, job: EndJob) -> None:
    """Tell the unseen end of a session, unless it was seen to end otherwise."""
    await parts.db.transact(_end, parts, job.session)


def _end(parts: Parts, session_id: str) -> Step[None]:
    moment: datetime = yield MOMENT
    session = read_session((yield store.BY_ID.one(key=session_id)))
    if session is None:
        return
    approval = yield from parts.approvals.get(session.approval)
    shown = shown_state(session, approval, moment)
    if is_veiled(session, approval) and shown is SessionState.EXPIRED:
        yield from tell(session, shown)
