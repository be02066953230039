"""The register of known browsers (design §5.4): written only after an answer came back to one.

The relying party names a browser by 32 bytes of its own; the platform keeps a keyed hash of it for that system
alone. So two systems cannot compare their browsers, and the person sees and ends each pairing.
"""

from datetime import datetime
from typing import Any

import msgspec

from inkan.audit import Actor
from inkan.identification import store
from inkan.identification.model import BrowserNotFound, Session
from inkan.identification.service.parts import Parts
from inkan.kernel.ids import EventID, PersonID, SystemID, new_id
from inkan.store.database import MOMENT, Step


class KnownBrowser(msgspec.Struct, frozen=True):
    """One pairing as the person reads it."""

    id: str
    relying_party: str
    domain: str
    paired_at: datetime


def is_paired(browser: str | None, person: PersonID) -> Step[bool]:
    """Step: whether this person's answer came back to this browser before."""
    if browser is None:
        return False
    row = yield store.IS_PAIRED.one(browser=browser, person=person)
    return row is not None


def pair(session: Session, person: PersonID, *, event: EventID) -> Step[None]:
    """Step: remember the browser of this session for this person; twice is once."""
    moment = yield MOMENT
    yield store.PAIR.run(
        id=new_id("br"),
        browser=session.terms.browser,
        person=person,
        system=session.system,
        paired_at=moment,
        event_id=event,
    )


def browsers_of(parts: Parts, person: PersonID) -> Step[list[KnownBrowser]]:
    """Step: the person's known browsers, newest first, at most 100."""
    rows = yield store.BROWSERS_OF.all(person=person)
    known = []
    for row in rows:
        one = yield from _known(parts, row)
        known.append(one)
    return known


def _known(parts: Parts, row: Any) -> Step[KnownBrowser]:
    system = yield from parts.relying_parties.system(SystemID(row.system))
    return KnownBrowser(
        id=row.id,
        relying_party=system.name if system else "",
        domain=system.domain if system else "",
        paired_at=row.paired_at,
    )


async def unpair(parts: Parts, person: PersonID, browser_id: str, *, actor: Actor) -> None:
    """The person ends a pairing, on the phone or at home.

    Raises:
        BrowserNotFound: unknown, or another person's: one answer.
    """
    await parts.db.transact(_unpair, parts, person, browser_id, actor)


def _unpair(parts: Parts, person: PersonID, browser_id: str, actor: Actor) -> Step[None]:
    ended = yield store.UNPAIR.run(key=browser_id, person=person)
    if not ended:
        raise BrowserNotFound()
    yield from parts.audit.record(
        "identification.browser_unpaired", actor=actor, subject=person, object=browser_id
    )
