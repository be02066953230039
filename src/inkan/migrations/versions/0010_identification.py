"""Sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0010_identification"
down_revision = "0009_approvals"


def upgrade() -> None:
    op.create_table(
        "identification_session",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("sector", sa.String(64), nullable=False),
        sa.Column("approval", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("full_evidence", sa.Boolean, nullable=False),
        sa.Column("binding_min", sa.String(12), nullable=False),
        sa.Column("hint_type", sa.String(12), nullable=False),
        sa.Column("hint", sa.LargeBinary),
        sa.Column("idempotency_key", sa.String(64)),
        sa.Column("body_sha256", sa.String(43), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("purge_at", sa.BigInteger, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("certificate", sa.String(40)),
        sa.Column("receipt_payload", sa.LargeBinary),
        sa.Column("receipt", sa.Text),
        sa.Column("evidence", sa.LargeBinary),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identification_session"),
        sa.UniqueConstraint("approval", name="uq_identification_session_approval"),
        sa.UniqueConstraint("system", "idempotency_key", name="identification_session_idempotency"),
    )
    op.create_index("identification_session_purge", "identification_session", ["purge_at"])
    unsigned = sa.text("receipt IS NULL AND receipt_payload IS NOT NULL")
    op.create_index(
        "identification_session_unsigned",
        "identification_session",
        ["id"],
        sqlite_where=unsigned,
        postgresql_where=unsigned,
    )


def downgrade() -> None:
    op.drop_table("identification_session")
