"""The steps of an approval. Upper features join them in their own transactions.

A step changes one row by compare-and-set; what it finds instead, it says as a refusal. The use case that
joins a step records the audit event first and hands its id over, so that one use case is one event.
"""

from datetime import datetime
from typing import Any, NoReturn

import msgspec

from inkan.approvals import store
from inkan.approvals.model import (
    Approval,
    ApprovalEnded,
    ApprovalMoved,
    ApprovalNotFound,
    DecisionConflict,
    OpenedElsewhere,
    Question,
    UsageRecord,
)
from inkan.approvals.rules import MAX_GENERATIONS, UNDECIDED, state_at
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import ApprovalID, EventID, PersonID, PhoneID, new_id
from inkan.store.database import MOMENT, Step
from inkan.store.sealing import SealedColumn, Sealer
from inkan.wire.binding import Door
from inkan.wire.session import Outcome, SessionState

DETAIL = SealedColumn("approvals_record", "detail")


class Opener(msgspec.Struct, frozen=True):
    """Who opens or decides: a phone and its person."""

    phone: PhoneID
    person: PersonID


class Decision(msgspec.Struct, frozen=True):
    """What is written when a phone has answered.

    Attributes:
        release: whether the answer is given out in the same transaction (no return is awaited).
        statement_sha256: base64url SHA-256 of the statement's bytes; None for a refusal.
    """

    outcome: Outcome
    reason: str | None
    statement_sha256: str | None
    release: bool


class Approvals:
    """Approvals and usage records of one instance."""

    def __init__(self, *, sealer: Sealer) -> None:
        self._sealer = sealer

    def ask(
        self,
        question: Question,
        *,
        approval_id: ApprovalID,
        handle: str | None,
        expires_at: datetime,
        event: EventID,
    ) -> Step[Approval]:
        """Step: write the question down; with a handle its `qr` door is made at once."""
        moment = yield MOMENT
        asked = Approval(
            id=approval_id,
            state=SessionState.PRESENTED if handle else SessionState.CREATED,
            outcome=None,
            reason=None,
            door=None,
            handle=handle,
            generation=1 if handle else 0,
            qr_t0=moment if handle else None,
            question=question,
            draft=None,
            phone=None,
            person=None,
            opened_at=None,
            statement_sha256=None,
            created_at=moment,
            expires_at=expires_at,
            decided_at=None,
            released_at=None,
            version=1,
        )
        row = msgspec.structs.asdict(asked) | {"question": msgspec.to_builtins(question)}
        yield store.INSERT.run(**row, event_id=event)
        return asked

    def find(self, approval_id: str) -> Step[Approval | None]:
        """Step: the approval, or None."""
        return _approval((yield store.BY_ID.one(key=approval_id)))

    def get(self, approval_id: str) -> Step[Approval]:
        """Step: the approval.

        Raises:
            ApprovalNotFound: unknown.
        """
        found = yield from self.find(approval_id)
        if found is None:
            raise ApprovalNotFound()
        return found

    def find_by_handle(self, handle: str) -> Step[Approval | None]:
        """Step: the approval whose present QR generation carries this handle, or None."""
        return _approval((yield store.BY_HANDLE.one(key=handle)))

    def opened_on(self, phone: PhoneID) -> Step[list[Approval]]:
        """Step: the undecided approvals that this phone has open."""
        rows = yield store.OF_PHONE.all(key=phone)
        return [_read(row) for row in rows]

    def present(self, approval: Approval, *, handle: str, event: EventID) -> Step[Approval]:
        """Step: make the `qr` door of an approval that has none yet.

        Raises:
            ApprovalEnded: it is over already.
            ApprovalMoved: a rival step was first.
        """
        touched = yield store.PRESENT.run(
            key=approval.id, seen=approval.version, event=event, new_handle=handle
        )
        if not touched:
            yield from self._refuse(approval.id)
        moment = yield MOMENT
        return _stepped(
            approval, state=SessionState.PRESENTED, handle=handle, generation=1, qr_t0=moment
        )

    def open(
        self, approval: Approval, *, opener: Opener, door: Door, draft: str, event: EventID
    ) -> Step[Approval]:
        """Step: give the approval to this phone and fix the door and the draft.

        When the same phone was quicker in a parallel request, that opening is returned.

        Raises:
            OpenedElsewhere: a rival was first.
            ApprovalEnded: expired, cancelled or decided meanwhile.
        """
        touched = yield store.OPEN.run(
            key=approval.id,
            seen=approval.version,
            event=event,
            new_door=door,
            new_draft=draft,
            new_phone=opener.phone,
            new_person=opener.person,
        )
        if not touched:
            present = yield from self.get(approval.id)
            if present.state is SessionState.OPENED and present.phone == opener.phone:
                return present
            yield from self._refuse(approval.id, opener=opener)
        moment = yield MOMENT
        return _stepped(
            approval,
            state=SessionState.OPENED,
            door=door,
            draft=draft,
            phone=opener.phone,
            person=opener.person,
            opened_at=moment,
        )

    def reopen(self, approval: Approval, *, handle: str, event: EventID) -> Step[Approval]:
        """Step: take an undecided approval back from its opener, with a new QR secret.

        Raises:
            ApprovalEnded: it is over, or its three releases are used up.
            ApprovalMoved: a rival step was first.
        """
        if approval.generation >= MAX_GENERATIONS:
            raise ApprovalEnded("its releases are used up", state=str(approval.state))
        touched = yield store.REOPEN.run(
            key=approval.id, seen=approval.version, event=event, new_handle=handle
        )
        if not touched:
            yield from self._refuse(approval.id)
        moment = yield MOMENT
        return _stepped(
            approval,
            state=SessionState.PRESENTED,
            handle=handle,
            generation=approval.generation + 1,
            qr_t0=moment,
            door=None,
            draft=None,
            phone=None,
            person=None,
            opened_at=None,
        )

    def decided(self, approval: Approval, *, decision: Decision, at: datetime) -> Approval:
        """The approval as :meth:`decide` writes it in a transaction of that moment."""
        return _stepped(
            approval,
            state=SessionState.CLOSED if decision.release else SessionState.DECIDED,
            outcome=decision.outcome,
            reason=decision.reason,
            statement_sha256=decision.statement_sha256,
            decided_at=at,
            released_at=at if decision.release else None,
        )

    def decide(
        self, approval: Approval, *, opener: Opener, decision: Decision, event: EventID
    ) -> Step[Approval]:
        """Step: write the one answer of an opened approval (threat 10: exactly one wins).

        The answer is one to the approval as it was read: to this opening and this draft.

        Raises:
            DecisionConflict: something was decided first.
            ApprovalMoved: it was given back and opened again meanwhile.
            OpenedElsewhere, ApprovalEnded: see :meth:`open`.
        """
        moment = yield MOMENT
        written = self.decided(approval, decision=decision, at=moment)
        touched = yield store.DECIDE.run(
            key=approval.id,
            seen=approval.version,
            event=event,
            opener=opener.phone,
            new_state=written.state,
            new_outcome=written.outcome,
            new_reason=written.reason,
            new_statement_sha256=written.statement_sha256,
            new_released_at=written.released_at,
        )
        if not touched:
            yield from self._refuse(approval.id, opener=opener, decided=DecisionConflict())
        return written

    def cancel(self, approval: Approval, *, event: EventID) -> Step[Approval]:
        """Step: the asker takes the question back.

        Raises:
            ApprovalEnded: it is over already.
            ApprovalMoved: a rival step was first.
        """
        touched = yield store.CANCEL.run(key=approval.id, seen=approval.version, event=event)
        if not touched:
            yield from self._refuse(approval.id)
        return _stepped(approval, state=SessionState.CANCELLED)

    def overdue(self) -> Step[list[str]]:
        """Step: ids of at most 500 approvals whose time is over but whose row does not say so yet."""
        rows = yield store.OVERDUE.all()
        return [row.id for row in rows]

    def expire(self, approval: Approval, *, event: EventID) -> Step[Approval]:
        """Step: write down what time has decided.

        Raises:
            ApprovalEnded: it was written down before.
            ApprovalMoved: its time is not over.
        """
        touched = yield store.EXPIRE.run(key=approval.id, seen=approval.version, event=event)
        if not touched:
            present = yield from self.get(approval.id)
            raise ApprovalMoved() if present.state in UNDECIDED else _ended(present.state)
        return _stepped(approval, state=SessionState.EXPIRED)

    def purge(self, *, before: datetime) -> Step[int]:
        """Step: forget ended approvals that expired by then: they say in the clear who answered whom.

        What stays is the person's usage record, sealed and erasable, and the audit's commitments.
        """
        forgotten: int = yield store.PURGE.run(before=before)
        return forgotten

    def note_use(
        self, *, opener: Opener, outcome: Outcome, detail: dict[str, Any], event: EventID
    ) -> Step[str]:
        """Step: write the person's usage record (TW-38, DOC-06); its detail is sealed and erasable."""
        record_id = new_id("use")
        sealed = self._sealer.seal(DETAIL, record_id, msgspec.json.encode(detail))
        moment = yield MOMENT
        yield store.INSERT_RECORD.run(
            id=record_id,
            person=opener.person,
            phone=opener.phone,
            at=moment,
            outcome=outcome,
            detail=sealed,
            event_id=event,
        )
        return record_id

    def records(self, person: PersonID, *, before: datetime) -> Step[list[UsageRecord]]:
        """Step: the person's 50 newest usage records before that moment, newest first."""
        rows = yield store.RECORDS_OF.all(key=person, before=before)
        return [self._record(row) for row in rows]

    def records_below(self, person: PersonID, record_id: str) -> Step[list[UsageRecord]]:
        """Step: the 50 usage records that follow one of the person's in the list; none below an unknown one."""
        mark = yield store.RECORD_OF.one(key=person, record_id=record_id)
        if mark is None:
            return []
        rows = yield store.RECORDS_BELOW.all(key=person, at=mark.at, record_id=record_id)
        return [self._record(row) for row in rows]

    def erase_records(self, person: PersonID) -> Step[int]:
        """Step: drop the sealed details; the commitments in the audit stay verifiable."""
        touched: int = yield store.ERASE_RECORDS.run(key=person)
        return touched

    def _record(self, row: Any) -> UsageRecord:
        detail = None
        if row.detail is not None:
            plain = self._sealer.open(DETAIL, row.id, row.detail)
            detail = msgspec.json.decode(plain.reveal())
        return UsageRecord(
            id=row.id,
            at=row.at,
            phone=row.phone,
            outcome=row.outcome,
            event_id=row.event_id,
            detail=detail,
        )

    def _refuse(
        self,
        approval_id: str,
        *,
        opener: Opener | None = None,
        decided: InkanError | None = None,
    ) -> Step[NoReturn]:
        """Say why the compare-and-set found nothing to change, by the row as it is now."""
        present = yield from self.get(approval_id)
        moment = yield MOMENT
        state = state_at(present, moment)
        if state is SessionState.OPENED and opener and present.phone != opener.phone:
            raise OpenedElsewhere()
        if state in UNDECIDED:
            raise ApprovalMoved()
        if decided is not None and present.outcome is not None:
            raise decided
        raise _ended(state)


def _ended(state: SessionState) -> ApprovalEnded:
    return ApprovalEnded(state=str(state))


def _stepped(approval: Approval, **changes: Any) -> Approval:
    """The row as its compare-and-set has just written it; reading it back would say the same."""
    return msgspec.structs.replace(approval, version=approval.version + 1, **changes)


def _approval(row: Any) -> Approval | None:
    return None if row is None else _read(row)


def _read(row: Any) -> Approval:
    return Approval(
        id=row.id,
        state=SessionState(row.state),
        outcome=Outcome(row.outcome) if row.outcome else None,
        reason=row.reason,
        door=Door(row.door) if row.door else None,
        handle=row.handle,
        generation=row.generation,
        qr_t0=row.qr_t0,
        question=msgspec.convert(row.question, Question),
        draft=row.draft,
        phone=row.phone,
        person=row.person,
        opened_at=row.opened_at,
        statement_sha256=row.statement_sha256,
        created_at=row.created_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
        released_at=row.released_at,
        version=row.version,
    )
