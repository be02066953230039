"""The steps by which a question is answered, given out, taken back or ended by time."""

from datetime import datetime

import msgspec

from inkan.approvals import store
from inkan.approvals.model import Approval, ApprovalMoved, DecisionConflict
from inkan.approvals.rules import UNDECIDED
from inkan.approvals.service.rows import Opener, ended, get, refuse, stepped
from inkan.kernel.ids import EventID
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import Evidence, StatementDoor
from inkan.wire.session import Outcome, SessionState


class Decision(msgspec.Struct, frozen=True):
    """What is written when a phone has answered.

    Attributes:
        redeem_until: until when the answer awaits its return; None gives it out in the same transaction.
        statement_sha256: base64url SHA-256 of the statement's bytes; None for a refusal.
    """

    outcome: Outcome
    reason: str | None
    statement_sha256: str | None
    redeem_until: datetime | None


class Answers:
    """Answers of one instance."""

    def decided(self, approval: Approval, *, decision: Decision, at: datetime) -> Approval:
        """The approval as :meth:`decide` writes it in a transaction of that moment."""
        return stepped(
            approval,
            state=SessionState.DECIDED if decision.redeem_until else SessionState.CLOSED,
            outcome=decision.outcome,
            reason=decision.reason,
            statement_sha256=decision.statement_sha256,
            decided_at=at,
            redeem_until=decision.redeem_until,
            released_at=None if decision.redeem_until else at,
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
            new_redeem_until=written.redeem_until,
            new_released_at=written.released_at,
        )
        if not touched:
            yield from refuse(approval.id, opener=opener, decided=DecisionConflict())
        return written

    def failed(
        self,
        approval: Approval,
        *,
        opener: Opener,
        door: StatementDoor,
        reason: str,
        at: datetime,
        outcome: Outcome = Outcome.FAILED,
    ) -> Approval:
        """The approval as :meth:`fail` writes it in a transaction of that moment."""
        return stepped(
            approval,
            state=SessionState.CLOSED,
            door=door,
            phone=opener.phone,
            person=opener.person,
            code_tries=_tries(approval, outcome),
            outcome=outcome,
            reason=reason,
            decided_at=at,
            released_at=at,
        )

    def fail(
        self,
        approval: Approval,
        *,
        opener: Opener,
        door: StatementDoor,
        reason: str,
        event: EventID,
        outcome: Outcome = Outcome.FAILED,
    ) -> Step[Approval]:
        """Step: end a question that nobody opened, by what its phone did: the last wrong code, or a no.

        Raises:
            ApprovalEnded, ApprovalMoved: see :meth:`cancel`.
        """
        moment = yield MOMENT
        touched = yield store.FAIL.run(
            key=approval.id,
            seen=approval.version,
            event=event,
            new_door=door,
            new_phone=opener.phone,
            new_person=opener.person,
            new_code_tries=_tries(approval, outcome),
            new_outcome=outcome,
            new_reason=reason,
        )
        if not touched:
            yield from refuse(approval.id, opener=opener)
        return self.failed(
            approval, opener=opener, door=door, reason=reason, at=moment, outcome=outcome
        )

    def strengthen(
        self, approval: Approval, *, evidence: Evidence, event: EventID
    ) -> Step[Approval]:
        """Step: add what the browser that began has shown while the answer awaits its return.

        Raises:
            ApprovalEnded: given out before, or too late.
            ApprovalMoved: nothing was decided yet.
        """
        together = tuple(sorted({*approval.evidence, evidence}))
        touched = yield store.STRENGTHEN.run(
            key=approval.id, seen=approval.version, event=event, new_evidence=list(together)
        )
        if not touched:
            yield from refuse(approval.id)
        return stepped(approval, evidence=together)

    def released(
        self, approval: Approval, *, outcome: Outcome, reason: str | None, at: datetime
    ) -> Approval:
        """The approval as :meth:`release` writes it in a transaction of that moment."""
        return stepped(
            approval, state=SessionState.CLOSED, outcome=outcome, reason=reason, released_at=at
        )

    def release(
        self, approval: Approval, *, outcome: Outcome, reason: str | None, event: EventID
    ) -> Step[Approval]:
        """Step: give the one answer out, once and within its minute; it may still have turned bad.

        ``approval`` is as it was read, with what finishing has brought added to its evidence.

        Raises:
            ApprovalEnded: given out before, or too late.
            ApprovalMoved: nothing was decided yet.
        """
        touched = yield store.RELEASE.run(
            key=approval.id,
            seen=approval.version,
            event=event,
            new_outcome=outcome,
            new_reason=reason,
            new_evidence=list(approval.evidence),
        )
        if not touched:
            yield from refuse(approval.id)
        moment = yield MOMENT
        return self.released(approval, outcome=outcome, reason=reason, at=moment)

    def cancel(self, approval: Approval, *, event: EventID) -> Step[Approval]:
        """Step: the asker takes the question back.

        Raises:
            ApprovalEnded: it is over already.
            ApprovalMoved: a rival step was first.
        """
        touched = yield store.CANCEL.run(key=approval.id, seen=approval.version, event=event)
        if not touched:
            yield from refuse(approval.id)
        return stepped(approval, state=SessionState.CANCELLED)

    def cancel_unseen(self, approval: Approval, *, event: EventID) -> Step[None]:
        """Step: as :meth:`cancel` where the asker must not notice that it is over: by the same statement.

        Raises:
            ApprovalMoved: a rival step was first.
        """
        touched = yield store.CANCEL.run(key=approval.id, seen=approval.version, event=event)
        if not touched and approval.state in UNDECIDED:
            raise ApprovalMoved()

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
            present = yield from get(approval.id)
            is_alive = present.state in UNDECIDED or present.state is SessionState.DECIDED
            raise ApprovalMoved() if is_alive else ended(present.state)
        return stepped(approval, state=SessionState.EXPIRED)

    def purge(self, *, before: datetime) -> Step[int]:
        """Step: forget ended approvals that expired by then: they say in the clear who answered whom.

        What stays is the person's usage record, sealed and erasable, and the audit's commitments.
        """
        forgotten: int = yield store.PURGE.run(before=before)
        yield store.FORGET_TARGETS.run(before=before)
        return forgotten


def _tries(approval: Approval, outcome: Outcome) -> int:
    """Wrong codes after this end: a failure here is the last wrong code, a no types none."""
    return approval.code_tries + (outcome is Outcome.FAILED)
