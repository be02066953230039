"""What time has ended is written down: by a sweep, so that no reader has to."""

from contextlib import suppress

from inkan.approvals import ApprovalEnded, ApprovalMoved, ApprovalNotFound, Opener
from inkan.audit import Actor, ActorKind
from inkan.identification import store
from inkan.identification.rules import IDEMPOTENCY_LIFE, READABLE
from inkan.identification.service import announcing, prompts, records
from inkan.identification.service.parts import Parts, is_veiled, read_session, topic
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire import audit_log
from inkan.wire.session import SessionState


async def expire(parts: Parts) -> int:
    """Write down what time has ended, 500 approvals at a time; returns how many."""
    expired = 0
    for approval_id in await parts.db.scan(parts.approvals.overdue):
        # A rival of another process wrote it down first, or forgot it since.
        with suppress(ApprovalEnded, ApprovalMoved, ApprovalNotFound):
            await parts.db.transact(_expire, parts, approval_id)
            expired += 1
    return expired


def _expire(parts: Parts, approval_id: str) -> Step[None]:
    approval = yield from parts.approvals.get(approval_id)
    session = approval.question.session
    event = yield from parts.audit.record(
        audit_log.EXPIRY,
        actor=Actor(ActorKind.PLATFORM, "identification"),
        subject=approval.person if approval.outcome else None,
        object=session,
        details={"approval": approval_id},
    )
    yield from parts.approvals.expire(approval, event=event)
    if approval.outcome is not None:
        # Approved, and nobody came back with it: the person reads so (design §5.3 Release).
        assert approval.phone is not None
        assert approval.person is not None
        yield from parts.approvals.note_use(
            opener=Opener(phone=approval.phone, person=approval.person),
            outcome=approval.outcome,
            detail=records.usage(approval, is_delivered=False),
            event=event,
        )
    found = read_session((yield store.BY_ID.one(key=session)))
    if found is None or is_veiled(found, approval):
        yield Wake(topic(session))  # its webhook hears by the job that `announcing.order_end` left
    else:
        yield from announcing.tell(found, SessionState.EXPIRED)


def purge(parts: Parts) -> Step[None]:
    """Step: forget sessions past ``purge_at``, their approvals, and idempotency keys older than a day."""
    moment = yield MOMENT
    yield store.PURGE.run()
    yield store.PURGE_CONFIRMATIONS.run()
    yield from parts.approvals.purge(before=moment - READABLE)
    yield store.FORGET_KEYS.run(before=moment - IDEMPOTENCY_LIFE)
    yield from prompts.purge(moment)
