"""Organisations, systems, their keys, used client assertions."""

import sqlalchemy as sa
from alembic import op

revision = "0007_relying_parties"
down_revision = "0006_pki"


def upgrade() -> None:
    op.create_table(
        "relying_parties_assertion",
        sa.Column("jti_sha256", sa.String(43), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("jti_sha256", name="pk_relying_parties_assertion"),
    )
    op.create_index(
        "ix_relying_parties_assertion_expires_at", "relying_parties_assertion", ["expires_at"]
    )
    op.create_table(
        "relying_parties_organisation",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sector", sa.String(16), nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_relying_parties_organisation"),
        sa.UniqueConstraint("code", name="uq_relying_parties_organisation_code"),
    )
    op.create_table(
        "relying_parties_system",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("organisation", sa.String(40), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("domain", sa.String(260), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("doors", sa.Text, nullable=False),
        sa.Column("purposes", sa.Text, nullable=False),
        sa.Column("internal", sa.Boolean, nullable=False),
        sa.Column("binding_min", sa.String(12)),
        sa.Column("sector", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_relying_parties_system"),
        sa.ForeignKeyConstraint(
            ["organisation"],
            ["relying_parties_organisation.id"],
            name="fk_relying_parties_system_organisation",
        ),
        sa.UniqueConstraint("code", name="uq_relying_parties_system_code"),
    )
    op.create_table(
        "relying_parties_key",
        sa.Column("thumbprint", sa.String(43), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("jwk", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("thumbprint", name="pk_relying_parties_key"),
        sa.ForeignKeyConstraint(
            ["system"], ["relying_parties_system.id"], name="fk_relying_parties_key_system"
        ),
    )
    op.create_index("ix_relying_parties_key_system", "relying_parties_key", ["system"])


def downgrade() -> None:
    op.drop_table("relying_parties_key")
    op.drop_table("relying_parties_system")
    op.drop_table("relying_parties_organisation")
    op.drop_table("relying_parties_assertion")
