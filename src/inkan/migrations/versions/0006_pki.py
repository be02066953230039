"""Authorities, certificates, revocation lists, OCSP answers."""

import sqlalchemy as sa
from alembic import op

revision = "0006_pki"
down_revision = "0005_accounts"


def upgrade() -> None:
    op.create_table(
        "pki_authority",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("role", sa.String(12), nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("key_label", sa.String(80), nullable=False),
        sa.Column("parent", sa.String(40), nullable=False),
        sa.Column("profiles", sa.Text, nullable=False),
        sa.Column("crl_shards", sa.Integer, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pki_authority"),
    )
    op.create_table(
        "pki_certificate",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("order_key", sa.String(120), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("profile", sa.String(40), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("not_before", sa.BigInteger, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("order_sealed", sa.LargeBinary, nullable=False),
        sa.Column("tbs_sha256", sa.LargeBinary),
        sa.Column("twin_sealed", sa.LargeBinary),
        sa.Column("der_sealed", sa.LargeBinary),
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pki_certificate"),
        sa.UniqueConstraint("authority", "serial", name="uq_pki_certificate_authority_serial"),
        sa.UniqueConstraint("order_key", name="uq_pki_certificate_order_key"),
    )
    op.create_index("ix_pki_certificate_list", "pki_certificate", ["authority", "shard", "state"])
    op.create_index("ix_pki_certificate_open", "pki_certificate", ["state", "changed_at"])
    op.create_index("ix_pki_certificate_owner", "pki_certificate", ["owner"])
    op.create_table(
        "pki_crl",
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("dirty", sa.Boolean, nullable=False),
        sa.Column("der", sa.LargeBinary),
        sa.Column("this_update", sa.BigInteger),
        sa.Column("next_update", sa.BigInteger),
        sa.PrimaryKeyConstraint("authority", "shard", name="pk_pki_crl"),
    )
    op.create_table(
        "pki_ocsp",
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("hash_alg", sa.String(8), nullable=False),
        sa.Column("der", sa.LargeBinary, nullable=False),
        sa.Column("produced_at", sa.BigInteger, nullable=False),
        sa.Column("next_update", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("authority", "serial", "hash_alg", name="pk_pki_ocsp"),
    )
    op.create_index("ix_pki_ocsp_next_update", "pki_ocsp", ["next_update"])
    op.create_table(
        "pki_public_key",
        sa.Column("spki_sha256", sa.String(43), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("spki_sha256", name="pk_pki_public_key"),
    )


def downgrade() -> None:
    op.drop_table("pki_public_key")
    op.drop_table("pki_ocsp")
    op.drop_table("pki_crl")
    op.drop_table("pki_certificate")
    op.drop_table("pki_authority")
