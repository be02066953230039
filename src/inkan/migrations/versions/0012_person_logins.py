"""Accounts: the session by which a person logged in; one session opens one login."""

import sqlalchemy as sa
from alembic import op

revision = "0012_person_logins"
down_revision = "0011_ceremonies"


def upgrade() -> None:
    op.add_column("accounts_login", sa.Column("session", sa.String))
    op.create_index("ix_accounts_login_session", "accounts_login", ["session"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_accounts_login_session", "accounts_login")
    op.drop_column("accounts_login", "session")
