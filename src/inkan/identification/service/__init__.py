"""Sessions of relying parties, answered on phones."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime

from inkan.approvals import (
    Asker,
    UsageFilter,
    UsageRecord,
)
from inkan.audit import Actor
from inkan.enrolment import PhonePrincipal
from inkan.identification.model import (
    Answer,
    Created,
    DoorView,
    Redemption,
    SessionOrder,
    SessionView,
)
from inkan.identification.service import (
    announcing,
    browsers,
    cancelling,
    consenting,
    create,
    deciding,
    doors,
    expiring,
    opening,
    opening_push,
    own,
    page,
    pushing,
    reading,
    receipts,
    redeeming,
    refusing,
    rehearsing,
    reporting,
    using,
    waiting,
    watching,
)
from inkan.identification.service.announcing import END_JOB, EndJob
from inkan.identification.service.browsers import KnownBrowser
from inkan.identification.service.consenting import ConsentView
from inkan.identification.service.deciding import Decided
from inkan.identification.service.opening import Opened
from inkan.identification.service.page import Choice, PageView, Stage
from inkan.identification.service.parts import Parts
from inkan.identification.service.proving import AssertionParts, Unsigned
from inkan.identification.service.pushing import PUSH_JOB, PushJob
from inkan.identification.service.receipt_signer import ReceiptSigner
from inkan.identification.service.strengthening import Strengthening
from inkan.identification.service.tally import Tally
from inkan.identification.service.using import LogEntry
from inkan.identification.service.verifying import ReceiptDesk
from inkan.identification.service.waiting import Waiting
from inkan.identification.service.watching import Hint
from inkan.identification.service.webhooks import JOB as WEBHOOK_JOB
from inkan.identification.service.webhooks import WebhookSender
from inkan.kernel.ids import PersonID, SessionID, SystemID
from inkan.relying_parties import System
from inkan.store.database import Step
from inkan.wire.binding import Door
from inkan.wire.shown import Language


class Identification:
    """The use cases of sessions: of the relying party, of the phone, and of time."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._tally = Tally(parts.db.clock)
        self._desk = ReceiptDesk(parts.pki.anchors)
        self._strengthening = Strengthening(parts)
        self._receipts = ReceiptSigner(db=parts.db, pki=parts.pki, tally=self._tally)

    # --- the relying party -----------------------------------------------------------------------

    async def create(
        self,
        system: System,
        order: SessionOrder,
        *,
        body: bytes,
        idempotency_key: str,
        omit_missing: bool = False,
        is_followed: bool = False,
    ) -> Created:
        """See :func:`inkan.identification.service.create.create`."""
        clock = self._parts.db.clock
        began = clock.monotonic()
        made = await create.create(
            self._parts,
            system,
            order,
            body=body,
            idempotency_key=idempotency_key,
            omit_missing=omit_missing,
            is_followed=is_followed,
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

    async def make_door(self, session_id: str, door: Door, *, system: System) -> DoorView:
        """See :func:`inkan.identification.service.doors.make`."""
        return await doors.make(self._parts, session_id, door, system=system)

    async def redeem(
        self, session_id: str, redemption: Redemption, *, system: SystemID
    ) -> SessionView:
        """See :func:`inkan.identification.service.redeeming.redeem`; the session as it is then."""
        await redeeming.redeem(self._parts, self._receipts, session_id, redemption, system=system)
        seen, _ = await reading.get(self._parts, session_id, system=system)
        return seen

    def frames(self, session_id: str, *, system: SystemID) -> AsyncIterator[str | None]:
        """See :func:`inkan.identification.service.reading.frames`."""
        return reading.frames(self._parts, session_id, system=system)

    async def cancel(self, session_id: str, *, system: SystemID) -> SessionView:
        """See :func:`inkan.identification.service.cancelling.cancel`; the session as it is then."""
        self._tally.cancelled(await cancelling.cancel(self._parts, session_id, system=system))
        seen, _ = await reading.get(self._parts, session_id, system=system)
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

    # --- the redirect page -----------------------------------------------------------------------

    async def page(self, handle: str, *, browser: str, lang: Language) -> PageView:
        """See :func:`inkan.identification.service.page.find`."""
        return await page.find(self._parts, handle, browser=browser, lang=lang)

    async def choose_way(self, handle: str, choice: Choice, *, browser: str) -> None:
        """See :func:`inkan.identification.service.page.choose`."""
        await page.choose(self._parts, handle, choice, browser=browser)

    async def resend(self, handle: str, *, browser: str) -> None:
        """See :func:`inkan.identification.service.page.resend`."""
        await page.resend(self._parts, handle, browser=browser)

    async def finish_page(self, handle: str, *, browser: str) -> str:
        """See :func:`inkan.identification.service.page.finish`."""
        address, taken_back = await page.finish(self._parts, handle, browser=browser)
        self._tally.cancelled(taken_back)
        return address

    async def page_frame(self, handle: str, *, browser: str) -> str | None:
        """See :func:`inkan.identification.service.page.frame`."""
        return await page.frame(self._parts, handle, browser=browser)

    def page_stages(self, handle: str, *, browser: str) -> AsyncIterator[Stage]:
        """See :func:`inkan.identification.service.page.stages`."""
        return page.stages(self._parts, handle, browser=browser)

    @property
    def strengthening(self) -> Strengthening:
        """The passkey in the browser that began."""
        return self._strengthening

    # --- the phone -------------------------------------------------------------------------------

    async def open(
        self, phone: PhonePrincipal, *, frame: str, lang: Language, arrived: datetime
    ) -> Opened:
        """See :func:`inkan.identification.service.opening.open_by_frame`."""
        return await opening.open_by_frame(
            self._parts, phone, frame=frame, lang=lang, arrived=arrived
        )

    async def open_link(self, phone: PhonePrincipal, *, address: str, lang: Language) -> Opened:
        """See :func:`inkan.identification.service.opening.open_by_link`."""
        return await opening.open_by_link(self._parts, phone, address=address, lang=lang)

    async def open_push(
        self, phone: PhonePrincipal, *, approval_id: str, code: str | None, lang: Language
    ) -> Opened:
        """See :func:`inkan.identification.service.opening_push.open_by_push`."""
        return await opening_push.open_by_push(
            self._parts, self._receipts, phone, approval_id=approval_id, code=code, lang=lang
        )

    async def opened_on(self, phone: PhonePrincipal) -> list[Opened]:
        """What this phone has open and undecided."""
        return await opening.opened_on(self._parts, phone)

    async def waiting_on(
        self, phone: PhonePrincipal, *, lang: Language, seconds: float
    ) -> list[Waiting]:
        """See :func:`inkan.identification.service.waiting.waiting_on`."""
        return await waiting.waiting_on(self._parts, phone, lang=lang, seconds=seconds)

    def watch_phone(self, phone: PhonePrincipal) -> AsyncGenerator[Hint, None]:
        """See :func:`inkan.identification.service.watching.watch`."""
        return watching.watch(self._parts, phone)

    async def push(self, job: PushJob) -> None:
        """See :func:`inkan.identification.service.pushing.push`; the outbox calls it."""
        await pushing.push(self._parts, job)

    async def end(self, job: EndJob) -> None:
        """See :func:`inkan.identification.service.announcing.end`; the outbox calls it."""
        await announcing.end(self._parts, job)

    async def give_back(self, phone: PhonePrincipal, approval_id: str) -> None:
        """See :func:`inkan.identification.service.opening.give_back`."""
        await opening.give_back(self._parts, phone, approval_id)

    async def approve(
        self,
        phone: PhonePrincipal,
        approval_id: str,
        *,
        jws: str | Unsigned,
        assertion: AssertionParts,
    ) -> Decided:
        """See :func:`inkan.identification.service.deciding.approve`."""
        return await deciding.approve(
            self._parts, self._receipts, phone, approval_id, jws=jws, assertion=assertion
        )

    async def refuse(
        self, phone: PhonePrincipal, approval_id: str, *, report: bool = False
    ) -> Decided:
        """See :func:`inkan.identification.service.refusing.refuse`."""
        return await refusing.refuse(self._parts, self._receipts, phone, approval_id, report=report)

    # --- the person ------------------------------------------------------------------------------

    async def records(
        self, person: PersonID, *, before: datetime | None, only: UsageFilter | None = None
    ) -> list[UsageRecord]:
        """The person's 50 newest usage records before that moment (TW-38); by default all up to now."""
        return await using.newest(self._parts, person, before=before, only=only)

    async def records_below(
        self, person: PersonID, record_id: str, *, only: UsageFilter | None = None
    ) -> list[UsageRecord]:
        """The 50 usage records that follow one of the person's in the list."""
        return await using.below(self._parts, person, record_id, only=only)

    async def record(self, person: PersonID, record_id: str) -> UsageRecord:
        """See :meth:`inkan.approvals.Approvals.record`."""
        return await self._parts.db.read(self._parts.approvals.record, person, record_id)

    async def askers(self, person: PersonID) -> list[Asker]:
        """See :meth:`inkan.approvals.Approvals.askers`."""
        return await self._parts.db.scan(self._parts.approvals.askers, person)

    def every_record(self, person: PersonID) -> AsyncIterator[list[UsageRecord]]:
        """See :func:`inkan.identification.service.using.every`."""
        return using.every(self._parts, person)

    async def log_entry(self, record: UsageRecord) -> LogEntry:
        """See :func:`inkan.identification.service.using.log_entry`."""
        return await using.log_entry(self._parts, record)

    async def use_proof(self, person: PersonID, record_id: str) -> bytes:
        """See :func:`inkan.identification.service.using.use_proof`."""
        return await using.use_proof(self._parts, person, record_id)

    async def report_use(self, person: PersonID, record_id: str, *, actor: Actor) -> UsageRecord:
        """See :func:`inkan.identification.service.reporting.report`."""
        return await reporting.report(self._parts, person, record_id, actor=actor)

    async def consents(self, person: PersonID) -> list[ConsentView]:
        """See :func:`inkan.identification.service.consenting.consents_of`."""
        return await self._parts.db.scan(consenting.consents_of, self._parts, person)

    async def withdraw_consent(self, person: PersonID, consent_id: str, *, actor: Actor) -> None:
        """See :func:`inkan.identification.service.consenting.withdraw`."""
        await consenting.withdraw(self._parts, person, consent_id, actor=actor)

    def is_withdrawn(self, session_id: SessionID) -> Step[bool]:
        """See :func:`inkan.identification.service.consenting.is_withdrawn`."""
        return consenting.is_withdrawn(session_id)

    async def browsers(self, person: PersonID) -> list[KnownBrowser]:
        """See :func:`inkan.identification.service.browsers.browsers_of`."""
        return await self._parts.db.read(browsers.browsers_of, self._parts, person)

    async def unpair(self, person: PersonID, browser_id: str, *, actor: Actor) -> None:
        """See :func:`inkan.identification.service.browsers.unpair`."""
        await browsers.unpair(self._parts, person, browser_id, actor=actor)

    # --- the sandbox -----------------------------------------------------------------------------

    async def system_of(self, session_id: str) -> SystemID | None:
        """See :func:`inkan.identification.service.rehearsing.system_of`."""
        return await self._parts.db.read(rehearsing.system_of, session_id)

    async def shown_code(self, approval_id: str) -> str | None:
        """See :func:`inkan.identification.service.rehearsing.shown_code`."""
        return await self._parts.db.read(rehearsing.shown_code, self._parts, approval_id)

    # --- time and crashes ------------------------------------------------------------------------

    async def sign_unsigned(self) -> int:
        """See :meth:`ReceiptSigner.sign_unsigned`."""
        return await self._receipts.sign_unsigned()

    async def finish(self) -> None:
        """Return when every receipt that was taken is stored; called before the database closes."""
        await self._receipts.finish()

    async def expire(self) -> int:
        """See :func:`inkan.identification.service.expiring.expire`."""
        expired = await expiring.expire(self._parts)
        self._tally.expired(expired)
        return expired

    async def purge(self) -> None:
        """See :func:`inkan.identification.service.expiring.purge`."""
        await self._parts.db.transact(expiring.purge, self._parts)


__all__ = [
    "END_JOB",
    "PUSH_JOB",
    "WEBHOOK_JOB",
    "AssertionParts",
    "Choice",
    "ConsentView",
    "Decided",
    "EndJob",
    "Hint",
    "Identification",
    "KnownBrowser",
    "LogEntry",
    "Opened",
    "PageView",
    "Parts",
    "PushJob",
    "ReceiptDesk",
    "Stage",
    "Unsigned",
    "Waiting",
    "WebhookSender",
]
