"""The rows of documents, the orders that made them, and results; and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.store.query import Query, insert_new, insert_row, one_of
from inkan.store.schema import NOW, JSONText, Moment, metadata
from inkan.store.sealing import SealedColumn

document = sa.Table(
    "signing_document",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False),
    # Names of documents name people.
    sa.Column("name", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.String(86), nullable=False),
    sa.Column("alg", sa.String(16), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("signing_document_expiry", "expires_at"),
)

# One creating request: a document, or a batch whose id is the order's.
order = sa.Table(
    "signing_order",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), nullable=False),
    sa.Column("kind", sa.String(12), nullable=False),
    sa.Column("name", sa.LargeBinary, nullable=False),
    sa.Column("documents", JSONText, nullable=False),
    sa.Column("idempotency_key", sa.String(64), nullable=False),
    # Keyed: a plain hash of a short list of names could be guessed.
    sa.Column("body_mac", sa.LargeBinary, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("system", "kind", "idempotency_key", name="signing_order_idempotency"),
    sa.Index("signing_order_expiry", "expires_at"),
)

result = sa.Table(
    "signing_result",
    metadata,
    sa.Column("document", sa.String(40), primary_key=True),
    sa.Column("session", sa.String(40), primary_key=True),
    sa.Column("result", sa.String(12), nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("signing_result_expiry", "expires_at"),
)

NAME = SealedColumn("signing_document", "name")
ORDER_NAME = SealedColumn("signing_order", "name")
BODY = "signing.body"
"""Purpose of the keyed hash by which a creating request is known again."""


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


INSERT_DOCUMENT = insert_row(document)
# 0 rows: the system used this Idempotency-Key before.
INSERT_ORDER = insert_new(order)
DOCUMENTS = Query(
    sa.select(document).where(
        document.c.system == _bind("system"),
        one_of(document.c.id, "ids"),
        document.c.expires_at > NOW,
    )
)
ORDER = Query(
    sa.select(order).where(
        order.c.id == _bind("id"),
        order.c.system == _bind("system"),
        order.c.kind == _bind("kind"),
        order.c.expires_at > NOW,
    )
)
ORDER_BY_KEY = Query(
    sa.select(order).where(
        order.c.system == _bind("system"),
        order.c.kind == _bind("kind"),
        order.c.idempotency_key == _bind("key"),
    )
)
# A session ends once, so the first word stays.
INSERT_RESULT = insert_new(result)
RESULTS = Query(
    sa.select(result.c.document, result.c.session, result.c.result)
    .where(one_of(result.c.document, "ids"))
    .order_by(result.c.at, result.c.session)
)
PURGE = [
    Query(sa.delete(table).where(table.c.expires_at <= NOW)) for table in (order, document, result)
]

EVENT_PAIRS = [
    Query(sa.select(document.c.id, document.c.event_id)),
    Query(sa.select(order.c.id, order.c.event_id)),
    Query(sa.select(result.c.document, result.c.event_id)),
]
