"""The passkey is asked for in the browser that began, while an answer awaits its return."""

import sqlalchemy as sa
from alembic import op

revision = "0024_confirmations"
down_revision = "0023_records"

TABLE = "identification_confirmation"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("session", sa.String(40), nullable=False),
        sa.Column("handle_sha256", sa.String(43), nullable=False),
        sa.Column("nonce", sa.String(43), nullable=False),
        sa.Column("evidence", sa.String(24)),
        sa.Column("token_sha256", sa.String(43)),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("session", name="pk_identification_confirmation"),
    )
    op.create_index("uq_identification_confirmation_handle", TABLE, ["handle_sha256"], unique=True)
    op.create_index("identification_confirmation_expiry", TABLE, ["expires_at"])


def downgrade() -> None:
    op.drop_table(TABLE)
