"""The SHA-256 of a card's photo, kept with the phone that was bound by the card at a kiosk."""

import sqlalchemy as sa
from alembic import op

revision = "0031_photo"
down_revision = "0030_my_number"


def upgrade() -> None:
    op.create_table(
        "enrolment_photo",
        sa.Column("request", sa.String(40), nullable=False),
        sa.Column("phone", sa.String(40)),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("request", name="pk_enrolment_photo"),
        sa.UniqueConstraint("phone", name="uq_enrolment_photo_phone"),
    )


def downgrade() -> None:
    op.drop_table("enrolment_photo")
