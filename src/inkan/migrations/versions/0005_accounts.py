"""Accounts: who logs in, invitations, passkeys, challenges, logins, proposals."""

import sqlalchemy as sa
from alembic import op

revision = "0005_accounts"
down_revision = "0004_people"


def upgrade() -> None:
    op.create_table(
        "accounts_account",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("tenant", sa.String, nullable=False),
        sa.Column("person", sa.String),
        sa.Column("name", sa.LargeBinary),
        sa.Column("mail_lookup", sa.LargeBinary),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_account"),
        sa.UniqueConstraint("person", name="uq_accounts_account_person"),
        sa.UniqueConstraint("mail_lookup", name="uq_accounts_account_mail_lookup"),
    )
    op.create_table(
        "accounts_invite",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("token_sha256", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_invite"),
        sa.UniqueConstraint("token_sha256", name="uq_accounts_invite_token_sha256"),
    )
    op.create_index("ix_accounts_invite_account", "accounts_invite", ["account"])
    op.create_index("ix_accounts_invite_expires_at", "accounts_invite", ["expires_at"])
    op.create_table(
        "accounts_passkey",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("cose_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("backup_eligible", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_passkey"),
        sa.UniqueConstraint("credential_id", name="uq_accounts_passkey_credential_id"),
    )
    op.create_index("ix_accounts_passkey_account", "accounts_passkey", ["account"])
    op.create_table(
        "accounts_ceremony",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("purpose", sa.String, nullable=False),
        sa.Column("invite", sa.String),
        sa.Column("challenge", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_ceremony"),
    )
    op.create_index("ix_accounts_ceremony_expires_at", "accounts_ceremony", ["expires_at"])
    op.create_table(
        "accounts_login",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("token_sha256", sa.LargeBinary, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("assurance", sa.Integer, nullable=False),
        sa.Column("verified_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("idle_until", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("ended_by", sa.String),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_login"),
        sa.UniqueConstraint("token_sha256", name="uq_accounts_login_token_sha256"),
    )
    op.create_index("ix_accounts_login_account", "accounts_login", ["account"])
    op.create_index("ix_accounts_login_expires_at", "accounts_login", ["expires_at"])
    op.create_table(
        "accounts_proposal",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("use_case", sa.String, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("proposer", sa.String, nullable=False),
        sa.Column("decided_by", sa.String),
        sa.Column("proposed_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts_proposal"),
    )
    op.create_index(
        "ix_accounts_proposal_state_expires_at", "accounts_proposal", ["state", "expires_at"]
    )


def downgrade() -> None:
    op.drop_table("accounts_proposal")
    op.drop_table("accounts_login")
    op.drop_table("accounts_ceremony")
    op.drop_table("accounts_passkey")
    op.drop_table("accounts_invite")
    op.drop_table("accounts_account")
