"""Where a system's browsers come back to, what is told of changes, and whether its pushes need a code."""

import sqlalchemy as sa
from alembic import op

revision = "0017_addresses"
down_revision = "0016_revocation"


def upgrade() -> None:
    op.add_column(
        "relying_parties_system",
        sa.Column("return_urls", sa.Text, nullable=False, server_default="[]"),
    )
    op.add_column(
        "relying_parties_system",
        sa.Column("webhooks", sa.Text, nullable=False, server_default="[]"),
    )
    op.add_column(
        "relying_parties_system",
        sa.Column("tap_only", sa.Boolean, nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    op.drop_column("relying_parties_system", "tap_only")
    op.drop_column("relying_parties_system", "webhooks")
    op.drop_column("relying_parties_system", "return_urls")
