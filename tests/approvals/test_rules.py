"""The machine of an approval: total, reachable, and drawn for the manual."""

from datetime import timedelta
from itertools import product

import pytest

from approvals.samples import LIFE, NOW, approval
from inkan.approvals import MACHINE, OPEN_LIFE, UNDECIDED, is_releasable, state_at
from inkan.approvals.model import ApprovalStep
from inkan.approvals.rules import MAX_GENERATIONS
from inkan.kernel.machine import StepRefused
from inkan.wire.session import SessionState

TABLE = {
    SessionState.CREATED: {"present": "presented", "cancel": "cancelled", "expire": "expired"},
    SessionState.PRESENTED: {
        "present": "presented",
        "open": "opened",
        "fail": "closed",
        "cancel": "cancelled",
        "expire": "expired",
    },
    SessionState.OPENED: {
        "reopen": "presented",
        "decide": "decided",
        "cancel": "cancelled",
        "expire": "expired",
    },
    SessionState.DECIDED: {"strengthen": "decided", "release": "closed", "expire": "expired"},
    SessionState.CLOSED: {},
    SessionState.CANCELLED: {},
    SessionState.EXPIRED: {},
}


def test_every_pair_of_state_and_step_is_as_designed():
    assert TABLE.keys() == set(SessionState)
    for state, step in product(SessionState, ApprovalStep):
        expected = TABLE[state].get(step.value)
        if expected is None:
            with pytest.raises(StepRefused):
                MACHINE.after(state, step)
        else:
            assert MACHINE.after(state, step) == expected


def test_every_state_is_reachable_and_the_three_ends_are_final():
    assert MACHINE.start is SessionState.CREATED
    assert MACHINE.reachable == set(SessionState)
    assert MACHINE.final == {SessionState.CLOSED, SessionState.CANCELLED, SessionState.EXPIRED}
    assert {state for state in SessionState if "cancel" in TABLE[state]} == UNDECIDED


def test_the_diagram_shows_every_row():
    diagram = MACHINE.mermaid().splitlines()
    assert diagram[:2] == ["stateDiagram-v2", "    [*] --> created"]
    for state, steps in TABLE.items():
        for step, after in steps.items():
            assert f"    {state} --> {after}: {step}" in diagram


@pytest.mark.parametrize("state", list(SessionState))
@pytest.mark.req("TW-45")
def test_time_alone_ends_what_is_undecided(state: SessionState):
    later = NOW + timedelta(minutes=5)
    held = approval(state=state, expires_at=NOW, redeem_until=later)
    assert state_at(held, NOW - timedelta(microseconds=1)) is state
    assert state_at(held, NOW) is (SessionState.EXPIRED if state in UNDECIDED else state)


def test_time_alone_ends_an_answer_that_nobody_fetches():
    held = approval(
        state=SessionState.DECIDED, expires_at=NOW, redeem_until=NOW + timedelta(seconds=60)
    )
    assert state_at(held, NOW + timedelta(seconds=59)) is SessionState.DECIDED
    assert state_at(held, NOW + timedelta(seconds=60)) is SessionState.EXPIRED


def test_an_opening_is_releasable_after_a_minute_and_three_times():
    opened = approval(state=SessionState.OPENED, opened_at=NOW, generation=MAX_GENERATIONS - 1)
    assert timedelta(seconds=60) == OPEN_LIFE
    assert MAX_GENERATIONS == 1 + 3
    assert not is_releasable(opened, NOW + OPEN_LIFE - timedelta(microseconds=1))
    assert is_releasable(opened, NOW + OPEN_LIFE)
    assert not is_releasable(opened, opened.expires_at)
    used_up = approval(state=SessionState.OPENED, opened_at=NOW, generation=MAX_GENERATIONS)
    assert not is_releasable(used_up, NOW + OPEN_LIFE)
    for state in set(SessionState) - {SessionState.OPENED}:
        held = approval(state=state, opened_at=NOW, redeem_until=NOW + LIFE)
        assert not is_releasable(held, NOW + OPEN_LIFE)
