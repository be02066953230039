"""The queries by which logins and what came of them end."""

from typing import Any

import sqlalchemy as sa

from inkan.federation.store import grant, login
from inkan.store.query import Query, one_of
from inkan.store.schema import NOW


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


_COLUMNS = [column for column in grant.c if column.name not in {"answer", "event_id"}]
_LOGIN = (login.c.id, login.c.browser_sha256, login.c.person)
_OPEN = (login.c.ended_at.is_(None), login.c.expires_at > NOW)

OF_SID = Query(sa.select(*_COLUMNS).where(grant.c.sid == _bind("key")))
LIVING_OF_SUBS = Query(
    sa.select(*_COLUMNS)
    .where(one_of(grant.c.sub, "subs"), one_of(grant.c.state, "states"), grant.c.expires_at > NOW)
    .order_by(grant.c.created_at, grant.c.id)
)
OPEN_LOGIN = Query(sa.select(*_LOGIN).where(login.c.id == _bind("key"), *_OPEN))
OPEN_LOGIN_OF_BROWSER = Query(
    sa.select(*_LOGIN).where(login.c.browser_sha256 == _bind("key"), *_OPEN)
)
# 0 rows: a rival ended it first.
END_LOGIN = Query(
    sa.update(login)
    .where(login.c.id == _bind("key"), login.c.ended_at.is_(None))
    .values(ended_at=NOW, event_id=_bind("event"))
)
