"""Persons: sealed identities, the keys to find them, and who looked."""

import sqlalchemy as sa
from alembic import op

revision = "0004_people"
down_revision = "0003_notices"


def upgrade() -> None:
    op.create_table(
        "people_person",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("subject_serial", sa.String, nullable=False),
        sa.Column("national_id_lookup", sa.LargeBinary, nullable=False),
        sa.Column("identity", sa.LargeBinary, nullable=False),
        sa.Column("identity_version", sa.Integer, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people_person"),
        sa.UniqueConstraint("subject_serial", name="uq_people_person_subject_serial"),
        sa.UniqueConstraint("national_id_lookup", name="uq_people_person_national_id_lookup"),
    )
    op.create_table(
        "people_reveal",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("actor_kind", sa.String, nullable=False),
        sa.Column("actor_id", sa.String, nullable=False),
        sa.Column("reason", sa.LargeBinary, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people_reveal"),
    )
    op.create_index("ix_people_reveal_person_at", "people_reveal", ["person", "at"])


def downgrade() -> None:
    op.drop_table("people_reveal")
    op.drop_table("people_person")
