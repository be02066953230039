"""The rows of authorities, certificates, lists and answers, and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.pki.model import CertificateState, CertificateStep
from inkan.pki.rules import MACHINE
from inkan.store.query import Query, insert_new, insert_row, upsert
from inkan.store.schema import NOW, JSONText, Moment, metadata

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
    sa.Index("ix_pki_certificate_list", "authority", "shard", "state"),
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


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


INSERT_AUTHORITY = insert_row(authority)
SUCCEED = Query(
    sa.update(authority)
    .where(authority.c.name == _bind("key"), authority.c.successor.is_(None))
    .values(successor=_bind("new_successor"), event_id=_bind("event"))
)
INSERT_CROSS = insert_row(cross)
CROSSES = Query(sa.select(*(c for c in cross.c if c.name != "event_id")).order_by(cross.c.name))
INSERT_CEREMONY = insert_row(ceremony)
CEREMONY = Query(sa.select(ceremony.c.kind).where(ceremony.c.file_sha256 == _bind("key")))
# The custody in force: the last one that a ceremony brought.
CUSTODY = Query(
    sa.select(ceremony.c.custody)
    .where(ceremony.c.custody.is_not(None))
    .order_by(ceremony.c.held_at.desc())
    .limit(1)
)
AUTHORITIES = Query(
    sa.select(*(c for c in authority.c if c.name != "event_id")).order_by(authority.c.name)
)
RENEW_SIGNER = Query(
    sa.update(authority)
    .where(
        authority.c.name == _bind("key"), authority.c.certificate == _bind("seen", sa.LargeBinary)
    )
    .values(
        certificate=_bind("new_certificate", sa.LargeBinary),
        key_label=_bind("new_key_label"),
        not_after=_bind("new_not_after", Moment),
        event_id=_bind("event"),
    )
)

INSERT_KEY_USE = insert_row(key_use)

INSERT_CERTIFICATE = insert_row(certificate)
TAKE_KEY = insert_new(public_key)
KEY_OWNER = Query(
    sa.select(public_key.c.owner).where(public_key.c.spki_sha256 == _bind("spki_sha256"))
)
BY_ORDER = Query(sa.select(certificate).where(certificate.c.order_key == _bind("key")))
BY_ID = Query(sa.select(certificate).where(certificate.c.id == _bind("key")))
# Every arrow of the issue takes the row first: the loser of a race writes neither state nor event.
HELD_BY_ID = Query(sa.select(certificate).where(certificate.c.id == _bind("key")).with_for_update())

_STATUS = (
    certificate.c.id,
    certificate.c.order_key,
    certificate.c.authority,
    certificate.c.serial,
    certificate.c.shard,
    certificate.c.owner,
    certificate.c.state,
    certificate.c.reason,
    certificate.c.changed_at,
    certificate.c.not_before,
    certificate.c.not_after,
)
STATUS = Query(sa.select(*_STATUS).where(certificate.c.id == _bind("key")))
HELD_STATUS = Query(
    sa.select(*_STATUS).where(certificate.c.id == _bind("key")).with_for_update(read=True)
)
# Whoever changes a certificate takes its row alone, so that two changes have an order.
CHANGING_STATUS = Query(
    sa.select(*_STATUS).where(certificate.c.id == _bind("key")).with_for_update()
)
BY_SERIAL = Query(
    sa.select(*_STATUS).where(
        certificate.c.authority == _bind("authority"), certificate.c.serial == _bind("serial")
    )
)
# Held, so that no revocation commits between the comparison and the stored answer.
HELD_SERIAL = Query(
    sa.select(*_STATUS)
    .where(certificate.c.authority == _bind("authority"), certificate.c.serial == _bind("serial"))
    .with_for_update(read=True)
)
LIVING_OF = Query(
    sa.select(certificate.c.id, certificate.c.state)
    .where(
        certificate.c.owner == _bind("owner"),
        certificate.c.state.in_(sorted(MACHINE.before(CertificateStep.REVOKE))),
    )
    .order_by(certificate.c.id)
)
# What a signer asks before it signs a certificate; no sealed column, so that it needs no key of the platform.
RESERVED = Query(
    sa.select(
        certificate.c.profile,
        certificate.c.state,
        certificate.c.shard,
        certificate.c.tbs_sha256,
    ).where(certificate.c.authority == _bind("authority"), certificate.c.serial == _bind("serial"))
)
UNFINISHED = Query(
    sa.select(certificate.c.order_key)
    .where(
        certificate.c.state.in_([CertificateState.RESERVED, CertificateState.INTENDED]),
        certificate.c.changed_at <= _bind("before", Moment),
    )
    .limit(100)
)


def _step(step: CertificateStep, **values: Any) -> sa.Update:
    return (
        sa.update(certificate)
        .where(
            certificate.c.id == _bind("key"),
            certificate.c.state.in_(sorted(MACHINE.before(step))),
        )
        .values(changed_at=NOW, event_id=_bind("event"), **values)
    )


INTEND = Query(
    _step(
        CertificateStep.INTEND,
        state=CertificateState.INTENDED,
        tbs_sha256=_bind("new_tbs_sha256", sa.LargeBinary),
        twin_sealed=_bind("new_twin_sealed", sa.LargeBinary),
    ).returning(*certificate.c)
)
SIGN = Query(
    _step(
        CertificateStep.SIGN,
        state=CertificateState.VALID,
        der_sealed=_bind("new_der_sealed", sa.LargeBinary),
    ).returning(*certificate.c)
)
REFUSE = Query(_step(CertificateStep.REFUSE, state=CertificateState.REFUSED))
SUSPEND = Query(
    _step(
        CertificateStep.SUSPEND,
        state=CertificateState.SUSPENDED,
        reason=_bind("new_reason"),
    )
)
REINSTATE = Query(_step(CertificateStep.REINSTATE, state=CertificateState.VALID, reason=None))
REVOKE = Query(
    _step(
        CertificateStep.REVOKE,
        state=CertificateState.REVOKED,
        reason=_bind("new_reason"),
    )
)

LISTED = Query(
    sa.select(certificate.c.serial, certificate.c.reason, certificate.c.changed_at)
    .where(
        certificate.c.authority == _bind("authority"),
        certificate.c.shard == _bind("shard", sa.Integer),
        certificate.c.state.in_([CertificateState.REVOKED, CertificateState.SUSPENDED]),
        certificate.c.not_after > _bind("kept_until", Moment),
    )
    .order_by(certificate.c.serial)
)

INSERT_CRL = insert_new(crl)
CRL = Query(
    sa.select(crl).where(
        crl.c.authority == _bind("authority"), crl.c.shard == _bind("shard", sa.Integer)
    )
)
CRLS = Query(
    sa.select(crl.c.authority, crl.c.shard, crl.c.dirty, crl.c.this_update, crl.c.next_update)
)
MARK_DIRTY = upsert(crl, key=["authority", "shard"], change={"dirty": sa.true()})
# The number is taken in the transaction and only grows (RFC 5280 §5.2.3). Without its dates the list counts
# as due until the new one is stored, so that a crash before that loses no revocation.
TAKE_NUMBER = Query(
    sa.update(crl)
    .where(crl.c.authority == _bind("authority"), crl.c.shard == _bind("shard", sa.Integer))
    .values(number=crl.c.number + 1, dirty=sa.false(), this_update=None, next_update=None)
    .returning(crl.c.number)
)
STORE_CRL = Query(
    sa.update(crl)
    .where(
        crl.c.authority == _bind("authority"),
        crl.c.shard == _bind("shard", sa.Integer),
        crl.c.number == _bind("number", sa.Integer),
    )
    .values(
        der=_bind("new_der", sa.LargeBinary),
        this_update=_bind("new_this_update", Moment),
        next_update=_bind("new_next_update", Moment),
    )
)

OCSP = Query(
    sa.select(ocsp.c.der, ocsp.c.produced_at, ocsp.c.next_update).where(
        ocsp.c.authority == _bind("authority"),
        ocsp.c.serial == _bind("serial"),
        ocsp.c.hash_alg == _bind("hash_alg"),
    )
)
STORE_OCSP = upsert(
    ocsp,
    key=["authority", "serial", "hash_alg"],
    take=["der", "produced_at", "next_update"],
)
FORGET_OCSP = Query(
    sa.delete(ocsp).where(ocsp.c.authority == _bind("authority"), ocsp.c.serial == _bind("serial"))
)
PURGE_OCSP = Query(sa.delete(ocsp).where(ocsp.c.next_update <= NOW))

KEEP_FOREIGN_CARD = insert_new(foreign_card)
FOREIGN_CARD = Query(
    sa.select(foreign_card.c.certificate_sealed).where(
        foreign_card.c.authority == _bind("authority"), foreign_card.c.serial == _bind("serial")
    )
)
PURGE_FOREIGN_CARDS = Query(
    sa.delete(foreign_card).where(foreign_card.c.not_after < _bind("before", Moment))
)

BEGIN_TSA = insert_new(tsa)
HELD_TSA = Query(sa.select(tsa).where(tsa.c.name == _bind("key")).with_for_update())
LEASE_TSA = Query(
    sa.update(tsa)
    .where(tsa.c.name == _bind("key"))
    .values(block=tsa.c.block + 1, stamped_until=_bind("until", Moment))
)

EVENT_PAIRS = [
    Query(sa.select(authority.c.name, authority.c.event_id)),
    Query(sa.select(cross.c.name, cross.c.event_id)),
    Query(sa.select(ceremony.c.file_sha256, ceremony.c.event_id)),
    Query(sa.select(certificate.c.id, certificate.c.event_id)),
    Query(sa.select(key_use.c.id, key_use.c.event_id)),
]
