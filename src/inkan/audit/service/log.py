"""The front of the log: one object that features write to and readers ask."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from inkan.audit import store
from inkan.audit.model import Details, Head, Inclusion, LogState, Recorded, Report
from inkan.audit.service import proofs
from inkan.audit.service.events import Act, Macs, compose, leaf, row_of
from inkan.audit.service.heads import verify_head
from inkan.audit.service.sequencer import Sequencer
from inkan.audit.service.signing import LogSigner
from inkan.audit.service.verification import Outside, Progress, Verification
from inkan.crypto.merkle import leaf_hash
from inkan.kernel.ids import EventID
from inkan.kernel.sensitive import Secret
from inkan.store.database import MOMENT, Database, Step
from inkan.store.query import Query
from inkan.wire.audit_log import HEAD_TYP, Actor


class Audit:
    """The audit log of one instance."""

    def __init__(
        self, *, db: Database, mac_key: Secret[bytes], head_signer: EllipticCurvePrivateKey
    ) -> None:
        """Write to ``db``.

        Args:
            db: the instance's database.
            mac_key: 32 bytes that no backup of the database holds.
            head_signer: P-256 key of purpose ``audit_head``.
        """
        self._db = db
        self._macs = Macs(mac_key)
        self._signer = LogSigner(head_signer)
        self._head_key = self._signer.public_key
        self._sequencer = Sequencer(db=db, macs=self._macs, head_signer=self._signer)
        self._turn = asyncio.Lock()

    @property
    def head_key(self) -> EllipticCurvePublicKey:
        """The public key of the heads: what a ceremony certifies."""
        return self._head_key

    def certify_heads(self, chain: Callable[[], Sequence[bytes]]) -> None:
        """Let heads and statements carry the chain of their signer from now on, so that others can check them.

        Args:
            chain: asked for each signature; DER, the signer's certificate first, without the root; nothing while
                no ceremony has certified :attr:`head_key`.
        """
        self._signer.chain = chain

    async def attest(self, payload: bytes, *, typ: str) -> str:
        """Return the compact JWS of a statement that the instance makes with the key of its log.

        Args:
            payload: canonical bytes of the statement.
            typ: which kind of statement; never that of a head, which only the sequencer signs.

        Raises:
            ValueError: the ``typ`` of a head.
            SigningRefused: a ``typ`` that the guard before the key does not admit.
        """
        if typ == HEAD_TYP:
            raise ValueError("heads are signed by the sequencer")
        return await self._signer.sign(payload, typ=typ)

    # --- writing, in the transaction of a use case ---------------------------------------------------

    def record(
        self,
        use_case: str,
        *,
        actor: Actor,
        subject: str | None = None,
        object: str | None = None,  # noqa: A002 - the grammar of an event: who does what to what
        details: Details | None = None,
    ) -> Step[EventID]:
        """Step: write one event and return its id, which the changed state rows keep as ``event_id``.

        It has no index yet; the sequencer gives it one within a second of the COMMIT.

        Args:
            use_case: ``feature.use_case``, for example ``enrolment.bind``.
            actor: who acts.
            subject: opaque id of the person that it is about.
            object: opaque id of what it was done to.
            details: what else describes the act, as canonical JSON values without personal data; only their
                salted hash is kept.

        Raises:
            ValueError: an id is not opaque (names, national IDs and numbers are not).
            NotCanonical: the details are no canonical JSON.
        """
        moment = yield MOMENT
        row, _ = self._compose(moment, Act(use_case, actor, subject, object, details))
        yield store.INSERT_EVENT.run(**row)
        return EventID(row["id"])

    def record_leaf(
        self,
        use_case: str,
        *,
        actor: Actor,
        subject: str | None = None,
        object: str | None = None,  # noqa: A002 - see record
        details: Details | None = None,
    ) -> Step[Recorded]:
        """Step: like :meth:`record`, with the leaf hash that inclusion proofs will start from."""
        moment = yield MOMENT
        row, written = self._compose(moment, Act(use_case, actor, subject, object, details))
        yield store.INSERT_EVENT.run(**row)
        return Recorded(EventID(row["id"]), leaf_hash(written))

    def _compose(self, moment: datetime, act: Act) -> tuple[dict[str, Any], bytes]:
        """The row of an act, and its leaf."""
        event, salt, digest = compose(moment, act)
        written = leaf(event)
        mac = self._macs.event(written, salt)
        return row_of(event, salt=salt, digest=digest, mac=mac), written

    # --- the sequencer -------------------------------------------------------------------------------

    async def work(self) -> None:
        """Sequence what was committed and sign a head when one is due; the schedule's job.

        Raises:
            AuditLogBroken: the stored state contradicts itself; nothing was written.
        """
        async with self._turn:
            await self._sequencer.sequence()
            await self._sequencer.sign_head(due_only=True)

    async def sequence_once(self) -> int:
        """Give every committed event its index now; return how many got one.

        Raises:
            AuditLogBroken: as :meth:`work`.
        """
        async with self._turn:
            return await self._sequencer.sequence()

    async def sign_head(self) -> Head | None:
        """Sign the present size now, unless a head has it already; return the newest head, None when empty.

        Raises:
            AuditLogBroken: as :meth:`work`.
        """
        async with self._turn:
            return await self._sequencer.sign_head(due_only=False)

    # --- reading -------------------------------------------------------------------------------------

    async def head(self) -> Head | None:
        """The newest signed head, None before the first."""
        return await self._db.read(proofs.newest_head)

    async def state(self) -> LogState:
        """How far the log has come: its size, what waits for an index, the newest head."""
        return await self._db.read(proofs.log_state)

    async def inclusion(self, event_id: str) -> Inclusion:
        """The proof that an event is under the newest head.

        Raises:
            EventUnknown: no such event.
            EventNotCovered: it is under no head yet; try again within a minute.
        """
        return await self._db.read(proofs.inclusion, event_id)

    async def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """The proof (RFC 9162 §2.1.4) that the log of ``new_size`` events continues that of ``old_size``.

        Raises:
            SizeNotCovered: 1 ≤ old ≤ new ≤ size of the log does not hold.
        """
        return await self._db.read(proofs.consistency, old_size, new_size)

    async def verify(
        self,
        pairs: Sequence[tuple[str, Query]] = (),
        *,
        kept_head: str | None = None,
        progress: Progress | None = None,
    ) -> Report:
        """Recompute the whole log and report everything that does not hold.

        Args:
            pairs: features' names with their queries of (row id, event id).
            kept_head: a compact JWS kept outside the instance; shows a log that was cut off or rewritten by
                somebody who holds the keys.
            progress: called with the events done and the events in all.

        Raises:
            JWSMalformed, JWSTooLarge, JWSSignatureWrong, NotCanonical, AuditHeadMalformed: the kept head is none.
        """
        kept = verify_head(kept_head, self._head_key) if kept_head else None
        outside = Outside(self._macs, self._head_key, kept)
        return await self._db.scan(_verification, outside, pairs, progress or _silent)


def _verification(
    outside: Outside, pairs: Sequence[tuple[str, Query]], progress: Progress
) -> Step[Report]:
    return (yield from Verification(outside, progress).run(pairs))


def _silent(done: int, total: int) -> None:
    """Nobody watches."""
