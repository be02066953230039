"""State machines as tables: what the rows say happens, everything else is refused."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import Conflict
from inkan.kernel.machine import Machine, StepRefused


class State(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    DONE = "done"
    LOST = "lost"


class Event(StrEnum):
    SEND = "send"
    FINISH = "finish"
    RECALL = "recall"


ROWS = {
    (State.DRAFT, Event.SEND): State.SENT,
    (State.SENT, Event.RECALL): State.DRAFT,
    (State.SENT, Event.FINISH): State.DONE,
}
LETTER = Machine(State.DRAFT, ROWS)

tables = st.dictionaries(
    st.tuples(st.sampled_from(State), st.sampled_from(Event)), st.sampled_from(State)
)
machines = st.builds(Machine, st.sampled_from(State), tables)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_what_the_table_does_not_hold_is_refused(state: State, event: Event) -> None:
    if (state, event) in ROWS:
        assert LETTER.after(state, event) is ROWS[state, event]
        return
    with pytest.raises(StepRefused) as refused:
        LETTER.after(state, event)
    assert refused.value.public_facts == {"state": state.value, "event": event.value}
    assert isinstance(refused.value, Conflict)
    assert refused.value.__suppress_context__


def test_final_and_reachable() -> None:
    assert LETTER.reachable == {State.DRAFT, State.SENT, State.DONE}
    assert LETTER.final == {State.DONE}


def test_before_is_where_an_event_may_start() -> None:
    assert LETTER.before(Event.FINISH) == {State.SENT}
    assert Machine(State.DRAFT, {}).before(Event.SEND) == frozenset()


def test_the_table_is_a_copy() -> None:
    rows = dict(ROWS)
    letter = Machine(State.DRAFT, rows)
    rows.clear()
    assert letter.after(State.DRAFT, Event.SEND) is State.SENT


def test_the_diagram_holds_the_start_every_row_and_every_end() -> None:
    assert LETTER.mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> draft",
        "    draft --> sent: send",
        "    sent --> draft: recall",
        "    sent --> done: finish",
        "    done --> [*]",
    ]


@given(machines, st.lists(st.sampled_from(Event), max_size=12))
def test_no_run_leaves_the_reachable_states(tried: Machine[State, Event], run: list[Event]) -> None:
    state = tried.start
    for event in run:
        try:
            state = tried.after(state, event)
        except StepRefused:
            assert state not in tried.before(event)
        assert state in tried.reachable


@given(machines)
def test_final_states_are_reachable_and_have_no_way_out(tried: Machine[State, Event]) -> None:
    for state in tried.final:
        assert state in tried.reachable
        assert not any(state in tried.before(event) for event in Event)
