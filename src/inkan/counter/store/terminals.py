"""Queries on terminals."""

import sqlalchemy as sa

from inkan.counter.store.tables import office, terminal
from inkan.store.query import Query, insert_row
from inkan.store.schema import NOW

INSERT_TERMINAL = insert_row(terminal)
OFFICE = Query(
    sa.select(office.c.code).where(office.c.code == sa.bindparam("code", type_=sa.String))
)
TERMINALS = Query(
    sa.select(terminal.c.id, terminal.c.office, terminal.c.created_at)
    .where(terminal.c.ended_at.is_(None))
    .order_by(terminal.c.office, terminal.c.id)
)
# One that was taken out of service is not found: it gives no answers any more.
TERMINAL = Query(
    sa.select(terminal.c.id, terminal.c.office, terminal.c.jwk).where(
        terminal.c.id == sa.bindparam("key", type_=sa.String), terminal.c.ended_at.is_(None)
    )
)
END_TERMINAL = Query(
    sa.update(terminal)
    .where(terminal.c.id == sa.bindparam("key", type_=sa.String), terminal.c.ended_at.is_(None))
    .values(ended_at=NOW, event_id=sa.bindparam("event", type_=sa.String))
)
