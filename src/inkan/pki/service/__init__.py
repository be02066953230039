"""The certification authorities of one instance, and the validation of what cards sign."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from inkan.audit import Actor, Audit
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.key_providers import KeyProvider
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
    CertificateOrder,
    CertificateStatus,
    CertificateUnknown,
    ForeignAuthority,
    IssuedCertificate,
    RevocationEvidence,
    Role,
    StatusAt,
)
from inkan.pki.ports import Fetch
from inkan.pki.rules import MirrorKind
from inkan.pki.service.authorities import Authorities
from inkan.pki.service.cards import Cards
from inkan.pki.service.ceremony_file import AnyCeremony, Ceremony, Custody, read_ceremony
from inkan.pki.service.foreign import ForeignSource
from inkan.pki.service.hierarchy import PublicURLs
from inkan.pki.service.history import status_at
from inkan.pki.service.issue import Issue
from inkan.pki.service.known_cards import KnownCards
from inkan.pki.service.known_cards import purge as purge_cards
from inkan.pki.service.lists import ListState
from inkan.pki.service.making import thumbprint
from inkan.pki.service.mirrors import MirrorList, Mirrors
from inkan.pki.service.offline_store import draw_shares, make_offline, open_offline
from inkan.pki.service.responder import Reply, Responder
from inkan.pki.service.retirement import purge
from inkan.pki.service.sources import OwnRegister
from inkan.pki.service.status import LIST_JOB, LISTS_TOPIC, ListJob, Status
from inkan.pki.service.timestamps import TimestampAuthority
from inkan.store.database import MOMENT, Database, Step
from inkan.store.sealing import Sealer
from inkan.wire.ceremony_transcript import Transcript, TranscriptLine

UNFINISHED_AFTER = timedelta(seconds=10)


class PKI(Authorities):
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
        quorum: bool = False,
        crl_life: timedelta = timedelta(hours=2),
        ocsp_life: timedelta = timedelta(hours=1),
        foreign: Sequence[ForeignAuthority] = (),
        fetch: Fetch | None = None,
        foreign_life: timedelta = timedelta(hours=1),
        timestamp_accuracy: timedelta = timedelta(seconds=1),
    ) -> None:
        """Work in ``db`` with keys of ``keys``.

        ``lint`` says whether an error of the linter stops an issue; it is off only where a bench measures
        without it; ``quorum`` whether a ceremony needs a custody. ``foreign`` holds card authorities that
        others run; ``fetch`` asks for the status of their cards, and what it brings is used for
        ``foreign_life`` at most.

        Raises:
            ValueError: foreign authorities, and no way to ask for their status.
        """
        super().__init__(
            db=db,
            audit=audit,
            keys=keys,
            workers=workers,
            clock=clock,
            urls=urls,
            lint=lint,
            quorum=quorum,
            crl_life=crl_life,
        )
        self.clock = clock
        self._sealer = sealer
        self._status = Status(audit=audit)
        self._mirrors = Mirrors(db=db, audit=audit, hierarchy=self.hierarchy)
        self._responder = Responder(db=db, hierarchy=self.hierarchy, life=ocsp_life)
        self._issue = Issue(
            db=db,
            audit=audit,
            sealer=sealer,
            hierarchy=self.hierarchy,
            workers=workers,
            lint=lint,
        )
        self._timestamps = TimestampAuthority(
            db=db, audit=audit, hierarchy=self.hierarchy, clock=clock, accuracy=timestamp_accuracy
        )
        own = OwnRegister(db=db, hierarchy=self.hierarchy, lists=self.lists, status=self._status)
        self._cards = Cards(
            hierarchy=self.hierarchy,
            workers=workers,
            clock=clock,
            foreign=foreign,
            known=KnownCards(db=db, sealer=sealer),
            sources={
                each.authority.name: ForeignSource(
                    each, fetch=_given(fetch), workers=workers, clock=clock, life=foreign_life
                )
                for each in foreign
            },
            own=own,
        )

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

    async def find_by_serial(self, authority: str, serial: str) -> CertificateStatus | None:
        """What the register says of an authority's serial (lower-case hexadecimal); None when it holds it not."""
        return await self._db.read(self._status.by_serial, authority, serial)

    def now(self) -> datetime:
        """The instance's time."""
        return self._db.now()

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

    async def list_states(self) -> list[ListState]:
        """See :meth:`Lists.states`."""
        return await self.lists.states()

    async def refresh_lists(self) -> None:
        """Sign dirty and ageing lists, and make the mirrors' lists again that are due; a schedule's work."""
        await self.lists.refresh()
        await self._mirrors.refresh()

    async def mirror(self, name: str, kind: MirrorKind) -> MirrorList:
        """See :meth:`Mirrors.current`."""
        return await self._mirrors.current(name, kind)

    async def purge_answers(self) -> None:
        """Drop OCSP answers past their term, entries that no list will hold, and foreign cards long ended."""
        await self._db.transact(_purge_answers)
        await self._db.transact(purge)

    async def ocsp(self, name: str, der: bytes, *, admit: Callable[[], object]) -> Reply:
        """See :meth:`Responder.answer`."""
        return await self._responder.answer(name, der, admit=admit)

    async def timestamp(self, data: bytes) -> bytes:
        """See :meth:`TimestampAuthority.answer`."""
        return await self._timestamps.answer(data)

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
        self,
        cms: bytes,
        *,
        content_type: str,
        profile: str,
        key_usage: KeyUsage,
        own: bool = False,
    ) -> CardRequest:
        """See :meth:`Cards.verify`; ``profile`` names the kind of certificate that must have signed."""
        return await self._cards.verify(
            cms, content_type=content_type, profile=profile, key_usage=key_usage, own=own
        )

    async def card_status(self, authority: str, serial: str) -> CardStatus:
        """See :meth:`Cards.status`."""
        return await self._cards.status(authority, serial)

    def _read(self, certificate_id: str) -> Step[IssuedCertificate]:
        row = yield store.BY_ID.one(key=certificate_id)
        if row is None:
            raise CertificateUnknown()
        return self._issue.read(row)

    def _unfinished(self) -> Step[list[str]]:
        rows = yield store.UNFINISHED.all(before=self._db.now() - UNFINISHED_AFTER)
        return [row.order_key for row in rows]


def _given(fetch: Fetch | None) -> Fetch:
    if fetch is None:
        raise ValueError("foreign authorities need a way to ask for their status")
    return fetch


def _purge_answers() -> Step[None]:
    moment = yield MOMENT
    yield store.PURGE_OCSP.run()
    yield from purge_cards(moment)


__all__ = [
    "LISTS_TOPIC",
    "LIST_JOB",
    "PKI",
    "AnyCeremony",
    "Ceremony",
    "Custody",
    "ListJob",
    "ListState",
    "PublicURLs",
    "Transcript",
    "TranscriptLine",
    "draw_shares",
    "make_offline",
    "open_offline",
    "read_ceremony",
    "thumbprint",
]
