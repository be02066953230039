"""State machines as tables.

A machine is data: ``(state, event) -> state``. What the table does not hold is refused. The state itself
is persisted by compare-and-set in the feature's store, so that two rivals cannot both win.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Generic, TypeVar

from inkan.kernel.errors import Conflict

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


class StepRefused(Conflict):
    """The machine has no row for this event in this state."""

    code = "step_refused"
    title = "This step is not possible in the present state"
    public = ("state", "event")


class Machine(Generic[State, Event]):
    """A table of steps with one start state."""

    def __init__(self, start: State, rows: Mapping[tuple[State, Event], State]) -> None:
        self.start = start
        self.rows = dict(rows)

    def after(self, state: State, event: Event) -> State:
        """Return the next state.

        Raises:
            StepRefused: the table has no such row.
        """
        try:
            return self.rows[state, event]
        except KeyError:
            raise StepRefused(
                f"no step {event} from {state}", state=str(state), event=str(event)
            ) from None

    def before(self, event: Event) -> frozenset[State]:
        """Return the states from which the event is possible: the WHERE clause of its compare-and-set."""
        return frozenset(state for state, row_event in self.rows if row_event == event)

    @property
    def final(self) -> frozenset[State]:
        """The states that no row leaves."""
        sources = {state for state, _ in self.rows}
        return frozenset(self.reachable - sources)

    @property
    def reachable(self) -> frozenset[State]:
        """The states that some sequence of events leads to, the start included."""
        seen: set[State] = {self.start}
        while True:
            found = {to for (state, _), to in self.rows.items() if state in seen} - seen
            if not found:
                return frozenset(seen)
            seen |= found

    def mermaid(self) -> str:
        """The diagram of the table, for the manual."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.start}"]
        lines += [f"    {state} --> {to}: {event}" for (state, event), to in self.rows.items()]
        lines += [f"    {state} --> [*]" for state in sorted(self.final)]
        return "\n".join(lines)


AnyMachine = Machine[Any, Any]
