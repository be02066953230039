"""Registrations that a phone begins and a kiosk finishes."""

import sqlalchemy as sa
from alembic import op

revision = "0029_kiosk"
down_revision = "0028_counter"


def upgrade() -> None:
    op.create_table(
        "enrolment_kiosk",
        sa.Column("request", sa.String(40), nullable=False),
        sa.Column("key_sha256", sa.String(43)),
        sa.Column("kiosk", sa.String(40)),
        sa.Column("visit_sha256", sa.LargeBinary),
        sa.Column("card", sa.LargeBinary),
        sa.Column("number_at", sa.BigInteger),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("typed_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_enrolment_kiosk"),
        sa.UniqueConstraint("key_sha256", name="uq_enrolment_kiosk_key_sha256"),
        sa.UniqueConstraint("visit_sha256", name="uq_enrolment_kiosk_visit_sha256"),
    )


def downgrade() -> None:
    op.drop_table("enrolment_kiosk")
