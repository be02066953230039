"""Sessions of relying parties, answered on phones."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta

from inkan.approvals import ApprovalEnded, ApprovalMoved, ApprovalNotFound, UsageRecord
from inkan.audit import Actor, ActorKind
from inkan.enrolment import PhonePrincipal
from inkan.identification import store
from inkan.identification.model import Answer, Created, QRDoor, SessionOrder, SessionView
from inkan.identification.rules import IDEMPOTENCY_LIFE, READABLE
from inkan.identification.service import create, deciding, opening, own, reading, receipts
from inkan.identification.service.deciding import AssertionParts, Decided
from inkan.identification.service.opening import Opened
from inkan.identification.service.parts import Parts, topic
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.identification.service.tally import Tally
from inkan.identification.service.verifying import ReceiptDesk
from inkan.identification.service.webhooks import JOB as WEBHOOK_JOB
from inkan.identification.service.webhooks import WebhookSender
from inkan.kernel.ids import PersonID, SessionID, SystemID
from inkan.relying_parties import System
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire.shown import Language


class Identification:
    """The use cases of sessions: of the relying party, of the phone, and of time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tally = Tally(parts.db.clock)
        self._desk = ReceiptDesk(parts.pki.anchors)
        self._receipts = ReceiptSigner(db=parts.db, pki=parts.pki, tally=self._tally)

    # --- the relying party -----------------------------------------------------------------------

    async def create(
        self, system: System, order: SessionOrder, *, body: bytes, idempotency_key: str
    ) -> Created:
        """See :func:`inkan.identification.service.create.create`."""
        clock = self._parts.db.clock
        began = clock.monotonic()
        made = await create.create(
            self._parts, system, order, body=body, idempotency_key=idempotency_key
        )
        self._tally.created(clock.monotonic() - began)
        return made

    async def get(self, session_id: str, *, system: SystemID) -> tuple[SessionView, str]:
        """See :func:`inkan.identification.service.reading.get`."""
        return await reading.get(self._parts, session_id, system=system)

    async def wait(
        self, session_id: str, *, system: SystemID, seconds: float, known: str | None
    ) -> tuple[SessionView, str]:
        """See :func:`inkan.identification.service.reading.wait`."""
        return await reading.wait(
            self._parts, session_id, system=system, seconds=seconds, known=known
        )

    def follow(
        self, session_id: str, *, system: SystemID
    ) -> AsyncIterator[tuple[SessionView, str]]:
        """See :func:`inkan.identification.service.reading.follow`."""
        return reading.follow(self._parts, session_id, system=system)

    async def qr_door(self, session_id: str, *, system: SystemID) -> QRDoor:
        """See :func:`inkan.identification.service.reading.qr_door`."""
        return await reading.qr_door(self._parts, session_id, system=system)

    def frames(self, session_id: str, *, system: SystemID) -> AsyncIterator[str | None]:
        """See :func:`inkan.identification.service.reading.frames`."""
        return reading.frames(self._parts, session_id, system=system)

    async def cancel(self, session_id: str, *, system: SystemID) -> SessionView:
        """See :func:`inkan.identification.service.reading.cancel`."""
        seen = await reading.cancel(self._parts, session_id, system=system)
        self._tally.cancelled()
        return seen

    async def receipt(self, session_id: str, *, system: SystemID) -> str:
        """See :func:`inkan.identification.service.receipts.receipt`."""
        return await receipts.receipt(self._parts, self._receipts, session_id, system=system)

    async def evidence(self, session_id: str, *, system: SystemID) -> bytes:
        """See :func:`inkan.identification.service.receipts.evidence_bundle`."""
        return await receipts.evidence_bundle(
            self._parts, self._receipts, session_id, system=system
        )

    # --- the instance's own system ---------------------------------------------------------------

    async def session_of_key(self, idempotency_key: str, *, system: SystemID) -> SessionID:
        """See :func:`inkan.identification.service.own.session_of_key`."""
        return await self._parts.db.read(own.session_of_key, idempotency_key, system)

    async def frame(self, session_id: str, *, system: SystemID) -> str | None:
        """See :func:`inkan.identification.service.reading.frame`."""
        return await reading.frame(self._parts, session_id, system=system)

    async def answer(self, session_id: str, *, system: SystemID) -> Answer | None:
        """See :func:`inkan.identification.service.own.answer`."""
        return await self._parts.db.read(own.answer, self._parts, session_id, system=system)

    # --- for all ---------------------------------------------------------------------------------

    @property
    def tally(self) -> Tally:
        """How sessions fare now."""
        return self._tally

    @property
    def desk(self) -> ReceiptDesk:
        """Judges receipts that anybody shows."""
        return self._desk

    # --- the phone -------------------------------------------------------------------------------

    async def open(
        self, phone: PhonePrincipal, *, frame: str, lang: Language, arrived: datetime
    ) -> Opened:
        """See :func:`inkan.identification.service.opening.open_by_frame`."""
        return await opening.open_by_frame(
            self._parts, phone, frame=frame, lang=lang, arrived=arrived
        )

    async def opened_on(self, phone: PhonePrincipal) -> list[Opened]:
        """What this phone has open and undecided."""
        return await opening.opened_on(self._parts, phone)

    async def give_back(self, phone: PhonePrincipal, approval_id: str) -> None:
        """See :func:`inkan.identification.service.opening.give_back`."""
        await opening.give_back(self._parts, phone, approval_id)

    async def approve(
        self, phone: PhonePrincipal, approval_id: str, *, jws: str, assertion: AssertionParts
    ) -> Decided:
        """See :func:`inkan.identification.service.deciding.approve`."""
        return await deciding.approve(
            self._parts, self._receipts, phone, approval_id, jws=jws, assertion=assertion
        )

    async def refuse(
        self, phone: PhonePrincipal, approval_id: str, *, report: bool = False
    ) -> Decided:
        """See :func:`inkan.identification.service.deciding.refuse`."""
        return await deciding.refuse(self._parts, self._receipts, phone, approval_id, report=report)

    async def records(self, person: PersonID, *, before: datetime | None) -> list[UsageRecord]:
        """The person's 50 newest usage records before that moment (TW-38); by default all up to now."""
        approvals = self._parts.approvals
        until = before or self._parts.db.now() + timedelta(microseconds=1)
        return await self._parts.db.read(approvals.records, person, before=until)

    async def records_below(self, person: PersonID, record_id: str) -> list[UsageRecord]:
        """The 50 usage records that follow one of the person's in the list."""
        approvals = self._parts.approvals
        return await self._parts.db.read(approvals.records_below, person, record_id)

    # --- time and crashes ------------------------------------------------------------------------

    async def sign_unsigned(self) -> int:
        """See :meth:`ReceiptSigner.sign_unsigned`."""
        return await self._receipts.sign_unsigned()

    async def finish(self) -> None:
        """Return when every receipt that was taken is stored; called before the database closes."""
        await self._receipts.finish()

    async def expire(self) -> int:
        """Write down what time has ended, 500 approvals at a time; returns how many."""
        expired = 0
        for approval_id in await self._parts.db.scan(self._parts.approvals.overdue):
            # A rival of another process wrote it down first, or forgot it since.
            with suppress(ApprovalEnded, ApprovalMoved, ApprovalNotFound):
                await self._parts.db.transact(self._expire, approval_id)
                expired += 1
        self._tally.expired(expired)
        return expired

    async def purge(self) -> None:
        """Forget sessions past ``purge_at``, their approvals, and idempotency keys older than a day."""
        await self._parts.db.transact(self._purge)

    def _expire(self, approval_id: str) -> Step[None]:
        approval = yield from self._parts.approvals.get(approval_id)
        session = approval.question.session
        event = yield from self._parts.audit.record(
            "identification.session_expired",
            actor=Actor(ActorKind.PLATFORM, "identification"),
            object=session,
            details={"approval": approval_id},
        )
        yield from self._parts.approvals.expire(approval, event=event)
        yield Wake(topic(session))

    def _purge(self) -> Step[None]:
        moment = yield MOMENT
        yield store.PURGE.run()
        yield from self._parts.approvals.purge(before=moment - READABLE)
        yield store.FORGET_KEYS.run(before=moment - IDEMPOTENCY_LIFE)


__all__ = [
    "WEBHOOK_JOB",
    "AssertionParts",
    "Decided",
    "Identification",
    "Opened",
    "Parts",
    "WebhookSender",
]
