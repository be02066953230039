"""A question is taken back before it is decided, by the relying party or on the redirect page."""

from datetime import datetime
from typing import NamedTuple

from inkan.approvals import UNDECIDED, ApprovalEnded, state_at
from inkan.audit import Actor, ActorKind
from inkan.identification import store
from inkan.identification.service import announcing
from inkan.identification.service.parts import Found, Parts, find, is_veiled, shown_state
from inkan.kernel.ids import SystemID
from inkan.store.database import MOMENT, Step
from inkan.wire.session import SessionState


class TakenBack(NamedTuple):
    """A question was taken back now.

    Attributes:
        unseen_end: a phone had ended it behind the veil, which would have shown as its expiry at this moment.
    """

    unseen_end: datetime | None


async def cancel(parts: Parts, session_id: str, *, system: SystemID) -> TakenBack | None:
    """The relying party takes the question back; twice is once, and None the second time.

    Raises:
        SessionNotFound: unknown, or another system's.
        ApprovalEnded: it has ended already.
    """
    return await parts.db.transact(_cancel, parts, session_id, system)


def _cancel(parts: Parts, session_id: str, system: SystemID) -> Step[TakenBack | None]:
    found = yield from find(parts, session_id, system=system)
    return (yield from take_back(parts, found, actor=Actor(ActorKind.SYSTEM, system)))


def take_back(parts: Parts, found: Found, *, actor: Actor) -> Step[TakenBack | None]:
    """Step: end a question that its asker believes to be waiting, also one that a phone has ended unseen.

    Raises:
        ApprovalEnded: it has ended already, and the asker may know.
        ApprovalMoved: a rival step was first.
    """
    moment = yield MOMENT
    state = shown_state(found.session, found.approval, moment)
    if state is SessionState.CANCELLED:
        return None
    veiled = is_veiled(found.session, found.approval)
    if veiled and state not in UNDECIDED:
        raise ApprovalEnded(state=str(state))  # as it shows, whatever a phone has done
    session_id = found.session.id
    event = yield from parts.audit.record(
        "identification.session_cancelled",
        actor=actor,
        object=session_id,
        details={"approval": found.approval.id},
    )
    is_unseen = state in UNDECIDED and state_at(found.approval, moment) not in UNDECIDED
    if veiled:
        yield store.WITHDRAW.run(key=session_id, event=event)
        yield from parts.approvals.cancel_unseen(found.approval, event=event)
    else:
        yield from parts.approvals.cancel(found.approval, event=event)
    yield from announcing.tell(found.session, SessionState.CANCELLED)
    return TakenBack(found.approval.expires_at if is_unseen else None)
