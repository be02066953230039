"""Usage records are picked by asker and reported once; consents are withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0023_records"
down_revision = "0022_applications"

RECORD = "approvals_record"
CONSENT = "attributes_consent"


def upgrade() -> None:
    op.add_column(RECORD, sa.Column("asker", sa.LargeBinary))
    op.add_column(RECORD, sa.Column("reported_at", sa.BigInteger))
    op.add_column(RECORD, sa.Column("report_event", sa.String(40)))
    op.create_index("approvals_record_asker", RECORD, ["person", "asker", "at"])
    op.add_column(CONSENT, sa.Column("withdrawn_at", sa.BigInteger))
    op.add_column(CONSENT, sa.Column("withdrawal_event", sa.String(40)))


def downgrade() -> None:
    for column in ("withdrawal_event", "withdrawn_at"):
        op.drop_column(CONSENT, column)
    op.drop_index("approvals_record_asker", RECORD)
    for column in ("report_event", "reported_at", "asker"):
        op.drop_column(RECORD, column)
