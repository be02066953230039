"""How a case is taken for an act, and how it ends without having been finished.

Everything that changes takes its locks in one order, so that nobody waits in a circle: the clerk's shift, the person,
the case, the card, the certificates.
"""

from inkan.audit import Actor
from inkan.counter.model import (
    Case,
    CaseExpired,
    CaseOutOfOrder,
    CaseState,
    CaseStep,
    CaseUnknown,
    Clerk,
    OutsideJurisdiction,
    SameClerk,
    SecondClerkNeeded,
)
from inkan.counter.rules import DOCUMENTS, KINDS, MACHINE
from inkan.counter.service import reading, shifts
from inkan.counter.service.parts import Parts
from inkan.counter.service.revoking import end_card
from inkan.counter.store import cases as store
from inkan.kernel.ids import PersonID
from inkan.pki import RevocationReason
from inkan.store.database import MOMENT, Step


def get(parts: Parts, clerk: Clerk, case_id: str) -> Step[Case]:
    """Step: a case of the clerk's office, open or closed.

    Raises:
        CaseUnknown: unknown, or another office's: one answer.
    """
    case = reading.read_case(parts, (yield store.CASE.one(key=case_id)))
    if case is None or case.office != clerk.office:
        raise CaseUnknown()
    return case


def held(parts: Parts, clerk: Clerk, case_id: str) -> Step[Case]:
    """Step: an open case, in time, taken by a clerk on duty at its office; held until COMMIT.

    Raises:
        ClerkNotOnDuty: the clerk's shift has not begun, or has ended.
        CaseUnknown: unknown, or another office's.
        SameClerk: it is the clerk's own.
        CaseOutOfOrder: it is closed.
        CaseExpired: it has run out.
    """
    present = yield from shifts.on_duty(clerk.account)
    known = yield from get(parts, present, case_id)
    if known.person == present.person:
        raise SameClerk()
    case = yield from held_open(parts, known.person, case_id)
    moment = yield MOMENT
    if case.expires_at <= moment:
        raise CaseExpired()
    return case


def held_open(parts: Parts, person: PersonID, case_id: str) -> Step[Case]:
    """Step: an open case of this person, held until COMMIT, in time or not.

    Raises:
        CaseOutOfOrder: it is closed.
        CaseUnknown: there is none.
    """
    yield from parts.people.hold(person)
    case = reading.read_case(parts, (yield store.HELD.one(key=case_id)))
    if case is None:
        raise CaseUnknown()
    if case.state in MACHINE.final:
        raise CaseOutOfOrder(state=case.state.value)
    return case


def again(parts: Parts, case_id: str) -> Step[Case]:
    """Step: a case as it stands after what this transaction changed."""
    case = reading.read_case(parts, (yield store.CASE.one(key=case_id)))
    assert case is not None
    return case


def verify_step(case: Case, step: CaseStep) -> None:
    """Whether a step is next, and nothing is missing for it.

    Raises:
        CaseOutOfOrder: the case is of another kind, or at another step.
        SecondClerkNeeded: no chip was read, and nobody has looked a second time.
    """
    if step not in KINDS[case.kind].steps or case.state not in MACHINE.before(step):
        raise CaseOutOfOrder(state=case.state.value)
    if step in _AFTER_SECOND_LOOK and needs_second_clerk(case):
        raise SecondClerkNeeded()


_AFTER_SECOND_LOOK = frozenset({CaseStep.MAKE_KEYS, CaseStep.HAND_OVER})


def needs_second_clerk(case: Case) -> bool:
    """Whether another clerk still has to look at the person (issue without evidence from a card)."""
    if not KINDS[case.kind].needs_second_clerk or case.confirmed_by is not None:
        return False
    document = case.document
    return (
        document is None or not document.chip_read or not DOCUMENTS[document.kind].is_card_evidence
    )


def verify_jurisdiction(parts: Parts, office: str, person: PersonID) -> Step[None]:
    """Step: whether an office is in charge of a person by where the person lives (JPKI-08).

    Raises:
        ResidentUnknown: nobody recorded where the person lives.
        OutsideJurisdiction: elsewhere.
        OfficeUnknown: there is no such office.
    """
    place = yield from reading.office(office)
    resident = yield from reading.resident(parts, person)
    if resident.municipality != place.municipality:
        raise OutsideJurisdiction()


def withdraw(parts: Parts, case: Case, *, actor: Actor, cause: str) -> Step[Case]:
    """Step: end an open case; what was ordered or written for it never becomes good again."""
    event = yield from parts.audit.record(
        "counter.case_withdrawn",
        actor=actor,
        subject=case.person,
        object=case.id,
        details={"state": case.state.value, "cause": cause, "card": case.card},
    )
    yield store.WITHDRAW.run(key=case.id, seen=case.version, event=event)
    if case.card is not None and case.state is not CaseState.OPENED:
        yield from end_card(
            parts, case.card, reason=RevocationReason.CESSATION_OF_OPERATION, actor=actor
        )
    return (yield from again(parts, case.id))
