"""A PIN that was forgotten or locked is set anew at the counter, and nowhere else (JPKI-31, JPKI-33).

The counting of wrong PINs and their form are the card's own; here stands whose card it is, and who did it.
"""

from inkan.audit import Actor
from inkan.counter.model import CardNumberUnknown, CardState, CardTaken, Case, CaseStep
from inkan.counter.service import holding, reading
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import PLATFORM, object_of
from inkan.counter.store import cards as card_store
from inkan.counter.store import cases as store
from inkan.store.database import Step


def verify_own(case: Case, card: str) -> Step[None]:
    """Step: whether a card is the person's and in use; its row is held until COMMIT.

    Raises:
        CardNumberUnknown: it was not made here, or is not in use.
        CardTaken: it is somebody else's.
    """
    known = reading.read_card((yield card_store.HELD.one(key=card)))
    if known is None:
        raise CardNumberUnknown()
    if known.person != case.person:
        raise CardTaken()
    if known.state is not CardState.LIVE:
        raise CardNumberUnknown()


def unlocked(parts: Parts, case: Case, card: str, *, actor: Actor = PLATFORM) -> Step[Case]:
    """Step: the person set a new PIN at the counter; the case is done.

    Raises:
        CaseOutOfOrder: another step is next.
        CardNumberUnknown, CardTaken: see :func:`verify_own`.
        OutsideJurisdiction, NotEligible: the person has moved, or has died, since the case was opened.
    """
    holding.verify_step(case, CaseStep.UNLOCK)
    yield from holding.verify_jurisdiction(parts, case.office, case.person)
    yield from reading.living(parts, case.person)
    yield from verify_own(case, card)
    event = yield from parts.audit.record(
        "counter.card_unlocked",
        actor=actor,
        subject=case.person,
        object=object_of(card),
        details={"case": case.id},
    )
    yield store.UNLOCK.run(key=case.id, seen=case.version, event=event, new_card=card)
    yield from parts.notices.notify(case.person, "card_unlocked", {})
    return (yield from holding.again(parts, case.id))
