"""Staff reads what persons reported: one index over the few records that were."""

import sqlalchemy as sa
from alembic import op

revision = "0025_reports"
down_revision = "0024_confirmations"

NAME = "approvals_record_reported"
RECORD = "approvals_record"


def upgrade() -> None:
    condition = sa.text("reported_at IS NOT NULL")
    op.create_index(
        NAME, RECORD, ["reported_at"], sqlite_where=condition, postgresql_where=condition
    )


def downgrade() -> None:
    op.drop_index(NAME, RECORD)
