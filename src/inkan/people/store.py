"""The tables of persons: identities under seal, keys to find them, and who looked."""

import sqlalchemy as sa

from inkan.people.model import PersonState
from inkan.store.query import Query, insert_new, insert_row
from inkan.store.schema import NOW, Choice, Moment, metadata
from inkan.store.sealing import SealedColumn

person = sa.Table(
    "people_person",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("subject_serial", sa.String, nullable=False, unique=True),
    sa.Column("national_id_lookup", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("identity", sa.LargeBinary, nullable=False),
    sa.Column("identity_version", sa.Integer, nullable=False),
    sa.Column("identity_at", Moment, nullable=False),
    sa.Column("state", Choice(PersonState), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("event_id", sa.String, nullable=False),
)

reveal = sa.Table(
    "people_reveal",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("person", sa.String, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor_kind", sa.String, nullable=False),
    sa.Column("actor_id", sa.String, nullable=False),
    sa.Column("reason", sa.LargeBinary, nullable=False),
    sa.Column("event_id", sa.String, nullable=False),
    sa.Index(None, "person", "at"),
)

# NOTE(divergence-10): references are keyed hashes; what was given out is noted, so that who holds one may name it.
reference = sa.Table(
    "people_reference",
    metadata,
    sa.Column("phone_ref", sa.String(43), primary_key=True),
    sa.Column("person_ref", sa.String(43), nullable=False),
    sa.Column("person", sa.String, nullable=False),
    sa.Column("phone", sa.String, nullable=False),
    sa.Index(None, "person_ref"),
)

IDENTITY = SealedColumn("people_person", "identity")
REASON = SealedColumn("people_reveal", "reason")
NATIONAL_ID = "people.national_id"
"""Purpose of the keyed hash by which a person is found."""


def _given(name: str, column: sa.Column[object]) -> sa.BindParameter[object]:
    return sa.bindparam(name, type_=column.type)


_ID = person.c.id == _given("person", person.c.id)

INSERT = insert_row(person)
BY_ID = Query(sa.select(person).where(_ID))
HOLD = Query(sa.select(person.c.id).where(_ID).with_for_update())
BY_SERIAL = Query(
    sa.select(person).where(person.c.subject_serial == _given("serial", person.c.subject_serial))
)
BY_LOOKUP = Query(
    sa.select(person).where(
        person.c.national_id_lookup == _given("lookup", person.c.national_id_lookup)
    )
)
CHANGE_IDENTITY = Query(
    person.update()
    .where(_ID)
    .values(
        identity=_given("sealed", person.c.identity),
        national_id_lookup=_given("lookup", person.c.national_id_lookup),
        identity_version=person.c.identity_version + 1,
        identity_at=NOW,
        event_id=_given("event", person.c.event_id),
    )
)
CHANGE_STATE = Query(
    person.update()
    .where(_ID, person.c.state != _given("new_state", person.c.state))
    .values(state=_given("new_state", person.c.state), event_id=_given("event", person.c.event_id))
)

INSERT_REVEAL = insert_row(reveal)
REVEALS = Query(
    sa.select(reveal)
    .where(reveal.c.person == _given("person", reveal.c.person))
    .order_by(reveal.c.at.desc(), reveal.c.id)
    .limit(100)
)

NOTE_REFERENCE = insert_new(reference)
BY_PERSON_REF = Query(
    sa.select(reference.c.person)
    .where(reference.c.person_ref == _given("reference", reference.c.person_ref))
    .limit(1)
)
BY_PHONE_REF = Query(
    sa.select(reference.c.person, reference.c.phone).where(
        reference.c.phone_ref == _given("reference", reference.c.phone_ref)
    )
)

EVENT_PAIRS = [
    Query(sa.select(person.c.id, person.c.event_id)),
    Query(sa.select(reveal.c.id, reveal.c.event_id)),
]
