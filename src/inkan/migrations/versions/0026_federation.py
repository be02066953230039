"""The OpenID provider: grants, pushed requests, logins, revoked tokens, signing keys; client metadata of systems."""

import sqlalchemy as sa
from alembic import op

revision = "0026_federation"
down_revision = "0025_reports"

TABLES = (
    "federation_grant",
    "federation_pushed_request",
    "federation_login",
    "federation_revoked_token",
    "federation_signing_key",
)


def upgrade() -> None:
    op.add_column("relying_parties_system", sa.Column("openid", sa.Text))
    op.create_table(
        "federation_grant",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("session", sa.String(40)),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("handle_sha256", sa.String(43)),
        sa.Column("handle_expires_at", sa.BigInteger, nullable=False),
        sa.Column("user_code_sha256", sa.String(43)),
        sa.Column("interval_s", sa.Integer, nullable=False),
        sa.Column("polled_at", sa.BigInteger),
        sa.Column("notification_token", sa.LargeBinary),
        sa.Column("browser_sha256", sa.String(43)),
        sa.Column("login", sa.String(40)),
        sa.Column("sid", sa.String(43)),
        sa.Column("sub", sa.String(64)),
        sa.Column("acr", sa.String(64), nullable=False),
        sa.Column("amr", sa.Text, nullable=False),
        sa.Column("auth_time", sa.BigInteger),
        sa.Column("jkt", sa.String(43)),
        sa.Column("x5t", sa.String(43)),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("answer", sa.LargeBinary),
        sa.Column("refresh_sha256", sa.String(43)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_federation_grant"),
    )
    op.create_index("uq_federation_grant_session", "federation_grant", ["session"], unique=True)
    op.create_index(
        "uq_federation_grant_handle", "federation_grant", ["handle_sha256"], unique=True
    )
    op.create_index(
        "uq_federation_grant_user_code", "federation_grant", ["user_code_sha256"], unique=True
    )
    op.create_index(
        "uq_federation_grant_refresh", "federation_grant", ["refresh_sha256"], unique=True
    )
    op.create_index("federation_grant_login", "federation_grant", ["login"])
    op.create_index("federation_grant_sub", "federation_grant", ["sub"])
    op.create_index("federation_grant_expiry", "federation_grant", ["expires_at"])
    op.create_table(
        "federation_pushed_request",
        sa.Column("uri_sha256", sa.String(43), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("asked", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("session", sa.String(40)),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("uri_sha256", name="pk_federation_pushed_request"),
    )
    op.create_index("federation_pushed_request_expiry", "federation_pushed_request", ["expires_at"])
    op.create_table(
        "federation_login",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("browser_sha256", sa.String(43), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("acr", sa.String(64), nullable=False),
        sa.Column("amr", sa.Text, nullable=False),
        sa.Column("auth_time", sa.BigInteger, nullable=False),
        sa.Column("reusable_until", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_federation_login"),
    )
    op.create_index(
        "uq_federation_login_browser", "federation_login", ["browser_sha256"], unique=True
    )
    op.create_index("federation_login_person", "federation_login", ["person"])
    op.create_index("federation_login_expiry", "federation_login", ["expires_at"])
    op.create_table(
        "federation_revoked_token",
        sa.Column("jti", sa.String(40), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_federation_revoked_token"),
    )
    op.create_index("federation_revoked_token_expiry", "federation_revoked_token", ["expires_at"])
    op.create_table(
        "federation_signing_key",
        sa.Column("label", sa.String(64), nullable=False),
        sa.Column("alg", sa.String(8), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("signs_from", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("label", name="pk_federation_signing_key"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("relying_parties_system", "openid")
