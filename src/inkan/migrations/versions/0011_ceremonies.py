"""Ceremonies and cross-certificates; offline authorities and their successors."""

import sqlalchemy as sa
from alembic import op

revision = "0011_ceremonies"
down_revision = "0010_identification"


def upgrade() -> None:
    op.add_column("pki_authority", sa.Column("is_offline", sa.Boolean))
    op.add_column("pki_authority", sa.Column("successor", sa.String(40)))
    op.create_table(
        "pki_cross_certificate",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("issuer", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(40), nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("is_link", sa.Boolean, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pki_cross_certificate"),
    )
    op.create_table(
        "pki_ceremony",
        sa.Column("file_sha256", sa.String(43), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("held_at", sa.BigInteger, nullable=False),
        sa.Column("custody", sa.Text),
        sa.Column("transcript", sa.Text, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("file_sha256", name="pk_pki_ceremony"),
    )


def downgrade() -> None:
    op.drop_table("pki_ceremony")
    op.drop_table("pki_cross_certificate")
    op.drop_column("pki_authority", "successor")
    op.drop_column("pki_authority", "is_offline")
