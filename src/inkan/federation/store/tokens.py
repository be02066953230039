"""Queries of the token endpoint and of everything that reads a token: rows as text, one statement for each request."""

import sqlalchemy as sa

from inkan.federation.store import grant, login, pushed_request, revoked_token
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, JSONText

_COLUMNS = [column for column in grant.c if column.name not in {"answer", "event_id"}]
# JSON as the text that it is: each is parsed once, into the type that it becomes.
_AS_TEXT = tuple(
    sa.type_coerce(column, sa.Text).label(column.name)
    if isinstance(column.type, JSONText)
    else column
    for column in _COLUMNS
)
_KEY = sa.bindparam("key", type_=sa.String)

BY_HANDLE = Query(sa.select(*_AS_TEXT).where(grant.c.handle_sha256 == _KEY))
BY_ID = Query(sa.select(*_AS_TEXT).where(grant.c.id == _KEY))
# The grant of a token, unless this very token was revoked.
OF_TOKEN = Query(
    sa.select(*_AS_TEXT).where(
        grant.c.id == _KEY,
        grant.c.expires_at > NOW,
        ~sa.exists().where(revoked_token.c.jti == sa.bindparam("jti", type_=sa.String)),
    )
)
REVOKE_TOKEN = insert_new(revoked_token)

PURGE = [
    Query(sa.delete(table).where(table.c.expires_at <= NOW))
    for table in (grant, pushed_request, login, revoked_token)
]
