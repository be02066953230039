"""The certification authorities of one instance, and the validation of what cards sign."""

import base64
from collections.abc import Mapping
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
from inkan.kernel.errors import InkanError
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
    TranscriptLine,
)
from inkan.pki.ports import StatusSource
from inkan.pki.service.cards import Cards
from inkan.pki.service.ceremony import CeremonyMaster, read_ceremony, thumbprint, transcript_line
from inkan.pki.service.hierarchy import Hierarchy, PublicURLs
from inkan.pki.service.issue import Issue
from inkan.pki.service.lists import Lists
from inkan.pki.service.responder import Responder
from inkan.pki.service.sources import OwnRegister
from inkan.pki.service.status import LISTS_TOPIC, Status
from inkan.store.database import Database, Step
from inkan.store.sealing import Sealer
from inkan.wire.receipt import RECEIPT_TYP

UNFINISHED_AFTER = timedelta(seconds=10)


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
        crl_life: timedelta = timedelta(hours=24),
        ocsp_life: timedelta = timedelta(hours=1),
        sources: Mapping[str, StatusSource] | None = None,
    ) -> None:
        """Work in ``db`` with keys of ``keys``.

        ``lint`` says whether an error of the linter stops an issue; it is off only where a bench measures
        without it. ``sources`` holds status sources by authority name, for authorities that others run.
        """
        self._db = db
        self._sealer = sealer
        self.hierarchy = Hierarchy(db=db, keys=keys, urls=urls)
        self._status = Status(audit=audit)
        self.lists = Lists(db=db, hierarchy=self.hierarchy, life=crl_life)
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
        """Complete what a crash left between its steps; a schedule's work."""
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

    async def find_serial(self, authority: str, serial: str) -> CertificateStatus | None:
        """What the register says of an authority's serial (lower-case hexadecimal); None when it holds it not."""
        return await self._db.read(self._status.by_serial, authority, serial)

    def now(self) -> datetime:
        """The instance's time."""
        return self._db.now()

    def hold_status(self, certificate_id: str) -> Step[CertificateStatus]:
        """Step: see :meth:`Status.hold`."""
        return self._status.hold(certificate_id)

    def revoke(self, certificate_id: str, *, reason: RevocationReason, actor: Actor) -> Step[bool]:
        """Step: see :meth:`Status.revoke`."""
        return self._status.revoke(certificate_id, reason=reason, actor=actor)

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
        """Sign dirty and ageing lists; a schedule's work."""
        await self.lists.refresh()

    async def purge_answers(self) -> None:
        """Drop stored OCSP answers past their term; a schedule's work."""
        await self._db.transact(_purge_answers)

    async def ocsp(self, name: str, der: bytes) -> tuple[bytes, int]:
        """See :meth:`Responder.answer`."""
        return await self._responder.answer(name, der)

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
        answer, _ = await self._responder.answer(authority.name, request)
        shard = int(issued.serial, 16) % authority.crl_shards
        own = await self.lists.current(authority.name, shard)
        return RevocationEvidence(
            ocsp=(answer,), crls=(own, await self.lists.current(authority.parent))
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
    "LISTS_TOPIC",
    "PKI",
    "PublicURLs",
    "read_ceremony",
    "thumbprint",
]
