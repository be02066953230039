"""Every query on grants; each step is a compare-and-set on ``version``."""

from typing import Any

import sqlalchemy as sa

from inkan.federation.store import grant
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, JSONText, Moment


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


_COLUMNS = [column for column in grant.c if column.name not in {"answer", "event_id"}]
_SEEN = (grant.c.id == _bind("key"), grant.c.version == _bind("seen", sa.Integer))


def _changed(**values: Any) -> Query:
    changed = {**values, "version": grant.c.version + 1, "event_id": _bind("event")}
    return Query(sa.update(grant).where(*_SEEN).values(**changed))


INSERT = insert_new(grant)
BY_ID = Query(sa.select(*_COLUMNS).where(grant.c.id == _bind("key")))
BY_SESSION = Query(sa.select(*_COLUMNS).where(grant.c.session == _bind("key")))
BY_HANDLE = Query(sa.select(*_COLUMNS).where(grant.c.handle_sha256 == _bind("key")))
BY_USER_CODE = Query(sa.select(*_COLUMNS).where(grant.c.user_code_sha256 == _bind("key")))
BY_REFRESH = Query(sa.select(*_COLUMNS).where(grant.c.refresh_sha256 == _bind("key")))
OF_LOGIN = Query(sa.select(*_COLUMNS).where(grant.c.login == _bind("key")))
OF_SUB = Query(sa.select(*_COLUMNS).where(grant.c.sub == _bind("key")))
ANSWER = Query(sa.select(grant.c.id, grant.c.answer).where(grant.c.id == _bind("key")))

# 0 rows: a rival came first.
SET_STATE = _changed(state=_bind("new_state"))
SET_SESSION = _changed(session=_bind("new_session"), browser_sha256=_bind("new_browser"))
SET_HANDLE = _changed(
    handle_sha256=_bind("new_handle"), handle_expires_at=_bind("new_handle_expires_at", Moment)
)
# A poll is no step of the grant: it changes neither version nor event, so that it never makes an answer lose.
POLL = Query(
    sa.update(grant)
    .where(
        grant.c.id == _bind("key"),
        sa.or_(grant.c.polled_at.is_(None), grant.c.polled_at <= _bind("before", Moment)),
    )
    .values(polled_at=_bind("new_polled_at", Moment))
)
SLOW_DOWN = Query(
    sa.update(grant)
    .where(grant.c.id == _bind("key"))
    .values(
        interval_s=grant.c.interval_s + _bind("more", sa.Integer),
        polled_at=_bind("new_polled_at", Moment),
    )
)
SET_ANSWER = _changed(
    state=_bind("new_state"),
    login=_bind("new_login"),
    sid=_bind("new_sid"),
    sub=_bind("new_sub"),
    acr=_bind("new_acr"),
    amr=_bind("new_amr", JSONText),
    auth_time=_bind("new_auth_time", Moment),
    scope=_bind("new_scope", JSONText),
    answer=_bind("new_answer", sa.LargeBinary),
)
FORGET = _changed(answer=_bind("new_answer", sa.LargeBinary))
SET_USED = _changed(
    state=_bind("new_state"),
    jkt=_bind("new_jkt"),
    x5t=_bind("new_x5t"),
    refresh_sha256=_bind("new_refresh"),
    expires_at=_bind("new_expires_at", Moment),
)
PURGE = Query(sa.delete(grant).where(grant.c.expires_at <= NOW))
