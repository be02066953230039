"""The certification authorities of one instance, and the validation of what cards sign."""

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, Audit
from inkan.crypto import jose
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.crypto.ocsp import build_request
from inkan.crypto.path import KeyUsage, RevocationReason
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError, Unavailable
from inkan.kernel.ids import CertificateID
from inkan.pki import store
from inkan.pki.model import (
    CardRequest,
    CardStatus,
    Ceremony,
    CertificateOrder,
    CertificateStatus,
    CertificateUnknown,
    IssuedCertificate,
    RevocationEvidence,
    Role,
    StatusAt,
    TranscriptLine,
)
from inkan.pki.ports import StatusSource
from inkan.pki.rules import MirrorKind
from inkan.pki.service.cards import Cards
from inkan.pki.service.ceremony import CeremonyMaster, read_ceremony, thumbprint, transcript_line
from inkan.pki.service.hierarchy import AUTHORITIES_TOPIC, Hierarchy, PublicURLs
from inkan.pki.service.history import status_at
from inkan.pki.service.issue import Issue, IssueJob
from inkan.pki.service.lists import Lists
from inkan.pki.service.mirrors import MirrorList, Mirrors
from inkan.pki.service.responder import Reply, Responder
from inkan.pki.service.retirement import Retirement, purge
from inkan.pki.service.sources import OwnRegister
from inkan.pki.service.status import ISSUE_JOB, LIST_JOB, LISTS_TOPIC, ListJob, Status
from inkan.store.database import Database, Step
from inkan.store.sealing import Sealer
from inkan.wire.receipt import RECEIPT_TYP

UNFINISHED_AFTER = timedelta(minutes=1)
FOLLOW_EVERY_S = 60.0


class PKI:
    """Authorities, certificates, lists, answers, and the validation of cards."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        keys: KeyProvider,
        sealer: Sealer,
        workers: WorkerPool,
        clock: Clock,
        urls: PublicURLs,
        lint: bool = True,
        crl_life: timedelta = timedelta(hours=2),
        ocsp_life: timedelta = timedelta(hours=1),
        sources: Mapping[str, StatusSource] | None = None,
    ) -> None:
        """Work in ``db`` with keys of ``keys``.

        ``lint`` says whether an error of the linter stops an issue; it is off only where a bench measures
        without it. ``sources`` holds status sources by authority name, for authorities that others run.
        """
        self.clock = clock
        self._db = db
        self._sealer = sealer
        self.hierarchy = Hierarchy(db=db, keys=keys, urls=urls)
        self._status = Status(audit=audit)
        self.lists = Lists(db=db, hierarchy=self.hierarchy, life=crl_life)
        self._mirrors = Mirrors(db=db, hierarchy=self.hierarchy)
        self._retirement = Retirement(audit=audit, hierarchy=self.hierarchy)
        self._responder = Responder(db=db, hierarchy=self.hierarchy, life=ocsp_life)
        self._issue = Issue(
            db=db,
            audit=audit,
            sealer=sealer,
            hierarchy=self.hierarchy,
            workers=workers,
            lint=lint,
        )
        self._master = CeremonyMaster(
            db=db,
            audit=audit,
            keys=keys,
            hierarchy=self.hierarchy,
            workers=workers,
            clock=clock,
            lint=lint,
        )
        own = OwnRegister(db=db, hierarchy=self.hierarchy, lists=self.lists, status=self._status)
        self._cards = Cards(
            hierarchy=self.hierarchy,
            workers=workers,
            clock=clock,
            sources=sources or {},
            own=own,
        )

    # --- authorities -----------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the authorities; to be awaited once before anything else."""
        await self.hierarchy.load()

    async def hold_ceremony(self, ceremony: Ceremony) -> list[TranscriptLine]:
        """See :meth:`CeremonyMaster.hold`."""
        return await self._master.hold(ceremony)

    async def renew_signers(self) -> None:
        """Replace OCSP signers that are near their end; a schedule's work."""
        await self._master.renew_ocsp_signers()

    async def follow(self) -> None:
        """Take over what other processes change about the authorities; runs for ever, in every process."""
        async with self._db.bus.subscribe(AUTHORITIES_TOPIC) as changed:
            while True:
                await changed.wait(FOLLOW_EVERY_S)
                with suppress(Unavailable):
                    await self.hierarchy.load()

    def on_change(self, heard: Callable[[], None]) -> None:
        """Have ``heard`` called when a certificate's status or an authority changed, in whatever process.

        In the process that changed it, before whoever asked for it hears that it is done.
        """
        for topic in (LISTS_TOPIC, AUTHORITIES_TOPIC):
            self._db.bus.listen(topic, heard)

    async def revoke_authority(self, name: str, *, reason: RevocationReason, actor: Actor) -> bool:
        """Revoke an issuing authority for ever: it stands in the root's list and issues nothing any more.

        Returns:
            False when it was revoked before.

        Raises:
            AuthorityUnknown: not the name of an issuing authority.
            ReasonRefused: not a reason for which an authority is revoked.
        """
        done = await self._db.transact(self._retirement.revoke, name, reason=reason, actor=actor)
        await self.hierarchy.load()
        return done

    def authorities(self) -> list[TranscriptLine]:
        """Every certificate of the hierarchy with its thumbprint (JPKI-37)."""
        return [transcript_line(authority) for authority in self.hierarchy]

    def anchors(self) -> list[bytes]:
        """DER of the roots."""
        return self.hierarchy.anchors()

    def chain_of(self, profile: str) -> tuple[bytes, ...]:
        """DER of the profile's issuer and upwards, without the root.

        Raises:
            AuthorityUnknown: nobody issues the profile.
        """
        return self.hierarchy.issuer_of(profile).chain[:-1]

    # --- certificates ----------------------------------------------------------------------------

    def order(self, order: CertificateOrder) -> Step[CertificateID]:
        """Step: see :meth:`Issue.order`."""
        return self._issue.order(order)

    async def complete(self, order_key: str) -> IssuedCertificate:
        """See :meth:`Issue.complete`."""
        return await self._issue.complete(order_key)

    async def issue(self, order: CertificateOrder) -> IssuedCertificate:
        """Order and complete in one call; repeated with the same key it returns the same certificate."""
        await self._db.transact(self._issue.order, order)
        return await self._issue.complete(order.order_key)

    async def finish_issues(self) -> None:
        """Complete what a crash left between its steps; a schedule's work beside the outbox."""
        for order_key in await self._db.scan(self._unfinished):
            try:
                await self._issue.complete(order_key)
            except InkanError:
                continue  # recorded in its row; the next one must not wait for it

    async def certificate(self, certificate_id: str) -> IssuedCertificate:
        """An issued certificate with its chain.

        Raises:
            CertificateUnknown, CertificateNotIssued: there is none.
        """
        return await self._db.read(self._read, certificate_id)

    def certificate_der(self, certificate_id: str) -> Step[bytes]:
        """Step: DER of an issued certificate.

        Raises:
            CertificateUnknown, CertificateNotIssued: there is none.
        """
        issued = yield from self._read(certificate_id)
        return issued.der

    def find_status(self, certificate_id: str) -> Step[CertificateStatus | None]:
        """Step: see :meth:`Status.find`."""
        return self._status.find(certificate_id)

    def hold_status(self, certificate_id: str) -> Step[CertificateStatus]:
        """Step: see :meth:`Status.hold`."""
        return self._status.hold(certificate_id)

    def status_at(self, authority: str, serial: str, at: datetime) -> Step[StatusAt]:
        """Step: see :func:`inkan.pki.service.history.status_at`."""
        return status_at(authority, serial, at)

    async def find_serial(
        self, serial: str, *, authority: str | None, at: datetime | None
    ) -> StatusAt:
        """How the certificate with this serial stood; of any authority when none is named, now when no time is.

        Raises:
            CertificateUnknown: nobody issued it.
        """
        names = [authority] if authority else [a.name for a in self.hierarchy.of_role(Role.ISSUING)]
        for name in names:
            with suppress(CertificateUnknown):
                return await self._db.read(status_at, name, serial, at or self._db.now())
        raise CertificateUnknown()

    def revoke(
        self,
        certificate_id: str,
        *,
        reason: RevocationReason,
        actor: Actor,
        invalid_since: datetime | None = None,
    ) -> Step[bool]:
        """Step: see :meth:`Status.revoke`."""
        return self._status.revoke(
            certificate_id, reason=reason, actor=actor, invalid_since=invalid_since
        )

    def revoke_all(self, owner: str, *, reason: RevocationReason, actor: Actor) -> Step[int]:
        """Step: see :meth:`Status.revoke_all`."""
        return self._status.revoke_all(owner, reason=reason, actor=actor)

    def suspend_all(self, owner: str, *, actor: Actor) -> Step[int]:
        """Step: see :meth:`Status.suspend_all`."""
        return self._status.suspend_all(owner, actor=actor)

    def suspend(self, certificate_id: str, *, actor: Actor) -> Step[bool]:
        """Step: see :meth:`Status.suspend`."""
        return self._status.suspend(certificate_id, actor=actor)

    def reinstate(self, certificate_id: str, *, actor: Actor) -> Step[bool]:
        """Step: see :meth:`Status.reinstate`."""
        return self._status.reinstate(certificate_id, actor=actor)

    # --- lists and answers -----------------------------------------------------------------------

    async def crl(self, name: str, shard: int = 0) -> bytes:
        """See :meth:`Lists.current`."""
        return await self.lists.current(name, shard)

    async def refresh_lists(self) -> None:
        """Sign dirty and ageing lists, and make the mirrors' lists again that are due; a schedule's work."""
        await self.lists.refresh()
        await self._mirrors.refresh()

    async def mirror(self, name: str, kind: MirrorKind) -> MirrorList:
        """See :meth:`Mirrors.current`."""
        return await self._mirrors.current(name, kind)

    async def purge_answers(self) -> None:
        """Drop stored OCSP answers past their term, and entries that no list will hold; a schedule's work."""
        await self._db.transact(_purge_answers)
        await self._db.transact(purge)

    async def ocsp(self, name: str, der: bytes, *, admit: Callable[[], object]) -> Reply:
        """See :meth:`Responder.answer`."""
        return await self._responder.answer(name, der, admit=admit)

    async def revocation_evidence(self, certificate_id: str) -> RevocationEvidence:
        """What an offline verifier needs about an issued certificate and its issuer, in force now.

        Raises:
            CertificateUnknown, CertificateNotIssued: there is none.
        """
        issued = await self.certificate(certificate_id)
        authority = self.hierarchy.get(issued.authority)
        request = build_request(
            parse_certificate(issued.der), parse_certificate(authority.certificate)
        )
        reply = await self._responder.answer(authority.name, request)
        shard = int(issued.serial, 16) % authority.crl_shards
        own = await self.lists.current(authority.name, shard)
        return RevocationEvidence(
            ocsp=(reply.der,), crls=(own, await self.lists.current(authority.parent))
        )

    # --- cards and phones ------------------------------------------------------------------------

    async def verify_request(
        self, cms: bytes, *, content_type: str, profile: str, key_usage: KeyUsage
    ) -> CardRequest:
        """See :meth:`Cards.verify`; ``profile`` names the kind of certificate that must have signed."""
        return await self._cards.verify(
            cms, content_type=content_type, profile=profile, key_usage=key_usage
        )

    async def card_status(self, authority: str, serial: str) -> CardStatus:
        """See :meth:`Cards.status`."""
        return await self._cards.status(authority, serial)

    # --- receipts --------------------------------------------------------------------------------

    def sign_receipt(self, payload: bytes) -> str:
        """The compact JWS of a receipt's payload, with the signer's chain in ``x5c`` (design §5.3).

        Raises:
            AuthorityUnknown: no ceremony made a receipt signer.
        """
        signer = self.hierarchy.get(Role.RECEIPT)
        key = self.hierarchy.key_of(signer, KeyPurpose.RECEIPT)
        assert isinstance(key, EllipticCurvePrivateKey)
        return jose.sign_compact(
            payload,
            key,
            alg=jose.Algorithm.ES256,
            typ=RECEIPT_TYP,
            header={"x5c": _x5c(signer.chain)},
        )

    def _read(self, certificate_id: str) -> Step[IssuedCertificate]:
        row = yield store.BY_ID.one(key=certificate_id)
        if row is None:
            raise CertificateUnknown()
        return self._issue.read(row)

    def _unfinished(self) -> Step[list[str]]:
        rows = yield store.UNFINISHED.all(before=self._db.now() - UNFINISHED_AFTER)
        return [row.order_key for row in rows]


def _purge_answers() -> Step[None]:
    yield store.PURGE_OCSP.run()


def _x5c(chain: tuple[bytes, ...]) -> list[str]:
    """RFC 7515 §4.1.6: standard base64 of DER, the signer's first; the root stays with the verifier."""
    return [base64.b64encode(der).decode() for der in chain[:-1]]


__all__ = [
    "ISSUE_JOB",
    "LISTS_TOPIC",
    "LIST_JOB",
    "PKI",
    "IssueJob",
    "ListJob",
    "PublicURLs",
    "read_ceremony",
    "thumbprint",
]
