"""The store's own tables: jobs, dead jobs, schedules."""

import sqlalchemy as sa
from alembic import op

revision = "0001_store"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "store_outbox",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", sa.String),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("due", sa.BigInteger, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("lease", sa.String),
        sa.Column("again", sa.Boolean, nullable=False),
        sa.Column("enqueued_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store_outbox"),
        sa.UniqueConstraint("key", name="uq_store_outbox_key"),
    )
    op.create_index("ix_store_outbox_due_kind", "store_outbox", ["due", "kind"])
    op.create_table(
        "store_dead",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("key", sa.String),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("error", sa.String, nullable=False),
        sa.Column("enqueued_at", sa.BigInteger, nullable=False),
        sa.Column("died_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store_dead"),
    )
    op.create_table(
        "store_schedule",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("next_due", sa.BigInteger, nullable=False),
        sa.Column("lease", sa.String),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("last_ended_at", sa.BigInteger),
        sa.Column("last_error", sa.String),
        sa.PrimaryKeyConstraint("name", name="pk_store_schedule"),
    )


def downgrade() -> None:
    op.drop_table("store_schedule")
    op.drop_table("store_dead")
    op.drop_table("store_outbox")
