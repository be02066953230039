"""Organisations that may use My Numbers by law."""

import sqlalchemy as sa
from alembic import op

revision = "0030_my_number"
down_revision = "0029_kiosk"


def upgrade() -> None:
    op.create_table(
        "relying_parties_entitlement",
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("basis", sa.String(200), nullable=False),
        sa.Column("granted_at", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("organisation", name="pk_relying_parties_entitlement"),
        sa.ForeignKeyConstraint(
            ["organisation"],
            ["relying_parties_organisation.id"],
            name="fk_relying_parties_entitlement_organisation",
        ),
    )


def downgrade() -> None:
    op.drop_table("relying_parties_entitlement")
