"""Enrolment requests, phones, slots, renewals, challenges."""

import sqlalchemy as sa
from alembic import op

revision = "0008_enrolment"
down_revision = "0007_relying_parties"


def upgrade() -> None:
    op.create_table(
        "enrolment_challenge",
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("phone", name="pk_enrolment_challenge"),
    )
    op.create_table(
        "enrolment_phone",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("channel_jkt", sa.String(43), nullable=False),
        sa.Column("credential_id", sa.LargeBinary, nullable=False),
        sa.Column("cose_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("backup_eligible", sa.Boolean, nullable=False),
        sa.Column("attested", sa.Boolean, nullable=False),
        sa.Column("back_end", sa.String(8), nullable=False),
        sa.Column("certificates", sa.LargeBinary, nullable=False),
        sa.Column("pending", sa.LargeBinary, nullable=False),
        sa.Column("parent_authority", sa.String(40), nullable=False),
        sa.Column("parent_serial", sa.String(40), nullable=False),
        sa.Column("parent_checked_at", sa.BigInteger, nullable=False),
        sa.Column("bound_at", sa.BigInteger, nullable=False),
        sa.Column("young_until", sa.BigInteger, nullable=False),
        sa.Column("asserted_at", sa.BigInteger),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment_phone"),
        sa.UniqueConstraint("channel_jkt", name="uq_enrolment_phone_channel_jkt"),
        sa.UniqueConstraint("credential_id", name="uq_enrolment_phone_credential_id"),
    )
    op.create_index(
        "ix_enrolment_phone_parent", "enrolment_phone", ["parent_authority", "parent_serial"]
    )
    op.create_index("ix_enrolment_phone_person", "enrolment_phone", ["person"])
    op.create_table(
        "enrolment_renewal",
        sa.Column("nonce", sa.String(43), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("cms_sha256", sa.String(43)),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("nonce", name="pk_enrolment_renewal"),
        sa.UniqueConstraint("cms_sha256", name="uq_enrolment_renewal_cms_sha256"),
    )
    op.create_index("ix_enrolment_renewal_phone", "enrolment_renewal", ["phone"])
    op.create_table(
        "enrolment_request",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("nonce", sa.String(43), nullable=False),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("handle", sa.String(40), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
        sa.Column("terms_version", sa.String(40), nullable=False),
        sa.Column("phone_name", sa.String(64)),
        sa.Column("channel_jkt", sa.String(43)),
        sa.Column("back_end", sa.String(8)),
        sa.Column("prepared", sa.LargeBinary),
        sa.Column("content", sa.Text),
        sa.Column("cms_sha256", sa.String(43)),
        sa.Column("phone", sa.String(40)),
        sa.Column("refusal", sa.String(64)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_enrolment_request"),
        sa.UniqueConstraint("cms_sha256", name="uq_enrolment_request_cms_sha256"),
        sa.UniqueConstraint("handle", name="uq_enrolment_request_handle"),
        sa.UniqueConstraint("nonce", name="uq_enrolment_request_nonce"),
    )
    op.create_index("ix_enrolment_request_expires_at", "enrolment_request", ["expires_at"])
    op.create_table(
        "enrolment_slot",
        sa.Column("person", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("person", "scheme", "slot", name="pk_enrolment_slot"),
        sa.UniqueConstraint("phone", name="uq_enrolment_slot_phone"),
    )


def downgrade() -> None:
    op.drop_table("enrolment_slot")
    op.drop_table("enrolment_request")
    op.drop_table("enrolment_renewal")
    op.drop_table("enrolment_phone")
    op.drop_table("enrolment_challenge")
