"""What the instance asks of sessions of its own system, without the HTTP of the RP API.

Only code of this process comes here. A relying party never learns who a person is beyond its pairwise
reference; the instance, which keeps the persons, does.
"""

from inkan.identification import store
from inkan.identification.model import Answer, SessionNotFound
from inkan.identification.service.parts import Parts, find
from inkan.kernel.ids import SessionID, SystemID
from inkan.store.database import Step
from inkan.wire.session import Outcome, SessionState


def session_of_key(idempotency_key: str, system: SystemID) -> Step[SessionID]:
    """Step: the session that the system created under this Idempotency-Key, within the last day.

    Raises:
        SessionNotFound: there is none.
    """
    row = yield store.ID_BY_KEY.one(system=system, key=idempotency_key)
    if row is None:
        raise SessionNotFound()
    return SessionID(row.id)


def answer(parts: Parts, session_id: str, *, system: SystemID) -> Step[Answer | None]:
    """Step: who answered, once the answer is released and good; None in every other state.

    Raises:
        SessionNotFound: unknown, or another system's.
    """
    found = yield from find(parts, session_id, system=system)
    approval = found.approval
    if approval.state is not SessionState.CLOSED or approval.outcome is not Outcome.OK:
        return None
    assert approval.person is not None
    assert approval.decided_at is not None
    return Answer(session=found.session.id, person=approval.person, decided_at=approval.decided_at)
