"""Cards of authorities that others run."""

import sqlalchemy as sa
from alembic import op

revision = "0013_foreign_cards"
down_revision = "0012_person_logins"


def upgrade() -> None:
    op.create_table(
        "pki_foreign_card",
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("certificate_sealed", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("authority", "serial", name="pk_pki_foreign_card"),
    )
    op.create_index("ix_pki_foreign_card_not_after", "pki_foreign_card", ["not_after"])


def downgrade() -> None:
    op.drop_table("pki_foreign_card")
