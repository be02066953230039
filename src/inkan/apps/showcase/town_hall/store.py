"""Every query of the town hall: forms that wait for a signature, and forms that were filed."""

import sqlalchemy as sa
from sqlalchemy import LargeBinary, MetaData, String, Table, bindparam

from inkan.store.query import Query, insert_row
from inkan.store.schema import NAMING, NOW, Moment

metadata = MetaData(naming_convention=NAMING)

draft = Table(
    "town_hall_draft",
    metadata,
    sa.Column("id", String(40), primary_key=True),
    sa.Column("browser_sha256", LargeBinary, nullable=False),
    sa.Column("form", String(64), nullable=False),
    sa.Column("content", LargeBinary, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("number", String(32)),
)

filed = Table(
    "town_hall_filed",
    metadata,
    sa.Column("number", String(32), primary_key=True),
    sa.Column("draft", String(40), nullable=False, unique=True),
    sa.Column("browser_sha256", LargeBinary, nullable=False),
    sa.Column("form", String(64), nullable=False),
    sa.Column("content", LargeBinary, nullable=False),
    sa.Column("cms", LargeBinary, nullable=False),
    sa.Column("cms_sha256", LargeBinary, nullable=False),
    sa.Column("signer_sha256", LargeBinary, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("received_at", Moment, nullable=False),
)

_mine = bindparam("browser", type_=LargeBinary, required=True)

INSERT_DRAFT = insert_row(draft)
DRAFT = Query(
    sa.select(draft).where(
        draft.c.id == bindparam("id", required=True), draft.c.browser_sha256 == _mine
    )
)
# The nonce stands in the content of one draft: whoever takes the draft has used the nonce.
TAKE_DRAFT = Query(
    draft.update()
    .where(
        draft.c.id == bindparam("draft", required=True),
        draft.c.number.is_(None),
        draft.c.expires_at > NOW,
    )
    .values(number=bindparam("taken", type_=String, required=True))
)
FORGET_DRAFTS = Query(draft.delete().where(draft.c.expires_at <= NOW))
INSERT_FILED = insert_row(filed)
FILED = Query(
    sa.select(filed).where(
        filed.c.number == bindparam("number", required=True), filed.c.browser_sha256 == _mine
    )
)
FILED_OF_DRAFT = Query(sa.select(filed).where(filed.c.draft == bindparam("draft", required=True)))
LIST_FILED = Query(
    sa.select(filed.c.number, filed.c.form, filed.c.received_at)
    .where(filed.c.browser_sha256 == _mine)
    .order_by(filed.c.received_at.desc())
    .limit(bindparam("limit", type_=sa.Integer, required=True))
)
