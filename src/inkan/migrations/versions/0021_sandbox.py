"""A sandbox instance: its mark and the offset of its clock, its systems by number, their virtual phones."""

import sqlalchemy as sa
from alembic import op

revision = "0021_sandbox"
down_revision = "0020_doors"


def upgrade() -> None:
    op.create_table(
        "sandbox_instance",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("ahead", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_instance"),
    )
    op.create_table(
        "sandbox_tenant",
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("system", name="pk_sandbox_tenant"),
        sa.UniqueConstraint("number", name="uq_sandbox_tenant_number"),
    )
    op.create_table(
        "sandbox_phone",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("behaviour", sa.String(16), nullable=False),
        sa.Column("after_s", sa.Integer, nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("last", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sandbox_phone"),
    )
    op.create_index("ix_sandbox_phone_system", "sandbox_phone", ["system"])


def downgrade() -> None:
    op.drop_table("sandbox_phone")
    op.drop_table("sandbox_tenant")
    op.drop_table("sandbox_instance")
