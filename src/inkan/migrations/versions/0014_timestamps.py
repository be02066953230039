"""Time-stamping: the high-water mark of its time and the blocks of its serial numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0014_timestamps"
down_revision = "0013_foreign_cards"


def upgrade() -> None:
    op.create_table(
        "pki_tsa",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("block", sa.BigInteger, nullable=False),
        sa.Column("stamped_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pki_tsa"),
    )


def downgrade() -> None:
    op.drop_table("pki_tsa")
