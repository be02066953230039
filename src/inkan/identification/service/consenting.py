"""The person's consents: to whom which attributes were given, and taking one back.

Taking back does not undo: whoever fetched the receipt holds it. From then on the platform gives the values out no
more, neither with the session nor with its receipt, and forgets those that the session's row held.
"""

from datetime import datetime

import msgspec

from inkan.attributes import Consent
from inkan.audit import Actor
from inkan.identification import store
from inkan.identification.model import ConsentTakenBack
from inkan.identification.service.parts import Parts, read_session, topic
from inkan.kernel.ids import EventID, PersonID, SessionID
from inkan.store.database import Step, Wake
from inkan.store.outbox import enqueue

WITHDRAWN = "is_withdrawn"
"""Member of a session's result: the consent behind it was taken back."""


class ConsentView(msgspec.Struct, frozen=True):
    """One consent as the person reads it; name, domain and codes are empty once they were erased."""

    id: str
    at: datetime
    relying_party: str
    domain: str
    codes: tuple[str, ...]
    statement_sha256: str
    withdrawn_at: datetime | None


def consents_of(parts: Parts, person: PersonID) -> Step[list[ConsentView]]:
    """Step: the person's 100 newest consents, newest first."""
    consents = yield from parts.attributes.consents(person)
    views = []
    for consent in consents:
        view = yield from _view(parts, consent)
        views.append(view)
    return views


def _view(parts: Parts, consent: Consent) -> Step[ConsentView]:
    system = None
    if consent.system is not None:
        system = yield from parts.relying_parties.system(consent.system)
    return ConsentView(
        id=consent.id,
        at=consent.at,
        relying_party=system.name if system else "",
        domain=system.domain if system else "",
        codes=consent.codes or (),
        statement_sha256=consent.statement_sha256,
        withdrawn_at=consent.withdrawn_at,
    )


async def withdraw(parts: Parts, person: PersonID, consent_id: str, *, actor: Actor) -> None:
    """The person takes a consent back; twice is once.

    Raises:
        ConsentNotFound: unknown, or another person's: one answer.
    """
    await parts.db.transact(_withdraw, parts, person, consent_id, actor)


def _withdraw(parts: Parts, person: PersonID, consent_id: str, actor: Actor) -> Step[None]:
    consent, event = yield from parts.attributes.withdraw_consent(person, consent_id, actor=actor)
    if event is not None and consent.session is not None:
        yield from _forget_values(consent.session, event)
        yield from enqueue(ConsentTakenBack.kind, ConsentTakenBack(session=consent.session))


def is_withdrawn(session_id: SessionID) -> Step[bool]:
    """Step: whether the consent behind a session was taken back; False once the session is forgotten.

    Whoever keeps the values longer than the session hears of it by :class:`ConsentTakenBack`.
    """
    session = read_session((yield store.BY_ID.one(key=session_id)))
    return session is not None and bool((session.result or {}).get(WITHDRAWN))


def _forget_values(session_id: SessionID, event: EventID) -> Step[None]:
    """Step: the session shows no values any more; nothing to do when it was purged before."""
    session = read_session((yield store.BY_ID.one(key=session_id)))
    if session is None or session.result is None:
        return
    result = session.result | {"claims": {}, WITHDRAWN: True}
    yield store.FORGET_CLAIMS.run(key=session_id, new_result=result, event=event)
    yield Wake(topic(session_id))
