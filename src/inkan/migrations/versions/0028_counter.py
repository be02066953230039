"""Counters: offices, terminals, clerks, shifts, residents, cases, cards, challenges."""

import sqlalchemy as sa
from alembic import op

revision = "0028_counter"
down_revision = "0027_streams"


def upgrade() -> None:
    op.create_table(
        "counter_office",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("municipality", sa.String(40), nullable=False),
        sa.Column("authority", sa.String(64), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_counter_office"),
    )
    op.create_table(
        "counter_terminal",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("office", sa.String(40), nullable=False),
        sa.Column("jwk", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counter_terminal"),
    )
    op.create_index("counter_terminal_office", "counter_terminal", ["office"])
    op.create_table(
        "counter_clerk",
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("office", sa.String(40), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_counter_clerk"),
    )
    op.create_index("uq_counter_clerk_person", "counter_clerk", ["person"], unique=True)
    op.create_table(
        "counter_shift",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("clerk", sa.String(40), nullable=False),
        sa.Column("office", sa.String(40), nullable=False),
        sa.Column("live", sa.String(2)),
        sa.Column("begun_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counter_shift"),
    )
    op.create_index("uq_counter_shift_clerk_live", "counter_shift", ["clerk", "live"], unique=True)
    op.create_table(
        "counter_resident",
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("municipality", sa.String(40), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("person", name="pk_counter_resident"),
    )
    _cases()


def _cases() -> None:
    op.create_table(
        "counter_case",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("office", sa.String(40), nullable=False),
        sa.Column("clerk", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("live", sa.String(2)),
        sa.Column("card", sa.String(32)),
        sa.Column("document", sa.LargeBinary),
        sa.Column("confirmed_by", sa.String(40)),
        sa.Column("terms_version", sa.String(32)),
        sa.Column("paid", sa.Integer),
        sa.Column("cause", sa.String(32)),
        sa.Column("certificates", sa.Text, nullable=False),
        sa.Column("command_sha256", sa.LargeBinary),
        sa.Column("command_act", sa.String(16)),
        sa.Column("command_terminal", sa.String(40)),
        sa.Column("command_expires_at", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counter_case"),
    )
    op.create_index("uq_counter_case_person_live", "counter_case", ["person", "live"], unique=True)
    op.create_index("uq_counter_case_card_live", "counter_case", ["card", "live"], unique=True)
    op.create_index("counter_case_office", "counter_case", ["office", "created_at"])
    op.create_index("counter_case_live", "counter_case", ["live", "expires_at"])
    op.create_table(
        "counter_card",
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("facts", sa.LargeBinary, nullable=False),
        sa.Column("certificates", sa.Text, nullable=False),
        sa.Column("case", sa.String(40), nullable=False),
        sa.Column("made_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_counter_card"),
    )
    op.create_index("counter_card_person", "counter_card", ["person"])
    op.create_table(
        "counter_challenge",
        sa.Column("nonce_sha256", sa.LargeBinary, nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("browser_sha256", sa.LargeBinary, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("nonce_sha256", name="pk_counter_challenge"),
    )
    op.create_index("counter_challenge_expiry", "counter_challenge", ["expires_at"])


def downgrade() -> None:
    for table in ("challenge", "card", "case", "resident", "shift", "clerk", "terminal", "office"):
        op.drop_table(f"counter_{table}")
