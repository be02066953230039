"""The steps of an approval as rivals: one row, one compare-and-set, one winner, on both databases."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from approvals.samples import CHEN, LIFE, LIN, question
from inkan.approvals import (
    OPEN_LIFE,
    REDEEM_LIFE,
    Approval,
    ApprovalEnded,
    ApprovalMoved,
    ApprovalNotFound,
    Approvals,
    Decision,
    DecisionConflict,
    OpenedElsewhere,
    Opener,
)
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import ApprovalID, EventID, new_id
from inkan.store.database import Database
from inkan.wire.binding import Evidence, StatementDoor
from inkan.wire.session import Outcome, SessionState
from people.persons import sealer
from support.clock import StandingClock

EVENT = EventID("evt_test")
YES = Decision(outcome=Outcome.OK, reason=None, statement_sha256="a" * 43, redeem_until=None)
NO = Decision(
    outcome=Outcome.REFUSED, reason="user_refused", statement_sha256=None, redeem_until=None
)


class Steps:
    """Each step in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.db = database
        self.approvals = Approvals(sealer=sealer())

    async def ask(self, *, handle: bool = True) -> Approval:
        asked = await self.db.transact(
            self.approvals.ask,
            question(),
            approval_id=ApprovalID(new_id("apr")),
            handle=new_id("qr") if handle else None,
            link=None,
            is_presented=handle,
            expires_at=self.db.now() + LIFE,
            event=EVENT,
        )
        assert asked == await self.read(asked)
        return asked

    async def read(self, approval: Approval) -> Approval:
        return await self.db.read(self.approvals.get, approval.id)

    async def run(self, step: Any, approval: Approval, **arguments: Any) -> Any:
        """The step, after checking that what it returns is what the row says."""
        after = await self.db.transact(step, approval, event=EVENT, **arguments)
        assert after == await self.read(approval)
        return after

    async def open(self, approval: Approval, opener: Opener = CHEN) -> Approval:
        return await self.run(
            self.approvals.open,
            approval,
            opener=opener,
            door=StatementDoor.QR,
            evidence=[],
            draft="{}",
        )

    async def decide(
        self, approval: Approval, decision: Decision = YES, opener: Opener = CHEN
    ) -> Approval:
        return await self.run(self.approvals.decide, approval, opener=opener, decision=decision)

    async def cancel(self, approval: Approval) -> Approval:
        return await self.run(self.approvals.cancel, approval)

    async def reopen(self, approval: Approval) -> Approval:
        return await self.run(self.approvals.reopen, approval)

    async def expire(self, approval: Approval) -> Approval:
        return await self.run(self.approvals.expire, approval)


@pytest.fixture
def steps(database: Database) -> Steps:
    return Steps(database)


async def test_each_step_returns_the_row_that_it_wrote(steps: Steps):
    asked = await steps.ask(handle=False)
    assert (asked.state, asked.generation, asked.handle) == (SessionState.CREATED, 0, None)
    presented = await steps.run(steps.approvals.present, asked, handle="qr_" + "a" * 26)
    opened = await steps.open(presented)
    reopened = await steps.reopen(opened)
    assert (reopened.generation, reopened.draft, reopened.phone) == (2, None, None)
    assert reopened.handle != presented.handle
    closed = await steps.decide(await steps.open(reopened))
    assert (closed.state, closed.outcome, closed.version) == (SessionState.CLOSED, "ok", 6)
    assert closed.decided_at == closed.released_at
    by_handle = steps.approvals.find_by_handle
    assert await steps.db.read(by_handle, presented.handle) is None
    assert await steps.db.read(by_handle, reopened.handle) == closed


async def test_a_decision_may_wait_for_its_release(steps: Steps):
    opened = await steps.open(await steps.ask())
    until = steps.db.now() + REDEEM_LIFE
    waiting = Decision(
        outcome=Outcome.OK, reason=None, statement_sha256="a" * 43, redeem_until=until
    )
    decided = await steps.decide(opened, waiting)
    assert (decided.state, decided.released_at) == (SessionState.DECIDED, None)
    with pytest.raises(ApprovalEnded):
        await steps.cancel(decided)


async def test_evidence_is_added_while_the_answer_awaits_its_return(
    steps: Steps, clock: StandingClock
):
    opened = await steps.open(await steps.ask())
    strengthen, seen = steps.approvals.strengthen, Evidence.HYBRID
    with pytest.raises(ApprovalMoved):
        await steps.run(strengthen, opened, evidence=seen)
    until = steps.db.now() + REDEEM_LIFE
    waiting = Decision(
        outcome=Outcome.OK, reason=None, statement_sha256="a" * 43, redeem_until=until
    )
    decided = await steps.decide(opened, waiting)
    rivals = await asyncio.gather(
        *(steps.run(strengthen, decided, evidence=seen) for _ in range(3)), return_exceptions=True
    )
    [stronger] = [each for each in rivals if isinstance(each, Approval)]
    assert (stronger.state, stronger.evidence) == (SessionState.DECIDED, ("hybrid",))
    clock.tick(REDEEM_LIFE)
    with pytest.raises(ApprovalEnded):
        await steps.run(strengthen, stronger, evidence=seen)


async def test_a_step_from_a_state_that_has_moved_on_changes_nothing(steps: Steps):
    asked = await steps.ask()
    opened = await steps.open(asked)
    assert await steps.open(asked) == opened  # the same phone, quicker in a parallel request
    with pytest.raises(OpenedElsewhere):
        await steps.open(asked, LIN)
    with pytest.raises(OpenedElsewhere):
        await steps.decide(opened, opener=LIN)
    again = await steps.open(await steps.reopen(opened))
    for stale in (steps.decide(opened), steps.cancel(opened), steps.reopen(opened)):
        with pytest.raises(ApprovalMoved):
            await stale
    closed = await steps.decide(again)
    with pytest.raises(DecisionConflict):
        await steps.decide(again, NO)
    for late in (steps.cancel(again), steps.reopen(again), steps.open(asked)):
        with pytest.raises(ApprovalEnded) as ended:
            await late
        assert ended.value.public_facts == {"state": "closed"}
    assert await steps.read(asked) == closed


async def test_three_releases_and_no_more(steps: Steps):
    approval = await steps.ask()
    for generation in (2, 3, 4):
        approval = await steps.reopen(await steps.open(approval))
        assert approval.generation == generation
    opened = await steps.open(approval)
    with pytest.raises(ApprovalEnded):
        await steps.reopen(opened)
    assert (await steps.decide(opened)).outcome == "ok"


@pytest.mark.req("TW-45")
async def test_after_its_time_no_step_but_expiry_changes_an_approval(
    steps: Steps, clock: StandingClock
):
    created, presented = await steps.ask(handle=False), await steps.ask()
    opened = await steps.open(await steps.ask())
    with pytest.raises(ApprovalMoved):
        await steps.expire(opened)
    clock.tick(LIFE)
    handle = new_id("qr")
    for late in (
        steps.run(steps.approvals.present, created, handle=handle),
        steps.open(presented),
        steps.decide(opened),
        steps.reopen(opened),
        *(steps.cancel(each) for each in (created, presented, opened)),
    ):
        with pytest.raises(ApprovalEnded) as ended:
            await late
        assert ended.value.public_facts == {"state": "expired"}
    overdue = await steps.db.scan(steps.approvals.overdue)
    assert sorted(overdue) == sorted(each.id for each in (created, presented, opened))
    for each in (created, presented, opened):
        assert (await steps.expire(each)).state is SessionState.EXPIRED
        with pytest.raises(ApprovalEnded):
            await steps.expire(each)
    assert await steps.db.scan(steps.approvals.overdue) == []


@pytest.mark.race
async def test_of_many_rival_phones_one_opens(steps: Steps):
    for _ in range(5):
        asked = await steps.ask()
        outcomes = await asyncio.gather(
            *(steps.open(asked, opener) for opener in (CHEN, LIN) * 4), return_exceptions=True
        )
        winner = (await steps.read(asked)).phone
        for opener, outcome in zip((CHEN, LIN) * 4, outcomes, strict=True):
            won = opener.phone == winner
            assert isinstance(outcome, Approval if won else OpenedElsewhere)


@pytest.mark.race
async def test_of_rival_decisions_cancellation_and_time_one_wins(
    steps: Steps, clock: StandingClock
):
    for round_ in range(6):
        opened = await steps.open(await steps.ask())
        if round_ % 2:
            clock.tick(LIFE)
        rivals = [
            steps.decide(opened),
            steps.decide(opened, NO),
            steps.cancel(opened),
            steps.reopen(opened),
            steps.expire(opened),
        ]
        outcomes = await asyncio.gather(*rivals, return_exceptions=True)
        won = [each for each in outcomes if isinstance(each, Approval)]
        assert won == [await steps.read(opened)]
        lost = [each for each in outcomes if not isinstance(each, Approval)]
        assert all(isinstance(each, InkanError) for each in lost), lost


async def test_a_phone_sees_what_it_has_open(steps: Steps, clock: StandingClock):
    first = await steps.open(await steps.ask())
    await steps.open(await steps.ask(), LIN)
    assert await steps.db.read(steps.approvals.opened_on, CHEN.phone) == [first]
    clock.tick(LIFE)
    assert await steps.db.read(steps.approvals.opened_on, CHEN.phone) == []


async def test_unknown_is_not_found(steps: Steps):
    with pytest.raises(ApprovalNotFound):
        await steps.db.read(steps.approvals.get, "apr_unknown")
    assert await steps.db.read(steps.approvals.find_by_handle, "qr_unknown") is None


@pytest.mark.req("TW-38")
async def test_records_are_sealed_listed_newest_first_and_erasable(
    steps: Steps, clock: StandingClock
):
    def note(number: int, opener: Opener = CHEN) -> Any:
        return steps.db.transact(
            steps.approvals.note_use,
            opener=opener,
            outcome=Outcome.OK,
            detail={"relying_party": f"稅務局 {number}"},
            event=EVENT,
        )

    for number in range(3):
        await note(number)
        clock.tick(1)
    await note(9, LIN)
    records = steps.approvals.records
    until = steps.db.now() + timedelta(seconds=1)
    listed = await steps.db.read(records, CHEN.person, before=until)
    assert [each.detail["relying_party"][-1] for each in listed] == ["2", "1", "0"]
    older = await steps.db.read(records, CHEN.person, before=listed[0].at)
    assert older == listed[1:]
    assert await steps.db.transact(steps.approvals.erase_records, CHEN.person) == 3
    erased = await steps.db.read(records, CHEN.person, before=until)
    assert [(each.id, each.detail) for each in erased] == [(each.id, None) for each in listed]
    (untouched,) = await steps.db.read(records, LIN.person, before=until)
    assert untouched.detail == {"relying_party": "稅務局 9"}


async def test_only_what_has_ended_in_its_row_is_forgotten(steps: Steps, clock: StandingClock):
    undecided = await steps.ask()
    decided = await steps.decide(await steps.open(await steps.ask()))
    clock.tick(LIFE)
    fresh = await steps.ask()
    cancelled = await steps.cancel(await steps.ask())

    async def purge() -> int:
        return await steps.db.transact(steps.approvals.purge, before=steps.db.now())

    assert await purge() == 1
    with pytest.raises(ApprovalNotFound):
        await steps.read(decided)
    for kept in (undecided, fresh, cancelled):
        assert await steps.read(kept) == kept
    await steps.expire(undecided)
    assert await purge() == 1
    assert OPEN_LIFE < LIFE
