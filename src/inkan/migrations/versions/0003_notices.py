"""Notices: contacts, in-app notices, news."""

import sqlalchemy as sa
from alembic import op

revision = "0003_notices"
down_revision = "0002_audit"


def upgrade() -> None:
    op.create_table(
        "notices_contact",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("address", sa.LargeBinary, nullable=False),
        sa.Column("language", sa.String, nullable=False),
        sa.Column("known_from", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices_contact"),
    )
    op.create_index("ix_notices_contact_recipient", "notices_contact", ["recipient"])
    op.create_index("ix_notices_contact_ended_at", "notices_contact", ["ended_at"])
    live = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_notices_contact_live",
        "notices_contact",
        ["recipient", "channel"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )
    op.create_table(
        "notices_notice",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("recipient", sa.String, nullable=False),
        sa.Column("template", sa.String, nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices_notice"),
    )
    op.create_index(
        "ix_notices_notice_recipient_created_at", "notices_notice", ["recipient", "created_at"]
    )
    op.create_index("ix_notices_notice_created_at", "notices_notice", ["created_at"])
    op.create_table(
        "notices_news",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("published_at", sa.BigInteger, nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_notices_news"),
    )
    op.create_index("ix_notices_news_published_at", "notices_news", ["published_at"])


def downgrade() -> None:
    op.drop_table("notices_news")
    op.drop_table("notices_notice")
    op.drop_table("notices_contact")
