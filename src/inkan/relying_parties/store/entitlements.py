"""The rows of entitlements to use My Numbers, and every query on them."""

import sqlalchemy as sa

from inkan.relying_parties.store import organisation
from inkan.store.query import Query, upsert
from inkan.store.schema import NOW, Moment, metadata

entitlement = sa.Table(
    "relying_parties_entitlement",
    metadata,
    sa.Column("organisation", sa.String(40), sa.ForeignKey(organisation.c.id), primary_key=True),
    sa.Column("basis", sa.String(200), nullable=False),
    sa.Column("granted_at", Moment, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
)

_ID = sa.bindparam("id", type_=sa.String, required=True)
_IN_FORCE = sa.and_(entitlement.c.ended_at.is_(None), entitlement.c.until >= NOW)

ORGANISATION = Query(
    sa.select(organisation.c.id).where(organisation.c.code == sa.bindparam("code", required=True))
)
GRANT = upsert(
    entitlement,
    key=("organisation",),
    take=("basis", "granted_at", "until", "ended_at", "event_id"),
)
WITHDRAW = Query(
    entitlement.update()
    .where(entitlement.c.organisation == _ID, _IN_FORCE)
    .values(ended_at=NOW, event_id=sa.bindparam("event", required=True))
)
IN_FORCE = Query(
    sa.select(entitlement.c.organisation).where(entitlement.c.organisation == _ID, _IN_FORCE)
)
ALL = Query(
    sa.select(
        organisation.c.code,
        entitlement.c.basis,
        entitlement.c.granted_at,
        entitlement.c.until,
        entitlement.c.ended_at,
    )
    .join(organisation, organisation.c.id == entitlement.c.organisation)
    .order_by(organisation.c.code)
)

EVENT_PAIRS = [Query(sa.select(entitlement.c.organisation, entitlement.c.event_id))]
