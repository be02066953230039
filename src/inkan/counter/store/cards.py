"""Every query on cards that were made here."""

from typing import Any

import sqlalchemy as sa

from inkan.counter.model import CardState
from inkan.counter.store.tables import card
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, Choice, JSONText


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


# 0 rows: the card was in a reader here before.
INSERT = insert_new(card)
CARD = Query(sa.select(card).where(card.c.number == _bind("key")))
HELD = Query(sa.select(card).where(card.c.number == _bind("key")).with_for_update())
CARDS_OF = Query(
    sa.select(card)
    .where(card.c.person == _bind("person"))
    .order_by(card.c.made_at.desc(), card.c.number)
)


def _change(**values: Any) -> sa.Update:
    return (
        sa.update(card)
        .where(card.c.number == _bind("key"), card.c.version == _bind("seen", sa.Integer))
        .values(version=card.c.version + 1, event_id=_bind("event"), **values)
    )


KEY = Query(
    _change(
        state=CardState.KEYED,
        facts=_bind("new_facts", sa.LargeBinary),
        certificates=_bind("new_certificates", JSONText),
        case=_bind("new_case"),
        made_at=NOW,
    )
)
SET_STATE = Query(_change(state=_bind("new_state", Choice(CardState))))
