"""Queries on the logins of browsers."""

from typing import Any

import sqlalchemy as sa

from inkan.federation.store import login
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, JSONText, Moment


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


_COLUMNS = [column for column in login.c if column.name not in {"event_id", "expires_at"}]

INSERT = insert_new(login)
# A login that has not ended.
OF_BROWSER = Query(
    sa.select(*_COLUMNS).where(
        login.c.browser_sha256 == _bind("key"),
        login.c.ended_at.is_(None),
        login.c.expires_at > NOW,
    )
)
RENEW = Query(
    sa.update(login)
    .where(login.c.id == _bind("key"), login.c.ended_at.is_(None))
    .values(
        acr=_bind("new_acr"),
        amr=_bind("new_amr", JSONText),
        auth_time=_bind("new_auth_time", Moment),
        reusable_until=_bind("new_reusable_until", Moment),
        expires_at=_bind("new_expires_at", Moment),
        event_id=_bind("event"),
    )
)
