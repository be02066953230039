"""The use cases of persons: register, find, match, refer to, reveal."""

import hmac
from datetime import date
from typing import Final

import msgspec

from inkan.audit import Actor, Audit
from inkan.crypto import aead, base64url
from inkan.kernel.identifiers import NationalID
from inkan.kernel.ids import EventID, PersonID, new_id, random_digits
from inkan.kernel.sensitive import Personal, Secret
from inkan.people import store
from inkan.people.model import (
    Identity,
    MaskedIdentity,
    Person,
    PersonDeceased,
    PersonIdentityChanged,
    PersonNotFound,
    PersonState,
    Reveal,
)
from inkan.people.rules import SUBJECT_SERIAL_DIGITS, verify_reason
from inkan.store.database import MOMENT, Database, RowExists, Step
from inkan.store.outbox import enqueue
from inkan.store.plan import Row
from inkan.store.sealing import Sealer

_NOBODY: Final = PersonID("ps_nobody")


class _SealedIdentity(msgspec.Struct, frozen=True):
    """An identity as it lies under the seal."""

    name: str
    birth_date: date
    national_id: str


class People:
    """The persons of one instance."""

    def __init__(
        self, *, db: Database, audit: Audit, sealer: Sealer, pairwise_key: Secret[bytes]
    ) -> None:
        """Keep persons in ``db``.

        Args:
            db: the instance's database.
            audit: the instance's log.
            sealer: the keys of sealed columns and look-ups.
            pairwise_key: 32 bytes of purpose ``pairwise``; to change it gives every person another name at every
                relying party.
        """
        self._db = db
        self._audit = audit
        self._sealer = sealer
        self._pairwise_key = pairwise_key
        nobody = Identity(Personal("nobody"), date(1900, 1, 1), NationalID("-"))
        self._nobody = self._seal(_NOBODY, nobody)

    # --- registering ---------------------------------------------------------------------------------

    async def register(self, identity: Identity, *, actor: Actor) -> Person:
        """Return the person with this national ID, registered now or before; what changed since is kept.

        One national ID is one person, also for requests in parallel.
        """
        try:
            return await self._db.transact(self.register_step, identity, actor=actor)
        except RowExists:  # somebody registered the same person at this very moment
            return await self._db.transact(self.register_step, identity, actor=actor)

    def register_step(self, identity: Identity, *, actor: Actor) -> Step[Person]:
        """Step: :meth:`register`.

        Raises:
            RowExists: a rival registers the same person; the transaction should run again.
        """
        row = yield from self._find(identity.national_id)
        if row is None:
            return (yield from self._insert(identity, actor))
        known = self._open(row)
        if known != identity or row.national_id_lookup != self.lookup(identity.national_id):
            event = yield from self._record("people.identity_changed", actor, row.id)
            yield store.CHANGE_IDENTITY.run(
                person=row.id,
                sealed=self._seal(row.id, identity),
                lookup=self.lookup(identity.national_id),
                event=event,
            )
            if known != identity:
                yield from enqueue(PersonIdentityChanged.kind, PersonIdentityChanged(person=row.id))
            row = yield from self._row(row.id)
        return _person(row)

    def mark_deceased(self, person: PersonID, *, actor: Actor) -> Step[bool]:
        """Step: note that a person died, and let features above hear of it; False when that is known already.

        Raises:
            PersonNotFound: nobody has this id.
        """
        if (yield from self.get(person)).state is PersonState.DECEASED:
            return False
        event = yield from self._record("people.deceased", actor, person)
        changed: int = yield store.CHANGE_STATE.run(
            person=person, new_state=PersonState.DECEASED, event=event
        )
        if changed == 0:  # a rival was first
            return False
        yield from enqueue(PersonDeceased.kind, PersonDeceased(person=person))
        return True

    # --- finding -------------------------------------------------------------------------------------

    def get(self, person: PersonID) -> Step[Person]:
        """Step: the person with this id.

        Raises:
            PersonNotFound: nobody has it.
        """
        return _person((yield from self._row(person)))

    def find_by_serial(self, subject_serial: str) -> Step[Person | None]:
        """Step: the person whose certificates carry this subject serial number, or None."""
        row = yield store.BY_SERIAL.one(serial=subject_serial)
        return _person(row) if row else None

    def find_by_national_id(self, national_id: NationalID) -> Step[Person | None]:
        """Step: the person with this national ID, or None; the same queries run for both answers."""
        row = yield from self._find(national_id)
        return _person(row) if row else None

    def get_identity(self, person: PersonID) -> Step[Identity]:
        """Step: who the person is. For issuing and releasing; what staff sees goes through :meth:`reveal`.

        Raises:
            PersonNotFound: nobody has this id.
            SealBroken, SealKeyMissing: the row was tampered with, or its key is not here.
        """
        return self._open((yield from self._row(person)))

    async def masked(self, person: PersonID) -> MaskedIdentity:
        """What a screen may show of a person, to themself as well (HCA-48).

        Raises:
            PersonNotFound: nobody has this id.
        """
        return (await self._db.read(self.get_identity, person)).masked

    def lookup(self, national_id: NationalID) -> bytes:
        """The keyed hash to keep in place of a typed national ID, for :meth:`matches`."""
        return self._sealer.lookup(store.NATIONAL_ID, national_id)

    def matches(self, person: PersonID, lookup: bytes | None) -> Step[bool]:
        """Step: whether the person has the national ID of this keyed hash (TW-43).

        The same work is done for an unknown person and for no hash, and the answer is the same: False. A hash made
        under an older look-up key still matches.
        """
        row = yield store.BY_ID.one(person=person)
        identity = self._open(row) if row else self._open_sealed(_NOBODY, self._nobody)
        known = self._sealer.lookups(store.NATIONAL_ID, identity.national_id)
        equal = [hmac.compare_digest(each, lookup or b"") for each in known]
        return any(equal) and row is not None

    def reference(self, person: PersonID, *, sector: str) -> str:
        """The pairwise reference: what the systems of one sector may call the person (TW-68).

        43 characters of base64url: HMAC-SHA-256 under a key of its own over sector and person. Two sectors cannot
        tell that theirs are the same person, and nobody gets from it to the person without the key.
        """
        mac = aead.mac(self._pairwise_key, b"inkan-pairwise-v1", sector.encode(), person.encode())
        return base64url.encode(mac)

    def phone_reference(self, phone: str, *, sector: str) -> str:
        """The pairwise reference of one phone, made as :meth:`reference` and under a label of its own."""
        mac = aead.mac(
            self._pairwise_key, b"inkan-pairwise-phone-v1", sector.encode(), phone.encode()
        )
        return base64url.encode(mac)

    def note_references(self, person: PersonID, phone: str, *, sector: str) -> Step[None]:
        """Step: remember which references were given out, so that a later push may name them."""
        yield store.NOTE_REFERENCE.run(
            phone_ref=self.phone_reference(phone, sector=sector),
            person_ref=self.reference(person, sector=sector),
            person=person,
            phone=phone,
        )

    def find_by_reference(self, reference: str, *, sector: str) -> Step[PersonID | None]:
        """Step: the person whom this sector was given that reference of; another sector's finds nobody."""
        row = yield store.BY_PERSON_REF.one(reference=reference)
        found = row is not None and hmac.compare_digest(
            self.reference(row.person, sector=sector), reference
        )
        return PersonID(row.person) if found else None

    def find_by_phone_reference(
        self, reference: str, *, sector: str
    ) -> Step[tuple[PersonID, str] | None]:
        """Step: the person and the phone that this sector was given that reference of."""
        row = yield store.BY_PHONE_REF.one(reference=reference)
        found = row is not None and hmac.compare_digest(
            self.phone_reference(row.phone, sector=sector), reference
        )
        return (PersonID(row.person), str(row.phone)) if found else None

    def hold(self, person: PersonID) -> Step[None]:
        """Step: hold the person's row until COMMIT, so that what is counted for a person is counted in turn."""
        yield store.HOLD.one(person=person)

    def find_by_lookup(self, lookup: bytes) -> Step[Person | None]:
        """Step: the person of a keyed hash that :meth:`lookup` made, or None."""
        row = yield store.BY_LOOKUP.one(lookup=lookup)
        return _person(row) if row else None

    # --- looking -------------------------------------------------------------------------------------

    async def reveal(self, person: PersonID, *, actor: Actor, reason: str) -> Identity:
        """Return who a person is to somebody of the staff, and keep who looked and why (HCA-48).

        Raises:
            RevealReasonRefused, MyNumberRefused: the reason is blank, too long, or holds a My Number.
            PersonNotFound: nobody has this id.
        """
        return await self._db.transact(self._reveal, person, actor, verify_reason(reason))

    async def reveals(self, person: PersonID) -> list[Reveal]:
        """Who saw the person's data and why, the last first, at most 100; for the person to read."""
        return await self._db.read(self._reveals, person)

    def _reveal(self, person: PersonID, actor: Actor, reason: str) -> Step[Identity]:
        row = yield from self._row(person)
        moment = yield MOMENT
        reveal = new_id("rev")
        event = yield from self._record("people.revealed", actor, person, reveal)
        yield store.INSERT_REVEAL.run(
            id=reveal,
            person=person,
            at=moment,
            actor_kind=actor.kind,
            actor_id=actor.id,
            reason=self._sealer.seal(store.REASON, reveal, reason.encode()),
            event_id=event,
        )
        return self._open(row)

    def _reveals(self, person: PersonID) -> Step[list[Reveal]]:
        rows = yield store.REVEALS.all(person=person)
        return [
            Reveal(
                row.at,
                row.actor_kind,
                self._sealer.open_text(store.REASON, row.id, row.reason).reveal(),
                row.event_id,
            )
            for row in rows
        ]

    # --- rows ----------------------------------------------------------------------------------------

    def _insert(self, identity: Identity, actor: Actor) -> Step[Person]:
        moment = yield MOMENT
        serial = random_digits(SUBJECT_SERIAL_DIGITS)
        person = Person(PersonID(new_id("ps")), serial, PersonState.ACTIVE, moment, moment)
        event = yield from self._record("people.registered", actor, person.id)
        yield store.INSERT.run(
            id=person.id,
            subject_serial=person.subject_serial,
            national_id_lookup=self.lookup(identity.national_id),
            identity=self._seal(person.id, identity),
            identity_version=1,
            identity_at=moment,
            state=person.state,
            created_at=moment,
            event_id=event,
        )
        return person

    def _find(self, national_id: NationalID) -> Step[Row | None]:
        found = None
        for lookup in self._sealer.lookups(store.NATIONAL_ID, national_id):
            row = yield store.BY_LOOKUP.one(lookup=lookup)
            found = found or row
        return found

    def _row(self, person: PersonID) -> Step[Row]:
        row = yield store.BY_ID.one(person=person)
        if row is None:
            raise PersonNotFound
        return row

    def _record(
        self, use_case: str, actor: Actor, person: PersonID, thing: str | None = None
    ) -> Step[EventID]:
        return self._audit.record(use_case, actor=actor, subject=person, object=thing)

    def _seal(self, person: PersonID, identity: Identity) -> bytes:
        plain = _SealedIdentity(
            identity.name.reveal(), identity.birth_date, identity.national_id.reveal()
        )
        return self._sealer.seal(store.IDENTITY, person, msgspec.json.encode(plain))

    def _open(self, row: Row) -> Identity:
        return self._open_sealed(row.id, row.identity)

    def _open_sealed(self, person: PersonID, sealed: bytes) -> Identity:
        plain = self._sealer.open(store.IDENTITY, person, sealed).reveal()
        fields = msgspec.json.decode(plain, type=_SealedIdentity)
        return Identity(Personal(fields.name), fields.birth_date, NationalID(fields.national_id))


def _person(row: Row) -> Person:
    return Person(row.id, row.subject_serial, row.state, row.created_at, row.identity_at)
