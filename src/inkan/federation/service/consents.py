"""A consent that is taken back: no token, refresh or userinfo answer gives the values any more.

Two ways lead here, because grants outlive sessions: while the session is kept it is asked at each reading
(:func:`inkan.federation.service.grants.answered_of`), and the event of the withdrawal removes the values for good.
"""

import msgspec

from inkan.federation.service import grants
from inkan.federation.service.parts import ANSWER, Parts
from inkan.federation.store import grants as store
from inkan.identification import ConsentTakenBack
from inkan.store.database import Step


async def on_consent_taken_back(parts: Parts, event: ConsentTakenBack) -> None:
    """Remove the values from the grant of that session; nothing to do when it has none. The outbox calls it.

    Raises:
        GrantRefused: a rival changed the grant just now; the outbox calls again.
    """
    await parts.db.transact(_forget, parts, event)


def _forget(parts: Parts, event: ConsentTakenBack) -> Step[None]:
    grant = yield from grants.find(store.BY_SESSION, event.session)
    if grant is None:
        return
    row = yield store.ANSWER.one(key=grant.id)
    if row is None or row.answer is None:
        return
    answered = yield from grants.kept_of(parts, grant)
    if not answered.claims and answered.receipt is None:
        return
    left = msgspec.json.encode(grants.without_claims(answered))
    yield from grants.change(
        parts,
        grant,
        grant,
        query=store.FORGET,
        values={"new_answer": parts.sealer.seal(ANSWER, grant.id, left)},
        did="claims_withdrawn",
    )
