"""What revocation lists say, row by row; the history of a certificate's status; full lists and their deltas."""

import sqlalchemy as sa
from alembic import op

revision = "0016_revocation"
down_revision = "0015_key_uses"


def upgrade() -> None:
    op.add_column("pki_crl", sa.Column("listed", sa.Integer, nullable=False, server_default="0"))
    op.add_column("pki_crl", sa.Column("entries", sa.Integer, nullable=False, server_default="0"))
    op.add_column("pki_authority", sa.Column("revoked_at", sa.BigInteger, server_default=sa.null()))
    # Lists were once read from the certificates themselves.
    op.drop_index("ix_pki_certificate_list", "pki_certificate")
    # Every list is signed again at the first look, from the rows below.
    op.execute("UPDATE pki_crl SET dirty = true")
    op.create_table(
        "pki_revoked",
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("shard", sa.Integer, nullable=False),
        sa.Column("serial", sa.String(40), nullable=False),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("entry", sa.LargeBinary),
        sa.Column("reason", sa.String(32)),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("keep_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("authority", "shard", "serial", name="pk_pki_revoked"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pki_revoked_changed", "pki_revoked", ["authority", "changed_at"])
    op.create_table(
        "pki_status_change",
        sa.Column("event_id", sa.String(40), nullable=False),
        sa.Column("certificate", sa.String(40), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("step", sa.String(12), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("invalid_since", sa.BigInteger),
        sa.PrimaryKeyConstraint("event_id", name="pk_pki_status_change"),
    )
    op.create_index("ix_pki_status_change_certificate", "pki_status_change", ["certificate"])
    op.create_table(
        "pki_mirror",
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("taken", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("base_number", sa.Integer, nullable=False),
        sa.Column("read_at", sa.BigInteger),
        sa.Column("this_update", sa.BigInteger),
        sa.Column("next_update", sa.BigInteger),
        sa.Column("entries", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("authority", "kind", name="pk_pki_mirror"),
    )
    op.create_table(
        "pki_mirror_piece",
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("piece", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(
            "authority", "kind", "number", "position", name="pk_pki_mirror_piece"
        ),
    )
    _carry_over()


def _carry_over() -> None:
    """What the certificates' own rows say so far: the present state; earlier holds were not kept."""
    op.execute(
        "INSERT INTO pki_revoked (authority, shard, serial, removed, entry, reason, changed_at, keep_until)"
        " SELECT authority, shard, serial, false, NULL, reason, changed_at,"
        " CASE WHEN changed_at > not_after THEN changed_at ELSE not_after END"
        " FROM pki_certificate WHERE state IN ('revoked', 'suspended')"
    )
    op.execute(
        "INSERT INTO pki_status_change (event_id, certificate, at, step, reason, invalid_since)"
        " SELECT event_id, id, changed_at,"
        " CASE state WHEN 'revoked' THEN 'revoke' ELSE 'suspend' END, reason, NULL"
        " FROM pki_certificate WHERE state IN ('revoked', 'suspended')"
    )


def downgrade() -> None:
    op.drop_table("pki_mirror_piece")
    op.drop_table("pki_mirror")
    op.drop_table("pki_status_change")
    op.drop_table("pki_revoked")
    op.create_index("ix_pki_certificate_list", "pki_certificate", ["authority", "shard", "state"])
    op.drop_column("pki_authority", "revoked_at")
    op.drop_column("pki_crl", "entries")
    op.drop_column("pki_crl", "listed")
