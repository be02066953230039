"""What the platform tells a card program, and when."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from inkan.counter.model import CaseKind, CaseState, CaseStep
from inkan.wire.card_command import CardAct

ANSWER_LIFE: Final = timedelta(minutes=12)
"""A person types PINs twice after the program took the command; longer than a command holds (COMMAND_LIFE)."""

_UNFINISHED: Final = frozenset(
    {CaseState.OPENED, CaseState.IDENTIFIED, CaseState.KEYED, CaseState.ORDERED}
)


class ActRow(NamedTuple):
    """One act.

    Attributes:
        step: of the case, that the answer takes; None where the case stays.
        states: where the case may stand; of an act with a step the machine says it.
        needs_card: whether the command names the card, and brings its secrets.
        source: where that stands.
        sets_pins: whether the person chooses PINs, so that the holder's birth date travels with the secrets (JPKI-30).
        kinds: of cases; of an act with a step the machine says it.
    """

    step: CaseStep | None
    states: frozenset[CaseState]
    needs_card: bool
    source: str
    sets_pins: bool = False
    kinds: frozenset[CaseKind] = frozenset(CaseKind)


ACTS: Final[Mapping[CardAct, ActRow]] = {
    CardAct.LOOK: ActRow(None, frozenset(CaseState), needs_card=False, source="JPKI-21"),
    CardAct.MAKE_KEYS: ActRow(
        CaseStep.MAKE_KEYS,
        frozenset({CaseState.IDENTIFIED}),
        needs_card=True,
        source="JPKI-21",
        sets_pins=True,
    ),
    CardAct.WRITE: ActRow(
        CaseStep.WRITE, frozenset({CaseState.ORDERED}), needs_card=True, source="JPKI-21"
    ),
    CardAct.UNLOCK: ActRow(
        CaseStep.UNLOCK,
        frozenset({CaseState.IDENTIFIED}),
        needs_card=True,
        source="JPKI-31, JPKI-33",
        sets_pins=True,
    ),
    # Never of a card that waits to be handed over: the person would get an empty one. Nor of one in use, whose keys a
    # case of another kind would give out before anybody was identified.
    CardAct.CLEAR: ActRow(
        None,
        _UNFINISHED,
        needs_card=True,
        source="JPKI-25",
        kinds=frozenset({CaseKind.ISSUE}),
    ),
}
