"""Shared Signals: streams and their events; grants are found by their session id."""

import sqlalchemy as sa
from alembic import op

revision = "0027_streams"
down_revision = "0026_federation"


def upgrade() -> None:
    op.create_index("federation_grant_sid", "federation_grant", ["sid"])
    op.create_table(
        "federation_stream",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("audience", sa.String(64), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("endpoint_url", sa.String(500), nullable=False),
        sa.Column("authorization", sa.LargeBinary),
        sa.Column("events_requested", sa.Text),
        sa.Column("description", sa.String(200), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("verified_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_federation_stream"),
    )
    op.create_index("uq_federation_stream_system", "federation_stream", ["system"], unique=True)
    op.create_table(
        "federation_signal",
        sa.Column("jti", sa.String(43), nullable=False),
        sa.Column("stream", sa.String(40), nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("sid", sa.String(43), nullable=False),
        sa.Column("claims", sa.Text, nullable=False),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("sent_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_federation_signal"),
    )
    op.create_index("federation_signal_stream", "federation_signal", ["stream", "sent_at"])
    op.create_index("federation_signal_expiry", "federation_signal", ["expires_at"])


def downgrade() -> None:
    op.drop_table("federation_signal")
    op.drop_table("federation_stream")
    op.drop_index("federation_grant_sid", "federation_grant")
