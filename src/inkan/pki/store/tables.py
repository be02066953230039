"""The tables of authorities, certificates, lists and answers."""

import sqlalchemy as sa

from inkan.store.schema import JSONText, Moment, metadata

authority = sa.Table(
    "pki_authority",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("role", sa.String(12), nullable=False),
    sa.Column("certificate", sa.LargeBinary, nullable=False),
    sa.Column("key_label", sa.String(80), nullable=False),
    sa.Column("parent", sa.String(40), nullable=False),
    sa.Column("profiles", JSONText, nullable=False),
    sa.Column("crl_shards", sa.Integer, nullable=False),
    sa.Column("not_after", Moment, nullable=False),
    sa.Column("is_offline", sa.Boolean),
    sa.Column("successor", sa.String(40)),
    sa.Column("revoked_at", Moment, server_default=sa.null()),
    sa.Column("event_id", sa.String(40), nullable=False),
)

cross = sa.Table(
    "pki_cross_certificate",
    metadata,
    sa.Column("name", sa.String(80), primary_key=True),
    sa.Column("issuer", sa.String(40), nullable=False),
    sa.Column("subject", sa.String(40), nullable=False),
    sa.Column("certificate", sa.LargeBinary, nullable=False),
    sa.Column("is_link", sa.Boolean, nullable=False),
    sa.Column("not_after", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

ceremony = sa.Table(
    "pki_ceremony",
    metadata,
    # No file is held twice.
    sa.Column("file_sha256", sa.String(43), primary_key=True),
    sa.Column("kind", sa.String(20), nullable=False),
    sa.Column("held_at", Moment, nullable=False),
    sa.Column("custody", JSONText),
    sa.Column("transcript", sa.Text, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

certificate = sa.Table(
    "pki_certificate",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("order_key", sa.String(120), nullable=False, unique=True),
    sa.Column("authority", sa.String(40), nullable=False),
    sa.Column("serial", sa.String(40), nullable=False),
    sa.Column("shard", sa.Integer, nullable=False),
    sa.Column("profile", sa.String(40), nullable=False),
    sa.Column("owner", sa.String(40), nullable=False, index=True),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("not_after", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    # Sealed: the order and the certificate name their holder.
    sa.Column("order_sealed", sa.LargeBinary, nullable=False),
    sa.Column("tbs_sha256", sa.LargeBinary),
    sa.Column("twin_sealed", sa.LargeBinary),
    sa.Column("der_sealed", sa.LargeBinary),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.UniqueConstraint("authority", "serial"),
    sa.Index("ix_pki_certificate_open", "state", "changed_at"),
)

# A public key belongs to one owner for ever (threat 7).
public_key = sa.Table(
    "pki_public_key",
    metadata,
    sa.Column("spki_sha256", sa.String(43), primary_key=True),
    sa.Column("owner", sa.String(40), nullable=False),
)

crl = sa.Table(
    "pki_crl",
    metadata,
    sa.Column("authority", sa.String(40), primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("dirty", sa.Boolean, nullable=False),
    sa.Column("der", sa.LargeBinary),
    sa.Column("this_update", Moment),
    sa.Column("next_update", Moment),
    # The number of the list that is stored, and how many entries it has; ``number`` is the last one taken.
    sa.Column("listed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("entries", sa.Integer, nullable=False, server_default="0"),
)

# What lists say, in the order in which they say it: one row for each certificate that is revoked, on hold, or
# was taken off its hold since the last full list (``removed``).
revoked = sa.Table(
    "pki_revoked",
    metadata,
    sa.Column("authority", sa.String(40), primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True),
    sa.Column("serial", sa.String(40), primary_key=True),
    sa.Column("removed", sa.Boolean, nullable=False),
    # DER of the list's entry; None in rows older than the column, which are written from the two beside it.
    sa.Column("entry", sa.LargeBinary),
    sa.Column("reason", sa.String(32)),
    sa.Column("changed_at", Moment, nullable=False),
    # An entry is left out once a list was dated after this (RFC 5280 §3.3).
    sa.Column("keep_until", Moment, nullable=False),
    sa.Index("ix_pki_revoked_changed", "authority", "changed_at"),
    sqlite_with_rowid=False,
)

# Every change of a certificate's status after its issue; never changed, so that the past can be asked.
status_change = sa.Table(
    "pki_status_change",
    metadata,
    sa.Column("event_id", sa.String(40), primary_key=True),
    sa.Column("certificate", sa.String(40), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("step", sa.String(12), nullable=False),
    sa.Column("reason", sa.String(32)),
    sa.Column("invalid_since", Moment),
)

# The full list of a sharded authority and its delta, for those who mirror everything.
mirror = sa.Table(
    "pki_mirror",
    metadata,
    sa.Column("authority", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    # One sequence for both (RFC 5280 §5.2.3), counted in the row of the full list by ``taken``.
    *(
        sa.Column(name, sa.Integer, nullable=False)
        for name in ("taken", "number", "base_number", "entries", "size")
    ),
    *(sa.Column(name, Moment) for name in ("read_at", "this_update", "next_update")),
)
mirror_piece = sa.Table(
    "pki_mirror_piece",
    metadata,
    sa.Column("authority", sa.String(40), primary_key=True),
    sa.Column("kind", sa.String(8), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("piece", sa.LargeBinary, nullable=False),
)

ocsp = sa.Table(
    "pki_ocsp",
    metadata,
    sa.Column("authority", sa.String(40), primary_key=True),
    sa.Column("serial", sa.String(40), primary_key=True),
    sa.Column("hash_alg", sa.String(8), primary_key=True),
    sa.Column("der", sa.LargeBinary, nullable=False),
    sa.Column("produced_at", Moment, nullable=False),
    sa.Column("next_update", Moment, nullable=False, index=True),
)

# Cards of authorities that others run. Sealed: a certificate names its holder.
foreign_card = sa.Table(
    "pki_foreign_card",
    metadata,
    sa.Column("authority", sa.String(40), primary_key=True),
    sa.Column("serial", sa.String(40), primary_key=True),
    sa.Column("not_after", Moment, nullable=False, index=True),
    sa.Column("certificate_sealed", sa.LargeBinary, nullable=False),
)

# How far the time-stamping authority may have stamped, and which block of serial numbers is next.
tsa = sa.Table(
    "pki_tsa",
    metadata,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("block", sa.BigInteger, nullable=False),
    sa.Column("stamped_until", Moment, nullable=False),
)

# What each key signed, by the minute; the audit holds the same (design §6 Keys).
key_use = sa.Table(
    "pki_key_use",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("key_label", sa.String(80), nullable=False),
    sa.Column("purpose", sa.String(12), nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("signed", sa.Integer, nullable=False),
    sa.Column("refused", sa.Integer, nullable=False),
    sa.Column("chain", sa.String(43), nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
    sa.Index("ix_pki_key_use_key", "key_label", "until"),
)
