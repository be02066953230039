"""Steps on grants that every flow joins: begin, answer, deny, use, revoke."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.federation.model.grant import Answered, Grant, GrantEvent, GrantKind, GrantState
from inkan.federation.model.refusals import GrantRefused
from inkan.federation.model.request import Asked
from inkan.federation.rules import GRANT_MACHINE
from inkan.federation.service.parts import ANSWER, Parts
from inkan.federation.store import grants as store
from inkan.kernel.ids import SessionID, SystemID
from inkan.store.database import MOMENT, Step
from inkan.store.query import Query

PROVIDER = Actor(ActorKind.PLATFORM, "openid")


def begin(parts: Parts, grant: Grant) -> Step[Grant]:
    """Step: write down a new grant (state PENDING, or GRANTED for a login used again).

    Raises:
        GrantRefused: its session or handle has a grant.
    """
    event = yield from parts.audit.record(
        "federation.grant_begun",
        actor=Actor(ActorKind.SYSTEM, grant.system),
        object=grant.id,
        details={"kind": str(grant.kind), "scope": grant.asked.scope},
    )
    made = yield store.INSERT.run(**msgspec.structs.asdict(grant), answer=None, event_id=event)
    if not made:
        raise GrantRefused()
    return grant


def find(query: Query, key: str) -> Step[Grant | None]:
    """Step: the grant that a query of the store finds by ``key``."""
    row = yield query.one(key=key)
    return read_grant(row) if row else None


def answer(
    parts: Parts,
    grant: Grant,
    *,
    answered: Answered,
    sub: str,
    acr: str,
    amr: list[str],
    auth_time: datetime,
    login: str | None,
    sid: str | None,
    scope: list[str],
) -> Step[Grant]:
    """Step: the person agreed; what was given is sealed with the grant.

    Raises:
        GrantRefused: answered, denied or revoked before.
    """
    if grant.session is not None and (yield from parts.identification.is_withdrawn(grant.session)):
        answered = without_claims(answered)
    sealed = parts.sealer.seal(ANSWER, grant.id, msgspec.json.encode(answered))
    changed = msgspec.structs.replace(
        grant,
        state=_after(grant, GrantEvent.ANSWER),
        sub=sub,
        acr=acr,
        amr=amr,
        auth_time=auth_time,
        login=login,
        sid=sid,
        scope=scope,
    )
    values = {
        **_state(changed),
        "new_login": login,
        "new_sid": sid,
        "new_sub": sub,
        "new_acr": acr,
        "new_amr": amr,
        "new_auth_time": auth_time,
        "new_scope": scope,
        "new_answer": sealed,
    }
    return (
        yield from change(
            parts, grant, changed, query=store.SET_ANSWER, values=values, did="answered"
        )
    )


def deny(parts: Parts, grant: Grant) -> Step[Grant]:
    """Step: the answer is no, whatever the reason.

    Raises:
        GrantRefused: it is not pending.
    """
    changed = msgspec.structs.replace(grant, state=_after(grant, GrantEvent.DENY))
    return (
        yield from change(
            parts, grant, changed, query=store.SET_STATE, values=_state(changed), did="denied"
        )
    )


def use(
    parts: Parts,
    grant: Grant,
    *,
    jkt: str | None,
    x5t: str | None,
    refresh_sha256: str | None,
    expires_at: datetime,
) -> Step[Grant]:
    """Step: tokens are issued from it now, bound to that key.

    Raises:
        GrantRefused: a rival used it first, or it is not granted.
    """
    changed = msgspec.structs.replace(
        grant,
        state=_after(grant, GrantEvent.USE),
        jkt=jkt,
        x5t=x5t,
        refresh_sha256=refresh_sha256,
        expires_at=expires_at,
    )
    values = {
        **_state(changed),
        "new_jkt": jkt,
        "new_x5t": x5t,
        "new_refresh": refresh_sha256,
        "new_expires_at": expires_at,
    }
    return (
        yield from change(parts, grant, changed, query=store.SET_USED, values=values, did="used")
    )


def revoke(parts: Parts, grant: Grant) -> Step[Grant]:
    """Step: everything issued from it is dead; a grant that is revoked or was never granted stays as it is."""
    if grant.state not in GRANT_MACHINE.before(GrantEvent.REVOKE):
        return grant
    changed = msgspec.structs.replace(grant, state=GrantState.REVOKED)
    return (
        yield from change(
            parts, grant, changed, query=store.SET_STATE, values=_state(changed), did="revoked"
        )
    )


def change(
    parts: Parts, grant: Grant, changed: Grant, *, query: Query, values: Mapping[str, Any], did: str
) -> Step[Grant]:
    """Step: one compare-and-set of a grant and its audit event; returns it as it is then.

    Raises:
        GrantRefused: a rival came first.
    """
    event = yield from parts.audit.record(
        f"federation.grant_{did}", actor=PROVIDER, object=grant.id
    )
    done = yield query.run(key=grant.id, seen=grant.version, event=event, **values)
    if not done:
        raise GrantRefused("a rival came first")
    return msgspec.structs.replace(changed, version=grant.version + 1)


def answered_of(parts: Parts, grant: Grant) -> Step[Answered]:
    """Step: what the person gave, without what their consent no longer gives.

    Raises:
        GrantRefused: nothing is kept.
    """
    answered = yield from kept_of(parts, grant)
    if not answered.claims or grant.session is None:
        return answered
    is_withdrawn = yield from parts.identification.is_withdrawn(grant.session)
    return without_claims(answered) if is_withdrawn else answered


def without_claims(answered: Answered) -> Answered:
    """What is left when the consent was taken back: neither the values nor the receipt that holds them."""
    return msgspec.structs.replace(answered, claims={}, receipt=None)


def kept_of(parts: Parts, grant: Grant) -> Step[Answered]:
    """Step: what is kept of the person's answer, whatever became of the consent.

    Raises:
        GrantRefused: nothing is kept.
    """
    row = yield store.ANSWER.one(key=grant.id)
    if row is None or row.answer is None:
        raise GrantRefused()
    return msgspec.json.decode(
        parts.sealer.open(ANSWER, grant.id, row.answer).reveal(), type=Answered
    )


def is_over(grant: Grant) -> Step[bool]:
    """Step: whether the time of its handle has passed."""
    moment = yield MOMENT
    return bool(grant.handle_expires_at <= moment)


def read_grant(row: Any) -> Grant:
    """The grant of a row."""
    values = row._asdict()
    values |= {
        "kind": GrantKind(row.kind),
        "state": GrantState(row.state),
        "system": SystemID(row.system),
        "session": SessionID(row.session) if row.session else None,
        "asked": msgspec.convert(row.asked, Asked),
    }
    return Grant(**values)


def _state(grant: Grant) -> dict[str, Any]:
    return {"new_state": str(grant.state)}


def _after(grant: Grant, event: GrantEvent) -> GrantState:
    after = GRANT_MACHINE.rows.get((grant.state, event))
    if after is None:
        raise GrantRefused(f"the grant is {grant.state}")
    return after
