"""What the register of residents says beside name and birth date (JPKI-09), and what ends with it (JPKI-12)."""

from inkan.audit import Actor
from inkan.counter.model import CounterEntryMalformed, Resident
from inkan.counter.rules import verify_entry
from inkan.counter.service import reading
from inkan.counter.service.parts import Parts
from inkan.counter.service.sweeping import end_of_facts, end_of_identity
from inkan.counter.store import residents as store
from inkan.crypto.certificate_view import Sex
from inkan.kernel.ids import PersonID
from inkan.kernel.sensitive import Personal
from inkan.people import Identity, verify_free_text
from inkan.store.database import MOMENT, RowExists, Step


class Residents:
    """The addresses of residents."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def record(
        self,
        person: PersonID,
        sex: Sex,
        address: Personal[str],
        municipality: str,
        actor: Actor,
    ) -> Resident:
        """Record a resident; somebody recorded before is changed as by :meth:`change`.

        Raises:
            PersonNotFound: nobody has this id.
            CounterEntryMalformed: address or municipality have no form that the register keeps.
            MyNumberRefused: the address holds one (WAT-62).
        """
        _verify(address, municipality)
        return await self._parts.db.transact(
            self._record, person, sex, address, municipality, actor
        )

    def _record(
        self, person: PersonID, sex: Sex, address: Personal[str], municipality: str, actor: Actor
    ) -> Step[Resident]:
        parts = self._parts
        yield from parts.people.get(person)
        yield from parts.people.hold(person)
        moment = yield MOMENT
        wanted = Resident(
            person=person,
            sex=sex,
            address=address,
            municipality=municipality,
            changed_at=moment,
        )
        if (yield store.RESIDENT.one(person=person)) is not None:
            yield from self._put(wanted, actor)
        else:
            yield from self._insert(wanted, actor)
        return (yield from reading.resident(parts, person))

    def _insert(self, resident: Resident, actor: Actor) -> Step[None]:
        parts = self._parts
        event = yield from parts.audit.record(
            "counter.resident_recorded",
            actor=actor,
            subject=resident.person,
            details={"municipality": resident.municipality},
        )
        yield store.INSERT.run(
            person=resident.person,
            facts=reading.seal_facts(parts, resident.person, resident.sex, resident.address),
            municipality=resident.municipality,
            changed_at=resident.changed_at,
            version=1,
            event_id=event,
        )

    async def register(
        self,
        identity: Identity,
        sex: Sex,
        address: Personal[str],
        municipality: str,
        *,
        actor: Actor,
    ) -> Resident:
        """Record somebody with their identity, new or known; what differs from before ends their card (JPKI-12).

        Raises:
            CounterEntryMalformed, MyNumberRefused: see :meth:`record`.
        """
        _verify(address, municipality)
        try:
            person = await self._parts.db.transact(self._registered, identity, actor)
        except RowExists:  # somebody registered the same person at this very moment
            person = await self._parts.db.transact(self._registered, identity, actor)
        return await self.record(person, sex, address, municipality, actor)

    def _registered(self, identity: Identity, actor: Actor) -> Step[PersonID]:
        parts = self._parts
        known = yield from parts.people.find_by_national_id(identity.national_id)
        if known is not None:
            yield from parts.people.hold(known.id)
            yield from self._rename(known.id, identity, actor)
            return known.id
        return (yield from parts.people.register_step(identity, actor=actor)).id

    async def of(self, person: PersonID) -> Resident:
        """What the register says of a person.

        Raises:
            ResidentUnknown: nothing.
        """
        return await self._parts.db.read(reading.resident, self._parts, person)

    async def change(
        self,
        person: PersonID,
        *,
        actor: Actor,
        sex: Sex | None = None,
        address: Personal[str] | None = None,
        municipality: str | None = None,
        identity: Identity | None = None,
    ) -> Resident:
        """Change facts of a resident; the person's card certificates end in the same transaction (JPKI-12).

        What is None stays; facts that are the same as before end nothing.

        Args:
            person: who.
            actor: whoever says so.
            sex: as the register says now.
            address: the new one.
            municipality: whose residents the person belongs to now (JPKI-08).
            identity: with the new name or birth date, of the same national ID.

        Raises:
            ResidentUnknown: the person was never recorded.
            CounterEntryMalformed: a form that the register does not keep; the identity is of somebody else.
            MyNumberRefused: the address holds one.
        """
        if address is not None:
            _verify(address, municipality or "any")
        if municipality is not None:
            verify_entry(municipality, where="municipality")
        return await self._parts.db.transact(
            self._change,
            person,
            sex=sex,
            address=address,
            municipality=municipality,
            identity=identity,
            actor=actor,
        )

    def _change(
        self,
        person: PersonID,
        *,
        sex: Sex | None,
        address: Personal[str] | None,
        municipality: str | None,
        identity: Identity | None,
        actor: Actor,
    ) -> Step[Resident]:
        parts = self._parts
        yield from parts.people.hold(person)
        known = yield from reading.resident(parts, person)
        wanted = Resident(
            person=person,
            sex=sex or known.sex,
            address=address or known.address,
            municipality=municipality or known.municipality,
            changed_at=known.changed_at,
        )
        yield from self._put(wanted, actor)
        if identity is not None:
            yield from self._rename(person, identity, actor)
        return (yield from reading.resident(parts, person))

    def _put(self, wanted: Resident, actor: Actor) -> Step[None]:
        """Step: write a recorded resident's facts where they differ, and end what names the old ones."""
        parts, person = self._parts, wanted.person
        known = yield from reading.resident(parts, person)
        if (known.sex, known.address, known.municipality) == (
            wanted.sex,
            wanted.address,
            wanted.municipality,
        ):
            return
        event = yield from parts.audit.record(
            "counter.resident_changed",
            actor=actor,
            subject=person,
            details={"municipality": wanted.municipality},
        )
        yield store.CHANGE.run(
            key=person,
            new_facts=reading.seal_facts(parts, person, wanted.sex, wanted.address),
            new_municipality=wanted.municipality,
            event=event,
        )
        yield from end_of_facts(parts, person, actor=actor)

    def _rename(self, person: PersonID, identity: Identity, actor: Actor) -> Step[None]:
        before = yield from self._parts.people.get_identity(person)
        if before == identity:
            return
        if before.national_id != identity.national_id:
            raise CounterEntryMalformed(where="national_id")
        yield from self._parts.people.register_step(identity, actor=actor)
        yield from end_of_identity(self._parts, person, actor=actor)


def _verify(address: Personal[str], municipality: str) -> None:
    verify_entry(address.reveal(), where="address")
    verify_free_text(address.reveal(), where="address")
    verify_entry(municipality, where="municipality")
