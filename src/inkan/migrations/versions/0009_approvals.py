"""Approvals and usage records."""

import sqlalchemy as sa
from alembic import op

revision = "0009_approvals"
down_revision = "0008_enrolment"


def upgrade() -> None:
    op.create_table(
        "approvals_approval",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("outcome", sa.String(12)),
        sa.Column("reason", sa.String(40)),
        sa.Column("door", sa.String(16)),
        sa.Column("handle", sa.String(40)),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("qr_t0", sa.BigInteger),
        sa.Column("question", sa.Text, nullable=False),
        sa.Column("draft", sa.Text),
        sa.Column("phone", sa.String(40)),
        sa.Column("person", sa.String(40)),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("statement_sha256", sa.String(43)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("released_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals_approval"),
        sa.UniqueConstraint("handle", name="uq_approvals_approval_handle"),
    )
    op.create_index("approvals_approval_expiry", "approvals_approval", ["state", "expires_at"])
    op.create_index("approvals_approval_phone", "approvals_approval", ["phone", "state"])
    op.create_table(
        "approvals_record",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("detail", sa.LargeBinary),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_approvals_record"),
    )
    op.create_index("approvals_record_person", "approvals_record", ["person", "at"])


def downgrade() -> None:
    op.drop_table("approvals_record")
    op.drop_table("approvals_approval")
