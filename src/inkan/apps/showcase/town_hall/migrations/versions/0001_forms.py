"""Forms that wait for a signature, and forms that were filed."""

import sqlalchemy as sa
from alembic import op

revision = "0001_forms"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "town_hall_draft",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("browser_sha256", sa.LargeBinary, nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("number", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_town_hall_draft"),
    )
    op.create_index("town_hall_draft_expiry", "town_hall_draft", ["expires_at"])
    op.create_table(
        "town_hall_filed",
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("draft", sa.String(40), nullable=False),
        sa.Column("browser_sha256", sa.LargeBinary, nullable=False),
        sa.Column("form", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("cms", sa.LargeBinary, nullable=False),
        sa.Column("cms_sha256", sa.LargeBinary, nullable=False),
        sa.Column("signer_sha256", sa.LargeBinary, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_town_hall_filed"),
        sa.UniqueConstraint("draft", name="uq_town_hall_filed_draft"),
    )
    op.create_index("town_hall_filed_browser", "town_hall_filed", ["browser_sha256", "received_at"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("town_hall_filed")
    op.drop_table("town_hall_draft")
