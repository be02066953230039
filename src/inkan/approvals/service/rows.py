"""Rows as approvals, and what a compare-and-set that found nothing means."""

from typing import Any, NoReturn

import msgspec

from inkan.approvals import store
from inkan.approvals.model import (
    Approval,
    ApprovalEnded,
    ApprovalMoved,
    ApprovalNotFound,
    OpenedElsewhere,
    Question,
)
from inkan.approvals.rules import UNDECIDED, state_at
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PersonID, PhoneID
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import Evidence, StatementDoor
from inkan.wire.session import Outcome, SessionState


class Opener(msgspec.Struct, frozen=True):
    """Who opens or decides: a phone and its person."""

    phone: PhoneID
    person: PersonID


def find(approval_id: str) -> Step[Approval | None]:
    """Step: the approval, or None."""
    return approval_of((yield store.BY_ID.one(key=approval_id)))


def get(approval_id: str) -> Step[Approval]:
    """Step: the approval.

    Raises:
        ApprovalNotFound: unknown.
    """
    found = yield from find(approval_id)
    if found is None:
        raise ApprovalNotFound()
    return found


def refuse(
    approval_id: str,
    *,
    opener: Opener | None = None,
    decided: InkanError | None = None,
) -> Step[NoReturn]:
    """Say why the compare-and-set found nothing to change, by the row as it is now."""
    present = yield from get(approval_id)
    moment = yield MOMENT
    state = state_at(present, moment)
    if state is SessionState.OPENED and opener and present.phone != opener.phone:
        raise OpenedElsewhere()
    if state in UNDECIDED:
        raise ApprovalMoved()
    if decided is not None and present.outcome is not None:
        raise decided
    raise ended(state)


def ended(state: SessionState) -> ApprovalEnded:
    """The refusal that says how the approval ended."""
    return ApprovalEnded(state=str(state))


def stepped(approval: Approval, **changes: Any) -> Approval:
    """The row as its compare-and-set has just written it; reading it back would say the same."""
    return msgspec.structs.replace(approval, version=approval.version + 1, **changes)


def approval_of(row: Any) -> Approval | None:
    """The approval of a row, or None without one."""
    return None if row is None else read(row)


def read(row: Any) -> Approval:
    """The approval of a row."""
    return Approval(
        id=row.id,
        state=SessionState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
        door=StatementDoor(row.door) if row.door else None,
        handle=row.handle,
        link=row.link,
        generation=row.generation,
        qr_t0=row.qr_t0,
        question=msgspec.convert(row.question, Question),
        draft=row.draft,
        phone=row.phone,
        person=row.person,
        evidence=tuple(Evidence(each) for each in row.evidence),
        code_tries=row.code_tries,
        opened_at=row.opened_at,
        statement_sha256=row.statement_sha256,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        redeem_until=row.redeem_until,
        released_at=row.released_at,
        version=row.version,
    )
