"""The rows of authorities, certificates, lists and answers, and every query on them."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from inkan.pki.model import CertificateState, CertificateStep
from inkan.pki.rules import MACHINE
from inkan.pki.store.tables import (
    authority as authority,
)
from inkan.pki.store.tables import (
    ceremony as ceremony,
)
from inkan.pki.store.tables import (
    certificate as certificate,
)
from inkan.pki.store.tables import (
    crl as crl,
)
from inkan.pki.store.tables import (
    cross as cross,
)
from inkan.pki.store.tables import (
    foreign_card as foreign_card,
)
from inkan.pki.store.tables import (
    key_use as key_use,
)
from inkan.pki.store.tables import (
    mirror as mirror,
)
from inkan.pki.store.tables import (
    mirror_piece as mirror_piece,
)
from inkan.pki.store.tables import (
    ocsp as ocsp,
)
from inkan.pki.store.tables import (
    public_key as public_key,
)
from inkan.pki.store.tables import (
    revoked as revoked,
)
from inkan.pki.store.tables import (
    status_change as status_change,
)
from inkan.pki.store.tables import (
    tsa as tsa,
)
from inkan.store.plan import DialectName
from inkan.store.query import Query, insert_new, insert_row, upsert
from inkan.store.schema import NOW, Moment


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


def _same(table: sa.Table, *names: str) -> list[Any]:
    """That these columns have the values of the parameters of their names."""
    return [table.c[name] == _bind(name, table.c[name].type) for name in names]


def _take(table: sa.Table, *names: str) -> dict[str, Any]:
    """That these columns take the values of the parameters ``new_…``."""
    return {name: _bind(f"new_{name}", table.c[name].type) for name in names}


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
HELD_AUTHORITY = Query(
    sa.select(authority.c.revoked_at).where(*_same(authority, "name")).with_for_update()
)
REVOKE_AUTHORITY = Query(
    sa.update(authority)
    .where(*_same(authority, "name"), authority.c.revoked_at.is_(None))
    .values(revoked_at=NOW, event_id=_bind("event"))
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
BY_SERIAL = Query(sa.select(*_STATUS).where(*_same(certificate, "authority", "serial")))
# What an OCSP answer rests on: columns before the sealed ones, which spill over many pages.
_STANDING = sa.select(certificate.c.state, certificate.c.reason, certificate.c.changed_at).where(
    *_same(certificate, "authority", "serial")
)
STANDING = Query(_STANDING)
HELD_STANDING = Query(_STANDING.with_for_update(read=True))
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

_IS_KEPT = revoked.c.keep_until >= _bind("since", Moment)
_CHANGED = revoked.c.changed_at >= _bind("changed_since", Moment)
_ENTRIES = sa.select(revoked.c.shard, revoked.c.serial, revoked.c.entry).where(
    *_same(revoked, "authority")
)
_OF_SHARD = (*_same(revoked, "authority", "shard"), revoked.c.removed.is_(False), _IS_KEPT)

_TOLD = ["removed", "entry", "reason", "changed_at", "keep_until"]
STORE_REVOKED = upsert(revoked, key=["authority", "shard", "serial"], take=_TOLD)
# All entries of a shard in one row, in the order of the key: to fetch a million rows takes ten times as long as to
# join them in the database. SQLite joins texts only, so both do it in hexadecimal.
_IN_ORDER: Any = postgresql.aggregate_order_by(sa.literal(b"", sa.LargeBinary), revoked.c.serial)
_JOINED: dict[DialectName, Any] = {
    "sqlite": sa.func.group_concat(sa.func.hex(revoked.c.entry), ""),
    "postgresql": sa.func.encode(sa.func.string_agg(revoked.c.entry, _IN_ORDER), "hex"),
}


def _joined(joined: Any) -> Any:
    counts = (sa.func.count().label("count"), sa.func.count(revoked.c.entry).label("written"))
    return sa.select(*counts, sa.type_coerce(joined, sa.Text).label("joined")).where(*_OF_SHARD)


SHARD_ENTRIES = Query({dialect: _joined(each) for dialect, each in _JOINED.items()})
ENTRIES = Query(_ENTRIES.where(*_OF_SHARD).order_by(revoked.c.serial))
UNWRITTEN_ENTRY = Query(
    sa.select(revoked.c.reason, revoked.c.changed_at).where(
        *_same(revoked, "authority", "shard", "serial")
    )
)
CHANGED_ENTRIES = Query(
    _ENTRIES.where(_CHANGED, _IS_KEPT).order_by(revoked.c.shard, revoked.c.serial)
)
CHANGE_SINCE = Query(
    sa.select(revoked.c.serial).where(*_same(revoked, "authority"), _CHANGED).limit(1)
)
PURGE_REVOKED = Query(
    sa.delete(revoked).where(
        *_same(revoked, "authority"),
        sa.or_(
            revoked.c.keep_until < _bind("listed_until", Moment),
            sa.and_(revoked.c.removed, revoked.c.changed_at < _bind("removed_until", Moment)),
        ),
    )
)

INSERT_CHANGE = insert_row(status_change)
CHANGES = Query(
    sa.select(status_change)
    .where(*_same(status_change, "certificate"))
    .order_by(status_change.c.at, status_change.c.event_id)
)

INSERT_CRL = insert_new(crl)
CRL = Query(sa.select(crl).where(*_same(crl, "authority", "shard")))
CRLS = Query(
    sa.select(*(c for c in crl.c if c.name != "der")).order_by(crl.c.authority, crl.c.shard)
)
MARK_DIRTY = upsert(crl, key=["authority", "shard"], change={"dirty": sa.true()})
# The number is taken in a transaction and only grows (RFC 5280 §5.2.3). A list whose number is not the last one
# taken counts as due, so that a crash between taking and storing loses no revocation.
TAKE_NUMBER = Query(
    sa.update(crl)
    .where(*_same(crl, "authority", "shard"))
    .values(number=crl.c.number + 1, dirty=sa.false())
    .returning(crl.c.number, crl.c.this_update)
)
STORE_CRL = Query(
    sa.update(crl)
    .where(*_same(crl, "authority", "shard"), crl.c.listed < _bind("new_listed", sa.Integer))
    .values(_take(crl, "der", "listed", "entries", "this_update", "next_update"))
)

INSERT_MIRROR = insert_new(mirror)
MIRRORS = Query(sa.select(mirror).order_by(mirror.c.authority, mirror.c.kind))
MIRROR = Query(sa.select(mirror).where(*_same(mirror, "authority", "kind")))
TAKE_MIRROR_NUMBER = Query(
    sa.update(mirror)
    .where(*_same(mirror, "authority", "kind"))
    .values(taken=mirror.c.taken + 1)
    .returning(mirror.c.taken, mirror.c.this_update)
)
_MIRRORED = ["number", "base_number", "read_at", "this_update", "next_update", "entries", "size"]
STORE_MIRROR = Query(
    sa.update(mirror)
    .where(*_same(mirror, "authority", "kind"), mirror.c.number < _bind("new_number", sa.Integer))
    .values(_take(mirror, *_MIRRORED))
)
INSERT_PIECE = insert_row(mirror_piece)
PIECE = Query(
    sa.select(mirror_piece.c.piece).where(
        *_same(mirror_piece, "authority", "kind", "number", "position")
    )
)
# The list before the present one stays: somebody may be in the middle of it.
PURGE_PIECES = Query(
    sa.delete(mirror_piece).where(
        *_same(mirror_piece, "authority", "kind"),
        mirror_piece.c.number < _bind("kept", sa.Integer),
    )
)

OCSP = Query(
    sa.select(ocsp.c.der, ocsp.c.produced_at, ocsp.c.next_update).where(
        *_same(ocsp, "authority", "serial", "hash_alg")
    )
)
STORE_OCSP = upsert(
    ocsp, key=["authority", "serial", "hash_alg"], take=["der", "produced_at", "next_update"]
)
FORGET_OCSP = Query(sa.delete(ocsp).where(*_same(ocsp, "authority", "serial")))
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
