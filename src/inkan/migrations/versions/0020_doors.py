"""The five doors: addresses, codes, returns, pushed phones, known browsers, and what became of prompts."""

import sqlalchemy as sa
from alembic import op

revision = "0020_doors"
down_revision = "0019_attributes"

_TERMS = '{"doors":["qr"]}'


def upgrade() -> None:
    _approvals()
    _sessions()
    _prompts()
    op.create_table(
        "people_reference",
        sa.Column("phone_ref", sa.String(43), nullable=False),
        sa.Column("person_ref", sa.String(43), nullable=False),
        sa.Column("person", sa.String, nullable=False),
        sa.Column("phone", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("phone_ref", name="pk_people_reference"),
    )
    op.create_index("ix_people_reference_person_ref", "people_reference", ["person_ref"])


def _approvals() -> None:
    table = "approvals_approval"
    op.add_column(table, sa.Column("link", sa.String(40)))
    op.create_index("uq_approvals_approval_link", table, ["link"], unique=True)
    op.add_column(table, sa.Column("evidence", sa.Text, nullable=False, server_default="[]"))
    op.add_column(table, sa.Column("code_tries", sa.Integer, nullable=False, server_default="0"))
    op.add_column(table, sa.Column("redeem_until", sa.BigInteger))
    op.create_table(
        "approvals_target",
        sa.Column("approval", sa.String(40), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("approval", "phone", name="pk_approvals_target"),
    )
    op.create_index("approvals_target_phone", "approvals_target", ["phone"])


def _sessions() -> None:
    table = "identification_session"
    op.add_column(table, sa.Column("terms", sa.Text, nullable=False, server_default=_TERMS))
    op.add_column(table, sa.Column("page", sa.String(40)))
    op.create_index("uq_identification_session_page", table, ["page"], unique=True)
    op.add_column(table, sa.Column("page_browser", sa.String(43)))
    op.add_column(
        table, sa.Column("is_withdrawn", sa.Boolean, nullable=False, server_default=sa.false())
    )


def _prompts() -> None:
    op.create_table(
        "identification_prompt",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("session", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("is_sent", sa.Boolean, nullable=False),
        sa.Column("is_paired", sa.Boolean, nullable=False),
        sa.Column("result", sa.String(12)),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identification_prompt"),
    )
    op.create_index("identification_prompt_person", "identification_prompt", ["person", "at"])
    op.create_index("identification_prompt_system", "identification_prompt", ["system", "at"])
    op.create_index("identification_prompt_session", "identification_prompt", ["session"])
    op.create_table(
        "identification_browser",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("browser", sa.String(43), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("paired_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_identification_browser"),
        sa.UniqueConstraint("browser", "person", name="identification_browser_pair"),
    )
    op.create_index("identification_browser_person", "identification_browser", ["person"])


def downgrade() -> None:
    for table in ("people_reference", "identification_browser", "identification_prompt"):
        op.drop_table(table)
    op.drop_table("approvals_target")
    op.drop_index("uq_identification_session_page", "identification_session")
    for column in ("is_withdrawn", "page_browser", "page", "terms"):
        op.drop_column("identification_session", column)
    op.drop_index("uq_approvals_approval_link", "approvals_approval")
    for column in ("redeem_until", "code_tries", "evidence", "link"):
        op.drop_column("approvals_approval", column)
