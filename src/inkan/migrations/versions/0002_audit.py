"""The audit log: events, the tiles of its tree, signed heads, and the tip."""

import sqlalchemy as sa
from alembic import op

revision = "0002_audit"
down_revision = "0001_store"


def upgrade() -> None:
    op.create_table(
        "audit_event",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("use_case", sa.String, nullable=False),
        sa.Column("actor_kind", sa.String, nullable=False),
        sa.Column("actor_id", sa.String, nullable=False),
        sa.Column("subject", sa.String),
        sa.Column("object", sa.String),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.Column("position", sa.BigInteger),
        sa.Column("chain", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_audit_event"),
    )
    pending, sequenced = sa.text("position IS NULL"), sa.text("position IS NOT NULL")
    op.create_index(
        "ix_audit_event_pending",
        "audit_event",
        ["id"],
        sqlite_where=pending,
        postgresql_where=pending,
    )
    op.create_index(
        "uq_audit_event_position",
        "audit_event",
        ["position"],
        unique=True,
        sqlite_where=sequenced,
        postgresql_where=sequenced,
    )
    op.create_table(
        "audit_tile",
        sa.Column("level", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("hashes", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("level", "number", name="pk_audit_tile"),
    )
    op.create_table(
        "audit_head",
        sa.Column("number", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("jws", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_head"),
        sa.UniqueConstraint("size", name="uq_audit_head_size"),
    )
    op.create_table(
        "audit_tip",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sa.Column("heads", sa.BigInteger, nullable=False),
        sa.Column("head_hash", sa.LargeBinary, nullable=False),
        sa.Column("mac", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_audit_tip"),
    )


def downgrade() -> None:
    op.drop_table("audit_tip")
    op.drop_table("audit_head")
    op.drop_table("audit_tile")
    op.drop_table("audit_event")
