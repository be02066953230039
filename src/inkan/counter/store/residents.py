"""Every query on residents."""

from typing import Any

import sqlalchemy as sa

from inkan.counter.store.tables import resident
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


INSERT = insert_new(resident)
RESIDENT = Query(sa.select(resident).where(resident.c.person == _bind("person")))
CHANGE = Query(
    sa.update(resident)
    .where(resident.c.person == _bind("key"))
    .values(
        facts=_bind("new_facts", sa.LargeBinary),
        municipality=_bind("new_municipality"),
        changed_at=NOW,
        version=resident.c.version + 1,
        event_id=_bind("event"),
    )
)
