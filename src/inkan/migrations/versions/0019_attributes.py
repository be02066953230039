"""Attributes and consents; documents and batches to sign; since when an identity is known."""

import sqlalchemy as sa
from alembic import op

revision = "0019_attributes"
down_revision = "0018_push"


def upgrade() -> None:
    op.add_column(
        "people_person",
        sa.Column("identity_at", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.execute("UPDATE people_person SET identity_at = created_at")
    op.create_table(
        "attributes_attribute",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("valid_until", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attributes_attribute"),
        sa.UniqueConstraint("person", "code", "source", name="attributes_attribute_source"),
    )
    op.create_index("attributes_attribute_term", "attributes_attribute", ["valid_until"])
    op.create_table(
        "attributes_consent",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("statement_sha256", sa.String(43), nullable=False),
        sa.Column("detail", sa.LargeBinary),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attributes_consent"),
        sa.UniqueConstraint("statement_sha256", name="attributes_consent_statement"),
        sa.CheckConstraint("length(statement_sha256) = 43", name="ck_attributes_consent_signed"),
    )
    op.create_index("attributes_consent_person", "attributes_consent", ["person", "at"])
    op.create_table(
        "signing_document",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.String(86), nullable=False),
        sa.Column("alg", sa.String(16), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signing_document"),
    )
    op.create_index("signing_document_expiry", "signing_document", ["expires_at"])
    op.create_table(
        "signing_order",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("system", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("name", sa.LargeBinary, nullable=False),
        sa.Column("documents", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.String(64), nullable=False),
        sa.Column("body_mac", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_signing_order"),
        sa.UniqueConstraint("system", "kind", "idempotency_key", name="signing_order_idempotency"),
    )
    op.create_index("signing_order_expiry", "signing_order", ["expires_at"])
    op.create_table(
        "signing_result",
        sa.Column("document", sa.String(40), nullable=False),
        sa.Column("session", sa.String(40), nullable=False),
        sa.Column("result", sa.String(12), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("document", "session", name="pk_signing_result"),
    )
    op.create_index("signing_result_expiry", "signing_result", ["expires_at"])


def downgrade() -> None:
    op.drop_table("signing_result")
    op.drop_table("signing_order")
    op.drop_table("signing_document")
    op.drop_table("attributes_consent")
    op.drop_table("attributes_attribute")
    op.drop_column("people_person", "identity_at")
