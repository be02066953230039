"""The use cases of authorities: ceremonies, signers, retirement, and what their own keys sign for the platform."""

import base64
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, Audit
from inkan.crypto import jose
from inkan.crypto.foreign_keys import signing
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.crypto.path import RevocationReason
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.clock import Clock
from inkan.kernel.errors import Unavailable
from inkan.pki.model import Role
from inkan.pki.service.builder import public_key_of
from inkan.pki.service.ceremony import CeremonyMaster
from inkan.pki.service.ceremony_file import AnyCeremony
from inkan.pki.service.hierarchy import AUTHORITIES_TOPIC, Hierarchy, PublicURLs
from inkan.pki.service.key_uses import KeyUseLog
from inkan.pki.service.lists import Lists
from inkan.pki.service.retirement import Retirement
from inkan.pki.service.status import LISTS_TOPIC
from inkan.pki.service.transcript import cross_line, transcript_line
from inkan.store.database import Database
from inkan.wire.ceremony_transcript import (
    TRANSCRIPT_TYP,
    Transcript,
    TranscriptLine,
    transcript_bytes,
)
from inkan.wire.receipt import RECEIPT_TYP

FOLLOW_EVERY_S = 60.0


class Authorities:
    """The part of :class:`inkan.pki.PKI` that is about authorities and signers."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        keys: KeyProvider,
        workers: WorkerPool,
        clock: Clock,
        urls: PublicURLs,
        lint: bool,
        quorum: bool,
        crl_life: timedelta,
    ) -> None:
        self._db = db
        self._audit = audit
        self.hierarchy = Hierarchy(db=db, keys=keys, urls=urls)
        self.lists = Lists(db=db, audit=audit, hierarchy=self.hierarchy, life=crl_life)
        self._retirement = Retirement(audit=audit, hierarchy=self.hierarchy)
        self._uses = KeyUseLog(db=db, audit=audit, keys=keys)
        self._master = CeremonyMaster(
            db=db,
            audit=audit,
            keys=keys,
            hierarchy=self.hierarchy,
            retirement=self._retirement,
            workers=workers,
            clock=clock,
            lint=lint,
            quorum=quorum,
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
        """See :meth:`CeremonyMaster.hold`; then the lists of offline authorities are signed while their store is open."""
        held = await self._master.hold(
            ceremony, file=file, approvals=approvals, offline=offline, is_rehearsal=is_rehearsal
        )
        if offline is not None and not is_rehearsal:
            with self.hierarchy.opened(offline):
                await self.lists.sign_offline()
        return held

    async def sign_transcript(self, held: Transcript) -> str:
        """The compact JWS of a transcript, by the key of the audit log; with its chain once that is certified.

        A rehearsal is signed by the same key, which is none of its throw-away ones, and says what it is.
        """
        return await self._audit.attest(transcript_bytes(held), typ=TRANSCRIPT_TYP)

    async def drill(self, offline: KeyProvider) -> list[str]:
        """See :meth:`CeremonyMaster.drill`."""
        return await self._master.drill(offline)

    async def renew_signers(self) -> None:
        """Replace signers of answers and time-stamps that are near their end; a schedule's work."""
        await self._master.renew_signers()

    async def record_key_uses(self) -> None:
        """Write down what every key signed since the last time; a schedule's work."""
        await self._uses.record()

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


def _x5c(chain: tuple[bytes, ...]) -> list[str]:
    """RFC 7515 §4.1.6: standard base64 of DER, the signer's first; the root stays with the verifier."""
    return [base64.b64encode(der).decode() for der in chain[:-1]]
