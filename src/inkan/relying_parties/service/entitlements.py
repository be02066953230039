"""Which organisations may use My Numbers; everybody else is refused where text is taken (WAT-62)."""

from datetime import datetime

from inkan.audit import Actor, Audit
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import RelyingPartyID
from inkan.people import verify_free_text
from inkan.relying_parties.model.entitlement import (
    EntitlementNotFound,
    EntitlementWrong,
    MyNumberEntitlement,
)
from inkan.relying_parties.store import entitlements as store
from inkan.store.database import MOMENT, Database, Step
from inkan.wire.forms import UnsafeText, verify_line


class Entitlements:
    """Grants and withdraws entitlements; each is in the audit with its basis."""

    def __init__(self, *, db: Database, audit: Audit) -> None:
        self._db = db
        self._audit = audit

    async def grant(self, organisation: str, *, basis: str, until: datetime, actor: Actor) -> None:
        """Note that an organisation may use My Numbers; what was noted before is replaced.

        Args:
            organisation: code.
            basis: the provision of law, one line.
            until: the last moment, aware.
            actor: who saw the provision.

        Raises:
            EntitlementWrong: no such line, or an end that is past.
            MyNumberRefused: the basis holds one (WAT-62).
            EntitlementNotFound: no organisation has this code.
        """
        try:
            verify_line(basis, where="/basis")
        except UnsafeText as wrong:
            raise EntitlementWrong(where="/basis", expected=wrong.facts["expected"]) from None
        verify_free_text(basis, where="/basis")
        await self._db.transact(self._grant, organisation, basis, until, actor)

    async def withdraw(self, organisation: str, *, actor: Actor) -> None:
        """End an entitlement now.

        Raises:
            EntitlementNotFound: no organisation has this code, or it has none in force.
        """
        await self._db.transact(self._withdraw, organisation, actor)

    async def all(self) -> list[MyNumberEntitlement]:
        """Every entitlement that was ever noted last for its organisation, by code."""
        return await self._db.scan(_all)

    def may_use(self, organisation: RelyingPartyID) -> Step[bool]:
        """Step: whether the organisation of this id may use My Numbers now."""
        return (yield store.IN_FORCE.one(id=organisation)) is not None

    def _grant(self, code: str, basis: str, until: datetime, actor: Actor) -> Step[None]:
        moment = yield MOMENT
        if until <= moment:
            raise EntitlementWrong(where="/until", expected="a moment to come")
        organisation = yield from _organisation(code)
        event = yield from self._audit.record(
            "relying_parties.my_number_granted",
            actor=actor,
            object=organisation,
            details={"basis": basis, "until": rfc3339(until)},
        )
        yield store.GRANT.run(
            organisation=organisation,
            basis=basis,
            granted_at=moment,
            until=until,
            ended_at=None,
            event_id=event,
        )

    def _withdraw(self, code: str, actor: Actor) -> Step[None]:
        organisation = yield from _organisation(code)
        event = yield from self._audit.record(
            "relying_parties.my_number_withdrawn", actor=actor, object=organisation
        )
        if not (yield store.WITHDRAW.run(id=organisation, event=event)):
            raise EntitlementNotFound


def _organisation(code: str) -> Step[str]:
    row = yield store.ORGANISATION.one(code=code)
    if row is None:
        raise EntitlementNotFound
    return str(row.id)


def _all() -> Step[list[MyNumberEntitlement]]:
    rows = yield store.ALL.all()
    return [
        MyNumberEntitlement(
            organisation=row.code,
            basis=row.basis,
            granted_at=row.granted_at,
            until=row.until,
            ended_at=row.ended_at,
        )
        for row in rows
    ]
