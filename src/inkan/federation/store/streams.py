"""Every query on streams and their signals; each step on a stream is a compare-and-set on ``version``."""

from typing import Any

import sqlalchemy as sa

from inkan.federation.store import signal, stream
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, JSONText, Moment


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


_COLUMNS = [column for column in stream.c if column.name != "event_id"]
_SEEN = (stream.c.id == _bind("key"), stream.c.version == _bind("seen", sa.Integer))


def _changed(**values: Any) -> Query:
    changed = {**values, "version": stream.c.version + 1, "event_id": _bind("event")}
    return Query(sa.update(stream).where(*_SEEN).values(**changed))


INSERT = insert_new(stream)
ALL = Query(sa.select(*_COLUMNS).order_by(stream.c.id))
OF_SYSTEM = Query(sa.select(*_COLUMNS).where(stream.c.system == _bind("key")))
SET_CONFIGURATION = _changed(
    endpoint_url=_bind("new_endpoint_url"),
    authorization=_bind("new_authorization", sa.LargeBinary),
    events_requested=_bind("new_events_requested", JSONText),
    description=_bind("new_description"),
)
SET_STATUS = _changed(status=_bind("new_status"))
SET_VERIFIED = _changed(verified_at=NOW)
DELETE = Query(sa.delete(stream).where(*_SEEN))

INSERT_SIGNAL = insert_new(signal)
KNOWN_SIGNAL = Query(sa.select(signal.c.jti).where(signal.c.jti == _bind("key")))
_SIGNAL = (
    signal.c.jti,
    signal.c.type,
    signal.c.subject,
    signal.c.sid,
    signal.c.claims,
    signal.c.occurred_at,
)
UNSENT_SIGNAL = Query(
    sa.select(
        *_SIGNAL,
        stream.c.id.label("stream"),
        stream.c.system,
        stream.c.audience,
        stream.c.status,
        stream.c.endpoint_url,
        stream.c.authorization,
    )
    .select_from(signal.join(stream, signal.c.stream == stream.c.id))
    .where(signal.c.jti == _bind("key"), signal.c.sent_at.is_(None))
)
UNSENT_OF = Query(
    sa.select(signal.c.jti)
    .where(signal.c.stream == _bind("key"), signal.c.sent_at.is_(None))
    .order_by(signal.c.occurred_at, signal.c.jti)
)
UNSENT_OF_ENABLED = Query(
    sa.select(signal.c.jti)
    .select_from(signal.join(stream, signal.c.stream == stream.c.id))
    .where(
        stream.c.status == _bind("status"),
        signal.c.sent_at.is_(None),
        signal.c.occurred_at > _bind("after", Moment),
    )
    .order_by(signal.c.occurred_at, signal.c.jti)
)
SENT = Query(
    sa.update(signal)
    .where(signal.c.jti == _bind("key"), signal.c.sent_at.is_(None))
    .values(sent_at=_bind("new_sent_at", Moment))
)
FORGET_UNSENT = Query(
    sa.delete(signal).where(signal.c.stream == _bind("key"), signal.c.sent_at.is_(None))
)
FORGET_ALL = Query(sa.delete(signal).where(signal.c.stream == _bind("key")))
PURGE = Query(sa.delete(signal).where(signal.c.expires_at <= NOW))
