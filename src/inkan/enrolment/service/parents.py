"""What becomes of phones when the card that they were bound with ends, or the person dies (design §5.2 step 8).

The scheme's table says it, cause by cause. A status source that cannot be reached stops renewals and
changes nothing else.
"""

from datetime import datetime

from inkan.enrolment import store
from inkan.enrolment.model import Phone, PhoneState
from inkan.enrolment.rules import CAUSE_OF_REASON, PARENT_CHECK_EVERY
from inkan.enrolment.service import phones
from inkan.enrolment.service.parts import PLATFORM, Parts, read_phone, scheme_of
from inkan.kernel.ids import PersonID
from inkan.pki import CardState, CardStatus, RevocationReason, StatusUnavailable
from inkan.schemes import Effect, ParentEnd
from inkan.store.database import MOMENT, Step


async def check(parts: Parts) -> int:
    """Ask for every card that was not asked for in the last day; returns how many ended (a schedule's work)."""
    ended = 0
    before, after = parts.db.now() - PARENT_CHECK_EVERY, ""
    while due := await parts.db.scan(_due, before, after):
        for phone_id, authority, serial in due:
            ended += await _check_one(parts, phone_id, authority, serial)
        after = due[-1][0]
    return ended


async def _check_one(parts: Parts, phone_id: str, authority: str, serial: str) -> bool:
    """Apply what the source says; one that does not answer is asked again at the next run."""
    try:
        status = await parts.pki.card_status(authority, serial)
    except StatusUnavailable:
        return False
    cause = _cause(status)
    if cause is not None:
        await end(
            parts, authority=authority, serial=serial, cause=cause, reported_loss=status.since
        )
    await parts.db.transact(_checked, phone_id)
    return cause is not None


def _cause(status: CardStatus) -> ParentEnd | None:
    if status.state is CardState.GOOD:
        return None
    return ParentEnd.EXPIRED if status.state is CardState.EXPIRED else cause_of(status.reason)


def cause_of(reason: RevocationReason | None) -> ParentEnd:
    """The cause in the scheme's table that a revocation reason stands for."""
    return CAUSE_OF_REASON[reason or RevocationReason.UNSPECIFIED]


async def end(
    parts: Parts,
    *,
    authority: str,
    serial: str,
    cause: ParentEnd,
    reported_loss: datetime | None = None,
) -> int:
    """Apply the scheme's effect to every phone bound with a card; returns how many changed.

    ``reported_loss`` is when the card was lost; by default now.
    """
    return await parts.db.transact(_end, parts, authority, serial, cause, reported_loss)


def _end(
    parts: Parts, authority: str, serial: str, cause: ParentEnd, reported_loss: datetime | None
) -> Step[int]:
    moment = yield MOMENT
    rows = yield store.PHONES_OF_PARENT.all(authority=authority, serial=serial)
    changed = 0
    for phone in filter(None, map(read_phone, rows)):
        changed += yield from _apply(parts, phone, cause, reported_loss or moment)
    return changed


async def end_of_person(parts: Parts, person: PersonID, *, cause: ParentEnd) -> int:
    """Apply the scheme's effect to every phone of a person, whichever card it was bound with; how many changed."""
    return await parts.db.transact(_end_of_person, parts, person, cause)


def _end_of_person(parts: Parts, person: PersonID, cause: ParentEnd) -> Step[int]:
    moment = yield MOMENT
    rows = yield store.PHONES_OF.all(person=person)
    changed = 0
    for phone in filter(None, map(read_phone, rows)):
        changed += yield from _apply(parts, phone, cause, moment)
    return changed


def _apply(parts: Parts, phone: Phone, cause: ParentEnd, loss: datetime) -> Step[bool]:
    scheme = scheme_of(phone)
    effect = scheme.on_parent_end.of(cause)
    recent = phone.bound_at >= scheme.recent_since(loss)
    suspends = effect is Effect.SUSPEND or (effect is Effect.SUSPEND_RECENT and recent)
    # A phone whose certificates are still being issued has nothing to lose: it ends, and is bound anew.
    if effect is Effect.REVOKE or (suspends and phone.state is PhoneState.ISSUING):
        return (
            yield from phones.revoke(
                parts,
                phone,
                reason=RevocationReason.PRIVILEGE_WITHDRAWN,
                actor=PLATFORM,
            )
        )
    if not suspends:
        return False
    done = yield from phones.suspend(parts, phone, actor=PLATFORM, cause=cause.value)
    if done:
        yield from parts.notices.notify(
            phone.person, "parent_ended", {"phone": phone.name}, phones=()
        )
    return done


def _due(before: datetime, after: str) -> Step[list[tuple[str, str, str]]]:
    rows = yield store.PARENTS_DUE.all(before=before, after=after)
    return [(row.id, row.parent_authority, row.parent_serial) for row in rows]


def _checked(phone_id: str) -> Step[None]:
    yield store.PARENT_CHECKED.run(key=phone_id)
