"""The certification authorities of one instance, and the validation of what cards sign."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, Audit
from inkan.crypto import jose
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.foreign_keys import signing
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
    CertificateOrder,
    CertificateStatus,
    CertificateUnknown,
    ForeignAuthority,
    IssuedCertificate,
    RevocationEvidence,
    Role,
    TranscriptLine,
)
from inkan.pki.ports import Fetch
from inkan.pki.service.builder import public_key_of
from inkan.pki.service.cards import Cards
from inkan.pki.service.ceremony import CeremonyMaster
from inkan.pki.service.ceremony_file import AnyCeremony, Ceremony, Custody, read_ceremony
from inkan.pki.service.foreign import ForeignSource
from inkan.pki.service.hierarchy import Hierarchy, PublicURLs
from inkan.pki.service.issue import Issue
from inkan.pki.service.key_uses import KeyUseLog
from inkan.pki.service.known_cards import KnownCards, purge
from inkan.pki.service.lists import Lists
from inkan.pki.service.making import thumbprint
from inkan.pki.service.offline_store import draw_shares, make_offline, open_offline
from inkan.pki.service.responder import Responder
from inkan.pki.service.sources import OwnRegister
from inkan.pki.service.status import LISTS_TOPIC, Status
from inkan.pki.service.timestamps import TimestampAuthority
from inkan.pki.service.transcript import Transcript, cross_line, transcript_line
from inkan.store.database import MOMENT, Database, Step
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
        quorum: bool = False,
        crl_life: timedelta = timedelta(hours=24),
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
        self._db = db
        self._audit = audit
        self._sealer = sealer
        self.hierarchy = Hierarchy(db=db, keys=keys, urls=urls)
        self._status = Status(audit=audit)
        self.lists = Lists(db=db, audit=audit, hierarchy=self.hierarchy, life=crl_life)
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
            quorum=quorum,
        )
        self._timestamps = TimestampAuthority(
            db=db, audit=audit, hierarchy=self.hierarchy, clock=clock, accuracy=timestamp_accuracy
        )
        self._uses = KeyUseLog(db=db, audit=audit, keys=keys)
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

    # --- authorities -----------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the authorities; to be awaited once before anything else."""
        await self.hierarchy.load()

    async def hold_ceremony(
        self,
        ceremony: AnyCeremony,
        *,
        file: bytes = b"",
        approvals: Sequence[bytes] = (),
        offline: KeyProvider | None = None,
        is_rehearsal: bool = False,
    ) -> Transcript:
        """See :meth:`CeremonyMaster.hold`."""
        return await self._master.hold(
            ceremony, file=file, approvals=approvals, offline=offline, is_rehearsal=is_rehearsal
        )

    async def drill(self, offline: KeyProvider) -> list[str]:
        """See :meth:`CeremonyMaster.drill`."""
        return await self._master.drill(offline)

    async def renew_signers(self) -> None:
        """Replace signers of answers and time-stamps that are near their end; a schedule's work."""
        await self._master.renew_signers()

    async def record_key_uses(self) -> None:
        """Write down what every key signed since the last time; a schedule's work."""
        await self._uses.record()

    def authorities(self) -> list[TranscriptLine]:
        """Every certificate of the hierarchy with its thumbprint (JPKI-37)."""
        return [
            *map(transcript_line, self.hierarchy),
            *map(cross_line, self.hierarchy.crosses),
        ]

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
        """Drop stored OCSP answers past their term, and foreign cards long ended; a schedule's work."""
        await self._db.transact(_purge_answers)

    async def ocsp(self, name: str, der: bytes) -> tuple[bytes, int]:
        """See :meth:`Responder.answer`."""
        return await self._responder.answer(name, der)

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

    # --- receipts and heads ----------------------------------------------------------------------

    def head_chain(self) -> tuple[bytes, ...]:
        """DER of the certificate of the audit log's head key and upwards, without the root.

        Nothing before the ceremony, and nothing when the log signs with another key than the certified one.
        """
        signer = self.hierarchy.find(Role.AUDIT_HEAD)
        if signer is None or public_key_of(signer) != self._audit.head_key:
            return ()
        return signer.chain[:-1]

    async def sign_receipt(self, payload: bytes) -> str:
        """The compact JWS of a receipt's payload, with the signer's chain in ``x5c`` (design §5.3).

        Raises:
            AuthorityUnknown: no ceremony made a receipt signer.
        """
        signer = self.hierarchy.get(Role.RECEIPT)
        key = self.hierarchy.key_of(signer, KeyPurpose.RECEIPT)
        assert isinstance(key, EllipticCurvePrivateKey)
        sign = partial(jose.sign_compact, payload, key, alg=jose.Algorithm.ES256, typ=RECEIPT_TYP)
        return await signing(key, partial(sign, header={"x5c": _x5c(signer.chain)}))

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
    yield from purge(moment)


def _x5c(chain: tuple[bytes, ...]) -> list[str]:
    """RFC 7515 §4.1.6: standard base64 of DER, the signer's first; the root stays with the verifier."""
    return [base64.b64encode(der).decode() for der in chain[:-1]]


__all__ = [
    "LISTS_TOPIC",
    "PKI",
    "AnyCeremony",
    "Ceremony",
    "Custody",
    "PublicURLs",
    "Transcript",
    "draw_shares",
    "make_offline",
    "open_offline",
    "read_ceremony",
    "thumbprint",
]
