"""Queries on pushed requests: each is used once, by a compare-and-set."""

from typing import Any

import sqlalchemy as sa

from inkan.federation.store import pushed_request
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


INSERT = insert_new(pushed_request)
# 0 rows: unknown, used, over, or another client's.
USE = Query(
    sa.update(pushed_request)
    .where(
        pushed_request.c.uri_sha256 == _bind("key"),
        pushed_request.c.system == _bind("whose"),
        pushed_request.c.used_at.is_(None),
        pushed_request.c.expires_at > NOW,
    )
    .values(used_at=NOW, event_id=_bind("event"))
)
SET_SESSION = Query(
    sa.update(pushed_request)
    .where(pushed_request.c.uri_sha256 == _bind("key"))
    .values(session=_bind("new_session"))
)
SESSION = Query(
    sa.select(pushed_request.c.uri_sha256, pushed_request.c.session).where(
        pushed_request.c.uri_sha256 == _bind("key"),
        pushed_request.c.system == _bind("whose"),
        pushed_request.c.expires_at > NOW,
    )
)
ASKED = Query(
    sa.select(pushed_request.c.uri_sha256, pushed_request.c.asked).where(
        pushed_request.c.uri_sha256 == _bind("key")
    )
)
