"""Steps that end grants and tell it: to the client by back-channel logout, to its stream by a signal."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from inkan.federation.model.grant import Grant
from inkan.federation.model.request import OFFLINE_SCOPE
from inkan.federation.model.streams import SignalType, Stream
from inkan.federation.rules import LIVING_STATES
from inkan.federation.service import backchannel_logout, grants
from inkan.federation.service.parts import Parts
from inkan.federation.service.signals import emit
from inkan.federation.service.streams import read_stream
from inkan.federation.store import ending as store
from inkan.federation.store import streams as streams_store
from inkan.kernel.ids import PersonID, SystemID
from inkan.relying_parties import System
from inkan.store.database import MOMENT, Step


def living_of(parts: Parts, person: PersonID, systems: Iterable[System]) -> Step[list[Grant]]:
    """Step: the person's grants from which tokens live or may still be issued, the oldest first.

    Grants know the person by the pairwise reference alone, so the systems say which references there are.
    """
    sectors = {system.id: system.sector for system in systems}
    references = {
        sector: parts.people.reference(person, sector=sector) for sector in {*sectors.values()}
    }
    rows = yield store.LIVING_OF_SUBS.all(
        subs=sorted(references.values()), states=sorted(str(each) for each in LIVING_STATES)
    )
    found = [grants.read_grant(row) for row in rows]
    return [
        each
        for each in found
        if each.system in sectors and each.sub == references[sectors[each.system]]
    ]


def log_out(parts: Parts, ended: Sequence[Grant], *, over: Collection[str] = ()) -> Step[None]:
    """Step: the logins behind these grants are over, and each client is told which session of it.

    A grant with ``offline_access`` lives on: it was given to work without the person (Back-Channel Logout §2.7).

    Args:
        parts: of the feature.
        ended: grants of these logins, in any state.
        over: logins that had ended before, whose clients were told then.
    """
    moment = yield MOMENT
    for grant in ended:
        lives_on = OFFLINE_SCOPE in grant.scope
        if grant.state not in LIVING_STATES or (lives_on and grant.login in over):
            continue
        if not lives_on:
            yield from grants.revoke(parts, grant)
        yield from _tell(parts, grant.system, sub=grant.sub or "", sid=grant.sid or "", at=moment)


def revoke_all(parts: Parts, ended: Sequence[Grant], *, is_told: bool = False) -> Step[None]:
    """Step: every one of these grants is dead, and each client hears that all sessions of the person are.

    Args:
        parts: of the feature.
        ended: living grants.
        is_told: whether the streams were told already; back-channel logout comes in every case.
    """
    moment = yield MOMENT
    clients: dict[SystemID, str] = {}
    for grant in ended:
        yield from grants.revoke(parts, grant)
        clients[grant.system] = grant.sub or ""
    for system, sub in clients.items():
        yield from _tell(parts, system, sub=sub, sid="", at=moment, is_told=is_told)


def every_stream() -> Step[list[Stream]]:
    """Step: the streams of all systems."""
    rows = yield streams_store.ALL.all()
    return [read_stream(row) for row in rows]


def _tell(
    parts: Parts, system_id: SystemID, *, sub: str, sid: str, at: datetime, is_told: bool = False
) -> Step[None]:
    system = yield from parts.relying_parties.system(system_id)
    if system is None:
        return
    yield from backchannel_logout.announce(system, sub=sub, sid=sid)
    row = yield streams_store.OF_SYSTEM.one(key=system_id)
    if row is not None and not is_told:
        yield from emit(
            parts,
            read_stream(row),
            SignalType.SESSION_REVOKED,
            occurred_at=at,
            cause=f"logout:{sub}:{sid}:{at.isoformat()}",
            subject=sub,
            sid=sid,
            claims={"initiating_entity": "user"},
        )
