"""What every key signed, counted by the minute."""

import sqlalchemy as sa
from alembic import op

revision = "0015_key_uses"
down_revision = "0014_timestamps"


def upgrade() -> None:
    op.create_table(
        "pki_key_use",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("key_label", sa.String(80), nullable=False),
        sa.Column("purpose", sa.String(12), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("signed", sa.Integer, nullable=False),
        sa.Column("refused", sa.Integer, nullable=False),
        sa.Column("chain", sa.String(43), nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pki_key_use"),
    )
    op.create_index("ix_pki_key_use_key", "pki_key_use", ["key_label", "until"])


def downgrade() -> None:
    op.drop_index("ix_pki_key_use_key", table_name="pki_key_use")
    op.drop_table("pki_key_use")
