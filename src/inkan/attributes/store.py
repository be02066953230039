"""The rows of attributes and consents, and every query on them."""

import sqlalchemy as sa

from inkan.store.query import Query, upsert
from inkan.store.schema import NOW, Moment, metadata
from inkan.store.sealing import SealedColumn

attribute = sa.Table(
    "attributes_attribute",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("source", sa.String(80), nullable=False),
    # Value, level and dates under one seal: none of them can be changed alone (WAT-46).
    sa.Column("value", sa.LargeBinary, nullable=False),
    # For forgetting; what counts is the term under the seal.
    sa.Column("valid_until", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("person", "code", "source", name="attributes_attribute_source"),
    sa.Index("attributes_attribute_term", "valid_until"),
)

consent = sa.Table(
    "attributes_consent",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("person", sa.String(40), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("statement_sha256", sa.String(43), nullable=False),
    # To whom and what: nobody reads from a stolen copy who gave something to whom.
    sa.Column("detail", sa.LargeBinary),
    sa.Column("event_id", sa.String(40), nullable=False),
    # Taken back by the person: the statement stays what it was, nothing more is given out under it.
    sa.Column("withdrawn_at", Moment),
    sa.Column("withdrawal_event", sa.String(40)),
    sa.UniqueConstraint("statement_sha256", name="attributes_consent_statement"),
    # The consent is the signed statement: no row without one, whatever program writes it.
    sa.CheckConstraint("length(statement_sha256) = 43", name="signed"),
    sa.Index("attributes_consent_person", "person", "at"),
)

VALUE = SealedColumn("attributes_attribute", "value")
DETAIL = SealedColumn("attributes_consent", "detail")


def _given(name: str, column: sa.Column[object]) -> sa.BindParameter[object]:
    return sa.bindparam(name, type_=column.type)


_PERSON = attribute.c.person == _given("person", attribute.c.person)

PUT = upsert(
    attribute,
    key=("person", "code", "source"),
    take=("value", "valid_until", "event_id"),
)
OF_PERSON = Query(sa.select(attribute).where(_PERSON).order_by(attribute.c.code, attribute.c.id))
REMOVE = Query(
    sa.delete(attribute).where(
        _PERSON,
        attribute.c.code == _given("code", attribute.c.code),
        attribute.c.source == _given("source", attribute.c.source),
    )
)
REMOVE_ALL = Query(sa.delete(attribute).where(_PERSON))
PURGE = Query(sa.delete(attribute).where(attribute.c.valid_until <= NOW))

_LATER = {"withdrawn_at", "withdrawal_event"}
INSERT_CONSENT = Query(
    consent.insert().values({c.name: _given(c.name, c) for c in consent.c if c.name not in _LATER})
)
CONSENTS = Query(
    sa.select(consent)
    .where(consent.c.person == _given("person", consent.c.person))
    .order_by(consent.c.at.desc(), consent.c.id)
    .limit(100)
)
HELD_CONSENT = Query(
    sa.select(consent)
    .where(
        consent.c.id == _given("consent_id", consent.c.id),
        consent.c.person == _given("person", consent.c.person),
    )
    .with_for_update()
)
WITHDRAW_CONSENT = Query(
    sa.update(consent)
    .where(
        consent.c.id == _given("consent_id", consent.c.id),
        consent.c.person == _given("person", consent.c.person),
        consent.c.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=NOW, withdrawal_event=_given("event", consent.c.withdrawal_event))
)
ERASE_CONSENTS = Query(
    sa.update(consent)
    .where(consent.c.person == _given("person", consent.c.person))
    .values(detail=None)
)

EVENT_PAIRS = [
    Query(sa.select(attribute.c.id, attribute.c.event_id)),
    Query(sa.select(consent.c.id, consent.c.event_id)),
    Query(
        sa.select(consent.c.id, consent.c.withdrawal_event).where(
            consent.c.withdrawal_event.is_not(None)
        )
    ),
]
