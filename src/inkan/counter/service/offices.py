"""Offices, and who works there since when."""

from inkan.accounts import Role
from inkan.audit import Actor, ActorKind
from inkan.counter.model import Clerk, CounterEntryMalformed, NotAClerk, Office
from inkan.counter.rules import PROFILES, verify_entry
from inkan.counter.service import shifts
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import office as read_one
from inkan.counter.service.reading import read_clerk, read_office
from inkan.counter.store import offices as store
from inkan.kernel.ids import AccountID, PersonID
from inkan.people import verify_free_text
from inkan.store.database import MOMENT, Step


class Offices:
    """Offices, their clerks, and the clerks' shifts."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # --- offices ---------------------------------------------------------------------------------

    async def add_office(self, office: Office, *, actor: Actor) -> Office:
        """Add an office, or correct what is known of it.

        Raises:
            CounterEntryMalformed: a field has no form that the register keeps, or the authority of that name does
                not issue the certificates of cards (JPKI-04).
            MyNumberRefused: the name holds one.
        """
        for where in ("code", "name", "municipality", "phone"):
            verify_entry(getattr(office, where), where=where)
        verify_free_text(office.name, where="name")
        self._verify_authority(office.authority)
        return await self._parts.db.transact(self._add_office, office, actor)

    def _verify_authority(self, name: str) -> None:
        authority = self._parts.pki.hierarchy.find(name)
        if authority is None or not set(PROFILES.values()) <= set(authority.profiles):
            raise CounterEntryMalformed(where="authority")

    def _add_office(self, office: Office, actor: Actor) -> Step[Office]:
        moment = yield MOMENT
        event = yield from self._parts.audit.record(
            "counter.office_recorded",
            actor=actor,
            object=office.code,
            details={"municipality": office.municipality, "authority": office.authority},
        )
        yield store.PUT_OFFICE.run(
            code=office.code,
            name=office.name,
            municipality=office.municipality,
            authority=office.authority,
            phone=office.phone,
            created_at=moment,
            event_id=event,
        )
        return office

    async def offices(self) -> list[Office]:
        """Every office, by code."""
        return await self._parts.db.read(_offices)

    async def office(self, code: str) -> Office:
        """The office of this code.

        Raises:
            OfficeUnknown: there is none.
        """
        return await self._parts.db.read(read_one, code)

    # --- clerks ----------------------------------------------------------------------------------

    async def add_clerk(
        self, account: AccountID, person: PersonID, office: str, *, actor: Actor
    ) -> Clerk:
        """Let an account of the role *clerk* work at an office; the person's card logs it in.

        Somebody who works here already moves to the office; their shift ends.

        Raises:
            AccountUnknown, PersonNotFound, OfficeUnknown: there is none.
            NotAClerk: the account does not have the role.
            RowExists: the person is another account's clerk.
        """
        return await self._parts.db.transact(self._add_clerk, account, person, office, actor)

    def _add_clerk(
        self, account: AccountID, person: PersonID, office: str, actor: Actor
    ) -> Step[Clerk]:
        parts = self._parts
        owner = yield from parts.accounts.reading(account)
        if Role.CLERK not in owner.roles:
            raise NotAClerk()
        yield from parts.people.get(person)
        yield from read_one(office)
        yield from shifts.end(parts, account, actor=actor)
        moment = yield MOMENT
        event = yield from parts.audit.record(
            "counter.clerk_recorded",
            actor=actor,
            subject=person,
            object=account,
            details={"office": office},
        )
        yield store.PUT_CLERK.run(
            account=account,
            person=person,
            office=office,
            created_at=moment,
            ended_at=None,
            event_id=event,
        )
        return Clerk(account=account, person=person, office=office, shift=None)

    async def end_clerk(self, account: AccountID, *, actor: Actor) -> None:
        """Take a clerk from the counter: the shift ends with it.

        Raises:
            ClerkNotOnDuty: the account belongs to no clerk.
        """
        await self._parts.db.transact(self._end_clerk, account, actor)

    def _end_clerk(self, account: AccountID, actor: Actor) -> Step[None]:
        clerk = yield from shifts.present(account)
        yield from shifts.end(self._parts, account, actor=actor)
        event = yield from self._parts.audit.record(
            "counter.clerk_ended", actor=actor, subject=clerk.person, object=account
        )
        yield store.END_CLERK.run(key=account, event=event)

    async def clerks(self, office: str) -> list[Clerk]:
        """The clerks of an office, the first who came first."""
        return await self._parts.db.read(_clerks, office)

    async def clerk_of(self, account: AccountID) -> Clerk | None:
        """Where an account works, and its present shift; None unless it is a clerk's."""
        return await self._parts.db.read(_clerk_of, account)

    async def clerk_by_person(self, person: PersonID) -> Clerk | None:
        """The clerk whose card this is; None unless the person is a clerk."""
        return await self._parts.db.read(clerk_by_person, person)

    # --- shifts ----------------------------------------------------------------------------------

    async def begin_shift(self, account: AccountID) -> Clerk:
        """Begin the clerk's shift at their office; begun before, it goes on.

        Raises:
            ClerkNotOnDuty: the account belongs to no clerk.
        """
        return await self._parts.db.transact(shifts.begin, self._parts, account)

    async def end_shift(self, account: AccountID) -> Clerk:
        """End the clerk's shift; the clerk's open cases stay for the office's other clerks.

        Raises:
            ClerkNotOnDuty: the account belongs to no clerk.
        """
        return await self._parts.db.transact(self._end_shift, account)

    def _end_shift(self, account: AccountID) -> Step[Clerk]:
        yield from shifts.end(self._parts, account, actor=Actor(ActorKind.STAFF, account))
        return (yield from shifts.present(account))


def clerk_by_person(person: PersonID) -> Step[Clerk | None]:
    """Step: the clerk who is this person, or None."""
    return read_clerk((yield store.CLERK_BY_PERSON.one(person=person)))


def _clerk_of(account: AccountID) -> Step[Clerk | None]:
    return read_clerk((yield store.CLERK.one(account=account)))


def _clerks(office: str) -> Step[list[Clerk]]:
    rows = yield store.CLERKS_OF.all(office=office)
    return [clerk for clerk in map(read_clerk, rows) if clerk is not None]


def _offices() -> Step[list[Office]]:
    rows = yield store.OFFICES.all()
    return [read_office(row) for row in rows]
