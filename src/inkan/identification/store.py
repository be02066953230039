"""The rows of sessions and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.store.query import Query, insert_new
from inkan.store.schema import JSONText, Moment, metadata

UNSIGNED_ROWS = "receipt IS NULL AND receipt_payload IS NOT NULL"

session = sa.Table(
    "identification_session",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("sector", sa.String(64), nullable=False),
    sa.Column("approval", sa.String(40), nullable=False, unique=True),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("purpose", sa.String(64), nullable=False),
    sa.Column("full_evidence", sa.Boolean, nullable=False),
    sa.Column("binding_min", sa.String(12), nullable=False),
    sa.Column("hint_type", sa.String(12), nullable=False),
    sa.Column("hint", sa.LargeBinary),
    sa.Column("idempotency_key", sa.String(64)),
    # Keyed (HMAC-SHA-256): a body may hold a national ID, which a plain hash would give away.
    sa.Column("body_sha256", sa.String(43), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("purge_at", Moment, nullable=False),
    # Filled by the release: what the receipt says, the receipt, and the sealed proofs behind it.
    sa.Column("result", JSONText),
    sa.Column("certificate", sa.String(40)),
    sa.Column("receipt_payload", sa.LargeBinary),
    sa.Column("receipt", sa.Text),
    sa.Column("evidence", sa.LargeBinary),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("system", "idempotency_key", name="identification_session_idempotency"),
    sa.Index("identification_session_purge", "purge_at"),
    # Nearly empty at any time: what has been answered and not signed yet.
    sa.Index(
        "identification_session_unsigned",
        "id",
        sqlite_where=sa.text(UNSIGNED_ROWS),
        postgresql_where=sa.text(UNSIGNED_ROWS),
    ),
)

_HEAVY = {"evidence", "event_id", "idempotency_key"}
_COLUMNS = [column for column in session.c if column.name not in _HEAVY]


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


# 0 rows: the system used this Idempotency-Key before.
INSERT = insert_new(session)
BY_KEY = Query(
    sa.select(*_COLUMNS).where(
        session.c.system == _bind("system"), session.c.idempotency_key == _bind("key")
    )
)
ID_BY_KEY = Query(
    sa.select(session.c.id).where(
        session.c.system == _bind("system"), session.c.idempotency_key == _bind("key")
    )
)
BY_ID = Query(sa.select(*_COLUMNS).where(session.c.id == _bind("key")))
BY_APPROVAL = Query(sa.select(*_COLUMNS).where(session.c.approval == _bind("key")))
EVIDENCE = Query(
    sa.select(session.c.id, session.c.evidence, session.c.event_id).where(
        session.c.id == _bind("key")
    )
)
FINISH = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"))
    .values(
        result=_bind("new_result", JSONText),
        certificate=_bind("new_certificate"),
        receipt_payload=_bind("new_receipt_payload", sa.LargeBinary),
        evidence=_bind("new_evidence", sa.LargeBinary),
        # The expected person has served its purpose: a blind index is still an index.
        hint=None,
        event_id=_bind("event"),
    )
)
# The first signature stays: ECDSA gives another one each time (design §5.3).
SIGNED = Query(
    sa.update(session)
    .where(session.c.id == _bind("key"), session.c.receipt.is_(None))
    .values(receipt=_bind("new_receipt"))
)
UNSIGNED = Query(
    sa.select(session.c.id, session.c.receipt_payload)
    .where(session.c.receipt.is_(None), session.c.receipt_payload.is_not(None))
    .limit(500)
)
PURGE = Query(sa.delete(session).where(session.c.purge_at <= _bind("moment", Moment)))
FORGET_KEYS = Query(
    sa.update(session)
    .where(
        session.c.idempotency_key.is_not(None),
        session.c.created_at <= _bind("before", Moment),
    )
    .values(idempotency_key=None)
)

EVENT_PAIRS = [Query(sa.select(session.c.id, session.c.event_id))]
