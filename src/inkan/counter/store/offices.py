"""Every query on offices, clerks and shifts."""

from typing import Any

import sqlalchemy as sa

from inkan.counter.store.tables import clerk, office, shift
from inkan.store.query import Query, insert_new, upsert
from inkan.store.schema import NOW

LIVE = "on"


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


PUT_OFFICE = upsert(
    office, key=["code"], take=["name", "municipality", "authority", "phone", "event_id"]
)
OFFICE = Query(sa.select(office).where(office.c.code == _bind("key")))
OFFICES = Query(sa.select(office).order_by(office.c.code))

# An ended clerk comes back by the same row.
PUT_CLERK = upsert(clerk, key=["account"], take=["person", "office", "ended_at", "event_id"])
_PRESENT = (
    sa.select(clerk, shift.c.id.label("shift"))
    .outerjoin(shift, sa.and_(shift.c.clerk == clerk.c.account, shift.c.live == LIVE))
    .where(clerk.c.ended_at.is_(None))
)
CLERK = Query(_PRESENT.where(clerk.c.account == _bind("account")))
CLERK_BY_PERSON = Query(_PRESENT.where(clerk.c.person == _bind("person")))
CLERKS_OF = Query(_PRESENT.where(clerk.c.office == _bind("office")).order_by(clerk.c.created_at))
END_CLERK = Query(
    sa.update(clerk)
    .where(clerk.c.account == _bind("key"), clerk.c.ended_at.is_(None))
    .values(ended_at=NOW, event_id=_bind("event"))
)

# 0 rows: the clerk's shift goes on.
BEGIN_SHIFT = insert_new(shift)
# Held until COMMIT: whoever ends the shift waits for the act that is under way, or comes first.
HELD_SHIFT = Query(
    sa.select(shift).where(shift.c.clerk == _bind("clerk"), shift.c.live == LIVE).with_for_update()
)
END_SHIFT = Query(
    sa.update(shift)
    .where(shift.c.id == _bind("key"), shift.c.live == LIVE)
    .values(live=None, ended_at=NOW, event_id=_bind("event"))
)
