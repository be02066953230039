"""A clerk acts during a shift at their office, and at no other time."""

from inkan.audit import Actor, ActorKind
from inkan.counter.model import Clerk, ClerkNotOnDuty
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import read_clerk
from inkan.counter.store import offices as store
from inkan.kernel.ids import AccountID, new_id
from inkan.store.database import MOMENT, Step


def begin(parts: Parts, account: AccountID) -> Step[Clerk]:
    """Step: begin a clerk's shift; one that was begun before goes on.

    Raises:
        ClerkNotOnDuty: the account belongs to no clerk.
    """
    clerk = yield from present(account)
    if clerk.shift is not None:
        return clerk
    moment = yield MOMENT
    shift = new_id("sft")
    actor = Actor(ActorKind.STAFF, account)
    event = yield from parts.audit.record(
        "counter.shift_begun", actor=actor, object=shift, details={"office": clerk.office}
    )
    yield store.BEGIN_SHIFT.run(
        id=shift,
        clerk=account,
        office=clerk.office,
        live=store.LIVE,
        begun_at=moment,
        ended_at=None,
        event_id=event,
    )
    return (yield from present(account))


def end(parts: Parts, account: AccountID, *, actor: Actor) -> Step[bool]:
    """Step: end a clerk's shift; False when there is none."""
    row = yield store.HELD_SHIFT.one(clerk=account)
    if row is None:
        return False
    event = yield from parts.audit.record("counter.shift_ended", actor=actor, object=row.id)
    yield store.END_SHIFT.run(key=row.id, event=event)
    return True


def present(account: AccountID) -> Step[Clerk]:
    """Step: the clerk of an account.

    Raises:
        ClerkNotOnDuty: it belongs to none.
    """
    clerk = read_clerk((yield store.CLERK.one(account=account)))
    if clerk is None:
        raise ClerkNotOnDuty()
    return clerk


def on_duty(account: AccountID) -> Step[Clerk]:
    """Step: a clerk whose shift goes on, held until COMMIT: what the database says counts, not what a caller holds.

    Raises:
        ClerkNotOnDuty: no clerk, or no shift.
    """
    row = yield store.HELD_SHIFT.one(clerk=account)
    clerk = yield from present(account)
    if row is None or row.id != clerk.shift or row.office != clerk.office:
        raise ClerkNotOnDuty()
    return clerk
