"""Every query on the keys that sign."""

import sqlalchemy as sa

from inkan.federation.store import signing_key
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, Moment

_COLUMNS = [column for column in signing_key.c if column.name != "event_id"]

# Ended keys too: a rotation has to know every label that was ever used.
ALL = Query(sa.select(*_COLUMNS).order_by(signing_key.c.signs_from, signing_key.c.label))
INSERT = insert_new(signing_key)
END_OTHERS = Query(
    sa.update(signing_key)
    .where(
        signing_key.c.alg == sa.bindparam("of_alg", type_=sa.String),
        signing_key.c.label != sa.bindparam("but", type_=sa.String),
        sa.or_(
            signing_key.c.ends_at.is_(None),
            signing_key.c.ends_at > sa.bindparam("new_ends_at", type_=Moment),
        ),
    )
    .values(
        ends_at=sa.bindparam("new_ends_at", type_=Moment),
        event_id=sa.bindparam("event", type_=sa.String),
    )
)
LIVE = Query(
    sa.select(*_COLUMNS)
    .where(sa.or_(signing_key.c.ends_at.is_(None), signing_key.c.ends_at > NOW))
    .order_by(signing_key.c.signs_from, signing_key.c.label)
)
