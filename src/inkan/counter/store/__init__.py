"""The rows of the counter, and the queries that pair each with its audit event."""

import sqlalchemy as sa

from inkan.counter.store.tables import (
    card,
    case,
    clerk,
    office,
    resident,
    shift,
    terminal,
)
from inkan.store.query import Query

EVENT_PAIRS = [
    Query(sa.select(office.c.code.label("id"), office.c.event_id)),
    Query(sa.select(terminal.c.id, terminal.c.event_id)),
    Query(sa.select(clerk.c.account.label("id"), clerk.c.event_id)),
    Query(sa.select(shift.c.id, shift.c.event_id)),
    Query(sa.select(resident.c.person.label("id"), resident.c.event_id)),
    Query(sa.select(case.c.id, case.c.event_id)),
    Query(sa.select(card.c.number.label("id"), card.c.event_id)),
]

__all__ = ["EVENT_PAIRS"]
