"""Push subscriptions of phones."""

import sqlalchemy as sa
from alembic import op

revision = "0018_push"
down_revision = "0017_addresses"


def upgrade() -> None:
    op.create_table(
        "notices_push_subscription",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("phone", sa.String, nullable=False),
        sa.Column("carrier", sa.String, nullable=False),
        sa.Column("endpoint", sa.LargeBinary),
        sa.Column("keys", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("end_reason", sa.String),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices_push_subscription"),
    )
    op.create_index("ix_notices_push_subscription_phone", "notices_push_subscription", ["phone"])
    op.create_index(
        "ix_notices_push_subscription_ended_at", "notices_push_subscription", ["ended_at"]
    )
    live = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_notices_push_subscription_live",
        "notices_push_subscription",
        ["phone"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def downgrade() -> None:
    op.drop_table("notices_push_subscription")
