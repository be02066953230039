"""Rows of the counter as values, and what is looked up on the way to every act."""

from datetime import date
from typing import Any

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.counter.model import (
    CardState,
    Case,
    Clerk,
    DocumentKind,
    HeldCard,
    Office,
    OfficeUnknown,
    PhotoDocument,
    Resident,
    ResidentUnknown,
)
from inkan.counter.service.parts import Parts
from inkan.counter.store import cards as card_store
from inkan.counter.store import offices as office_store
from inkan.counter.store import residents as resident_store
from inkan.counter.store.tables import DOCUMENT, FACTS
from inkan.crypto.certificate_view import Sex
from inkan.kernel.ids import AccountID, PersonID
from inkan.kernel.sensitive import Personal
from inkan.people import NotEligible, Person, PersonState
from inkan.store.database import Step

CARD_FACTS = "counter-card-facts"
_CARD = "card:"
PLATFORM = Actor(ActorKind.PLATFORM, "counter")


class _SealedFacts(msgspec.Struct, frozen=True):
    """A resident's facts as they lie under the seal."""

    sex: Sex
    address: str


class _SealedDocument(msgspec.Struct, frozen=True):
    """A photo document as it lies under the seal."""

    kind: DocumentKind
    number: str
    expires_on: date
    chip_read: bool


def actor_of(clerk: Clerk) -> Actor:
    """A clerk, as the audit names them."""
    return Actor(ActorKind.STAFF, clerk.account)


def object_of(number: str) -> str:
    """A card, as the audit names it and as owner of its certificates; a bare number may begin with a digit."""
    return f"{_CARD}{number}"


def number_of(owner: str) -> str | None:
    """The card that owns a certificate, None when its owner is no card of the counter."""
    return owner.removeprefix(_CARD) if owner.startswith(_CARD) else None


def read_office(row: Any) -> Office:
    """The office of a row."""
    return Office(
        code=row.code,
        name=row.name,
        municipality=row.municipality,
        authority=row.authority,
        phone=row.phone,
    )


def read_clerk(row: Any) -> Clerk | None:
    """The clerk of a row with their present shift, or None."""
    if row is None:
        return None
    return Clerk(
        account=AccountID(row.account),
        person=PersonID(row.person),
        office=row.office,
        shift=row.shift,
    )


def seal_facts(parts: Parts, person: PersonID, sex: Sex, address: Personal[str]) -> bytes:
    """A resident's facts for their row."""
    plain = msgspec.json.encode(_SealedFacts(sex, address.reveal()))
    return parts.sealer.seal(FACTS, person, plain)


def read_resident(parts: Parts, row: Any) -> Resident | None:
    """The resident of a row, or None."""
    if row is None:
        return None
    plain = parts.sealer.open(FACTS, row.person, row.facts).reveal()
    facts = msgspec.json.decode(plain, type=_SealedFacts)
    return Resident(
        person=PersonID(row.person),
        sex=facts.sex,
        address=Personal(facts.address),
        municipality=row.municipality,
        changed_at=row.changed_at,
    )


def seal_document(parts: Parts, case_id: str, document: PhotoDocument) -> bytes:
    """A photo document for its case's row."""
    plain = _SealedDocument(
        document.kind, document.number.reveal(), document.expires_on, document.chip_read
    )
    return parts.sealer.seal(DOCUMENT, case_id, msgspec.json.encode(plain))


def read_case(parts: Parts, row: Any) -> Case | None:
    """The case of a row, or None."""
    if row is None:
        return None
    document = None
    if row.document is not None:
        plain = parts.sealer.open(DOCUMENT, row.id, row.document).reveal()
        fields = msgspec.json.decode(plain, type=_SealedDocument)
        document = PhotoDocument(
            kind=fields.kind,
            number=Personal(fields.number),
            expires_on=fields.expires_on,
            chip_read=fields.chip_read,
        )
    return Case(
        id=row.id,
        kind=row.kind,
        state=row.state,
        office=row.office,
        clerk=AccountID(row.clerk),
        person=PersonID(row.person),
        card=row.card,
        document=document,
        confirmed_by=None if row.confirmed_by is None else AccountID(row.confirmed_by),
        terms_version=row.terms_version,
        paid=row.paid,
        cause=row.cause,
        certificates=row.certificates,
        created_at=row.created_at,
        expires_at=row.expires_at,
        version=row.version,
    )


def read_card(row: Any) -> HeldCard | None:
    """The card of a row, or None."""
    if row is None:
        return None
    return HeldCard(
        number=row.number,
        person=PersonID(row.person),
        state=CardState(row.state),
        certificates=row.certificates,
        case=row.case,
        made_at=row.made_at,
    )


def office(code: str) -> Step[Office]:
    """Step: the office of this code.

    Raises:
        OfficeUnknown: there is none.
    """
    row = yield office_store.OFFICE.one(key=code)
    if row is None:
        raise OfficeUnknown()
    return read_office(row)


def resident(parts: Parts, person: PersonID) -> Step[Resident]:
    """Step: what the register says of a person.

    Raises:
        ResidentUnknown: nothing.
    """
    found = read_resident(parts, (yield resident_store.RESIDENT.one(person=person)))
    if found is None:
        raise ResidentUnknown()
    return found


def facts_hashes(parts: Parts, person: PersonID) -> Step[list[bytes]]:
    """Step: keyed hashes of the facts that certificates of this person name now, the newest key's first (JPKI-09).

    Raises:
        ResidentUnknown: nobody recorded where the person lives.
    """
    identity = yield from parts.people.get_identity(person)
    known = yield from resident(parts, person)
    facts = [
        identity.name.reveal(),
        identity.birth_date,
        known.sex,
        known.address.reveal(),
        known.municipality,
    ]
    return parts.sealer.lookups(CARD_FACTS, msgspec.json.encode(facts).decode())


def living(parts: Parts, person: PersonID) -> Step[Person]:
    """Step: a person who lives.

    Raises:
        NotEligible: the person is recorded as deceased.
    """
    found = yield from parts.people.get(person)
    if found.state is PersonState.DECEASED:
        raise NotEligible(rule="deceased")
    return found


def cards_of(person: PersonID) -> Step[list[HeldCard]]:
    """Step: every card of a person, the newest first."""
    rows = yield card_store.CARDS_OF.all(person=person)
    return [card for card in map(read_card, rows) if card is not None]
