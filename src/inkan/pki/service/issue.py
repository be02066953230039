"""The issuance machine: reserve, build the twin, lint, log the intent, sign, compare, store.

Numbered plan (design §5.2 step 5); every arrow is a compare-and-set, so a crash leaves a row that says how
far it came, and :meth:`Issue.complete` goes on from there, called by the orderer or by a sweep:

1. reserve: the order's transaction draws the serial and takes the public key for its owner;
2. twin: the same to-be-signed bytes under a throw-away key of the authority's kind;
3. lint: an error stops the issue (``refused``);
4. intent: twin and audit event are stored before the authority's key is touched;
5. sign: the authority signs what the same builder yields;
6. compare: the signed TBS equals the stored twin's, byte for byte;
7. store: the certificate becomes ``valid`` and its event is written.
"""

import hashlib
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto import base64url
from inkan.crypto.certificate_view import HolderFacts
from inkan.crypto.foreign_keys import signing
from inkan.crypto.holder_attributes import encode_holder_attributes
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.keys import KeySpec, generate, key_spec, load_public, verify_key_strength
from inkan.crypto.signatures import digest_for
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.ids import CertificateID, new_id, random_bytes
from inkan.pki import store
from inkan.pki.model import (
    Authority,
    CertificateNotIssued,
    CertificateOrder,
    CertificateState,
    CertificateUnknown,
    IssuedCertificate,
    KeyShared,
    LintRefused,
    OrderOutsideProfile,
    TwinDiffers,
)
from inkan.pki.rules import Profile, get_profile
from inkan.pki.service import builder
from inkan.pki.service.hierarchy import Hierarchy
from inkan.store.database import MOMENT, Database, Step
from inkan.store.sealing import SealedColumn, Sealer

PLATFORM = Actor(ActorKind.PLATFORM, "pki")
ORDER = SealedColumn("pki_certificate", "order_sealed")
TWIN = SealedColumn("pki_certificate", "twin_sealed")
DER = SealedColumn("pki_certificate", "der_sealed")


class _StoredOrder(msgspec.Struct, frozen=True):
    """An order as it rests in its row, sealed."""

    common_name: str
    serial_number: str
    country: str
    spki: bytes
    binding: bytes | None
    # DER of the facts about the holder; orders of earlier versions have none.
    holder_attributes: bytes | None = None


class Issue:
    """Issues certificates by order."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        sealer: Sealer,
        hierarchy: Hierarchy,
        workers: WorkerPool,
        lint: bool,
    ) -> None:
        self._db = db
        self._audit = audit
        self._sealer = sealer
        self._hierarchy = hierarchy
        self._workers = workers
        self._lint = lint
        self._throw_away = {KeySpec.P256: generate(KeySpec.P256)}

    def order(self, order: CertificateOrder) -> Step[CertificateID]:
        """Step: reserve a serial; the same order key gives the same certificate.

        The orderer completes it at once; the sweep ``pki.unfinished`` makes up for a crash in between.

        Raises:
            WeakKey: see :func:`inkan.crypto.keys.verify_key_strength`.
            OrderOutsideProfile: key kind, term, binding or facts do not fit.
            HolderAttributesMalformed: the address cannot stand in a certificate.
            KeyShared: the key is certified for another owner.
        """
        known = yield store.BY_ORDER.one(key=order.order_key)
        if known is not None:
            return CertificateID(known.id)
        profile = get_profile(order.profile)
        issuer = self._hierarchy.issuer_of(order.profile)
        moment = yield MOMENT
        _check_order(order, profile, issuer, now=moment)
        yield from self._take_key(order)
        certificate_id = CertificateID(new_id("crt"))
        serial = _draw_serial()
        event = yield from self._audit.record(
            "pki.serial_reserved",
            actor=PLATFORM,
            subject=order.owner,
            object=certificate_id,
            details={"authority": issuer.name, "serial": f"{serial:x}", "profile": profile.name},
        )
        yield store.INSERT_CERTIFICATE.run(
            id=certificate_id,
            order_key=order.order_key,
            authority=issuer.name,
            serial=f"{serial:x}",
            shard=serial % issuer.crl_shards,
            profile=profile.name,
            owner=order.owner,
            state=CertificateState.RESERVED,
            reason=None,
            not_before=begin(moment, profile),
            not_after=order.not_after,
            changed_at=moment,
            order_sealed=self._seal_order(certificate_id, order),
            tbs_sha256=None,
            twin_sealed=None,
            der_sealed=None,
            event_id=event,
        )
        return certificate_id

    async def complete(self, order_key: str) -> IssuedCertificate:
        """Carry an order to its end, from wherever it stands; the answer is the stored certificate.

        Raises:
            CertificateUnknown: no such order.
            LintRefused: the twin broke its profile.
            CertificateNotIssued: it was revoked before it was signed.
            TwinDiffers: 6.
        """
        row = await self._db.read(_by_order, order_key)
        if row is None:
            raise CertificateUnknown()
        if row.state not in {CertificateState.RESERVED, CertificateState.INTENDED}:
            return self.read(row)
        # One builder makes the twin and the certificate, as long as one process carries the order.
        contents = self._builder(row)
        if row.state == CertificateState.RESERVED:
            row = await self._intend(row, contents)
        if row.state == CertificateState.INTENDED:
            row = await self._sign(row, contents)
        return self.read(row)

    def read(self, row: Any) -> IssuedCertificate:
        """The certificate of a row.

        Raises:
            LintRefused, CertificateNotIssued: the row holds none.
        """
        if row.state == CertificateState.REFUSED:
            raise LintRefused()
        if row.der_sealed is None:
            raise CertificateNotIssued()
        return IssuedCertificate(
            id=CertificateID(row.id),
            authority=row.authority,
            profile=row.profile,
            serial=row.serial,
            state=CertificateState(row.state),
            not_before=row.not_before,
            not_after=row.not_after,
            der=self._sealer.open(DER, row.id, row.der_sealed).reveal(),
            chain=self._hierarchy.get(row.authority).chain[:-1],
        )

    # 2, 3 and 4
    async def _intend(self, row: Any, contents: x509.CertificateBuilder) -> Any:
        twin_key = self._twin_key(row.authority)
        twin = contents.sign(twin_key, digest_for(twin_key))
        findings = await self._findings(twin) if self._lint else []
        if findings:
            await self._db.transact(self._refused, row, findings)
            raise LintRefused(findings=findings)
        return await self._db.transact(self._intended, row, twin.tbs_certificate_bytes)

    async def _findings(self, twin: x509.Certificate) -> list[str]:
        report = await self._workers.lint_certificate(_der(twin))
        return [finding.code for finding in report.errors]

    def _refused(self, row: Any, findings: list[str]) -> Step[None]:
        if (yield from _moved_on(row)):
            return
        event = yield from self._audit.record(
            "pki.lint_refused",
            actor=PLATFORM,
            object=row.id,
            details={"findings": findings},
        )
        yield store.REFUSE.run(key=row.id, event=event)

    def _intended(self, row: Any, tbs: bytes) -> Step[Any]:
        if moved := (yield from _moved_on(row)):
            return moved
        digest = hashlib.sha256(tbs).digest()
        event = yield from self._audit.record(
            "pki.signing_intended",
            actor=PLATFORM,
            subject=row.owner,
            object=row.id,
            details={"tbs_sha256": base64url.encode(digest)},
        )
        intended = yield store.INTEND.one(
            key=row.id,
            event=event,
            new_tbs_sha256=digest,
            new_twin_sealed=self._sealer.seal(TWIN, row.id, tbs),
        )
        return intended

    # 5, 6 and 7
    async def _sign(self, row: Any, contents: x509.CertificateBuilder) -> Any:
        issuer = self._hierarchy.get(row.authority)
        key = self._hierarchy.key_of(issuer, KeyPurpose.CERT)
        signed = await signing(key, partial(contents.sign, key, digest_for(key)))
        if hashlib.sha256(signed.tbs_certificate_bytes).digest() != row.tbs_sha256:
            raise TwinDiffers(row.id)
        return await self._db.transact(self._signed, row, _der(signed))

    def _signed(self, row: Any, der: bytes) -> Step[Any]:
        if moved := (yield from _moved_on(row)):
            return moved
        event = yield from self._audit.record(
            "pki.certificate_issued",
            actor=PLATFORM,
            subject=row.owner,
            object=row.id,
            details={"certificate_sha256": base64url.encode(hashlib.sha256(der).digest())},
        )
        signed = yield store.SIGN.one(
            key=row.id, event=event, new_der_sealed=self._sealer.seal(DER, row.id, der)
        )
        return signed

    def _builder(self, row: Any) -> x509.CertificateBuilder:
        order = self._open_order(row)
        profile = get_profile(row.profile)
        contents = builder.Contents(
            subject=builder.holder_name(
                profile,
                country=order.country,
                common_name=order.common_name,
                serial_number=order.serial_number,
            ),
            spki=order.spki,
            serial=int(row.serial, 16),
            not_before=row.not_before,
            not_after=row.not_after,
            shard=row.shard,
            binding=order.binding,
            holder_attributes=order.holder_attributes,
        )
        issuer = self._hierarchy.get(row.authority)
        return builder.issued(profile, contents, issuer=issuer, urls=self._hierarchy.urls)

    def _twin_key(self, authority: str) -> Any:
        """A throw-away key of the authority's kind: it makes the same TBS and endangers nothing."""
        spec = key_spec(builder.public_key_of(self._hierarchy.get(authority)))
        if spec not in self._throw_away:
            self._throw_away[spec] = generate(spec)
        return self._throw_away[spec]

    def _take_key(self, order: CertificateOrder) -> Step[None]:
        digest = base64url.encode(hashlib.sha256(order.spki).digest())
        taken = yield store.TAKE_KEY.run(spki_sha256=digest, owner=order.owner)
        if not taken:
            row = yield store.KEY_OWNER.one(spki_sha256=digest)
            if row.owner != order.owner:
                raise KeyShared()

    def _seal_order(self, certificate_id: str, order: CertificateOrder) -> bytes:
        plain = _StoredOrder(
            common_name=order.subject.common_name.reveal(),
            serial_number=order.subject.serial_number,
            country=order.subject.country,
            spki=order.spki,
            binding=order.binding,
            holder_attributes=_attributes(order.holder),
        )
        return self._sealer.seal(ORDER, certificate_id, msgspec.msgpack.encode(plain))

    def _open_order(self, row: Any) -> _StoredOrder:
        plain = self._sealer.open(ORDER, row.id, row.order_sealed)
        return msgspec.msgpack.decode(plain.reveal(), type=_StoredOrder)


def _attributes(holder: HolderFacts | None) -> bytes | None:
    if holder is None:
        return None
    return encode_holder_attributes(holder.birth_date, holder.sex, holder.address.reveal())


def begin(moment: datetime, profile: Profile) -> datetime:
    """When a certificate ordered at ``moment`` begins: a little back, for clocks that run behind (threat 30)."""
    return moment.replace(microsecond=0) - timedelta(seconds=profile.backdate_s)


def _by_order(order_key: str) -> Step[Any]:
    return (yield store.BY_ORDER.one(key=order_key))


def _moved_on(row: Any) -> Step[Any]:
    """Step: hold the row; the row as it stands if somebody took it further meanwhile, else None."""
    current = yield store.HELD_BY_ID.one(key=row.id)
    return None if current.state == row.state else current


def _draw_serial() -> int:
    """126 random bits under a leading one: positive, of one length, never repeated (RFC 5280 §4.1.2.2)."""
    return int.from_bytes(random_bytes(16)) >> 1 | 1 << 126


def _check_order(
    order: CertificateOrder, profile: Profile, issuer: Authority, *, now: datetime
) -> None:
    key = load_public(order.spki)
    verify_key_strength(key)
    if key_spec(key) not in profile.key_specs:
        raise OrderOutsideProfile(f"{profile.name} certifies {profile.key_specs}", field="key")
    if not now < order.not_after <= issuer.not_after:
        raise OrderOutsideProfile("the term ends outside the issuer's", field="not_after")
    if (order.not_after - now).days > profile.max_days:
        raise OrderOutsideProfile(f"at most {profile.max_days} days", field="not_after")
    if profile.binding != (order.binding is not None):
        raise OrderOutsideProfile("the binding extension", field="binding")
    if order.holder is not None and not profile.holder_facts:
        raise OrderOutsideProfile(f"{profile.name} says nothing of its holder", field="holder")


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
