"""The front of onboarding: one object that pages, commands and other features ask."""

from collections.abc import Sequence
from datetime import datetime

from inkan.accounts import Login, Proposal
from inkan.audit import Actor
from inkan.relying_parties.model import System, SystemNotFound
from inkan.relying_parties.model.application import (
    Application,
    ApplicationNotFound,
    ApplicationState,
    Draft,
)
from inkan.relying_parties.model.export import ExporterFile
from inkan.relying_parties.model.window import LiveKey, LoadWindow, WindowStep
from inkan.relying_parties.service import drafting, sealing, windows
from inkan.relying_parties.service.exporting import Exporter, Exporting
from inkan.relying_parties.service.parts import Parts, owner_of
from inkan.relying_parties.service.register import live_keys, systems_of
from inkan.relying_parties.service.reports import Reports, SigningKey
from inkan.relying_parties.service.reviewing import Reviewing
from inkan.relying_parties.store import applications as store
from inkan.store.database import Step
from inkan.wire.conformance_report import ConformanceItem


class Applications:
    """Applications, their review, exports, imports and load tests of one instance."""

    def __init__(
        self,
        parts: Parts,
        *,
        export_key: SigningKey,
        report_key: SigningKey,
        trusted: Sequence[Exporter] = (),
    ) -> None:
        """Let two officers approve, by the four eyes of accounts.

        Args:
            parts: the features below.
            export_key: gives the key that signs exports (P-256, for nothing else), made at its first use.
            report_key: gives the key that signs reports of the conformance kit (P-256, for nothing else).
            trusted: the sandboxes whose exports are taken in; none where applications are made.
        """
        self._parts = parts
        self._db = parts.db
        self._reviewing = Reviewing(parts)
        self._reports = Reports(parts, key=report_key)
        self._exporting = Exporting(parts, key=export_key, reports=self._reports, trusted=trusted)
        self.accounts = parts.accounts
        self.issuer = parts.issuer
        self.is_sandbox = parts.sandbox
        self.takes_exports = bool(trusted)
        parts.accounts.let_two_decide(self._reviewing.act)

    def now(self) -> datetime:
        """The instance's time."""
        return self._db.now()

    # --- the applicant -----------------------------------------------------------------------------

    async def begin(self, *, by: Login) -> Application:
        """See :func:`inkan.relying_parties.service.drafting.begin`."""
        return await self._db.transact(drafting.begin, self._parts, by=by)

    async def edit(self, application_id: str, draft: Draft, *, by: Login, seen: int) -> Application:
        """Check a draft as far as it goes and keep it.

        Raises:
            ApplicationIncomplete, SectorNotEligible, RegistrationWrong: see
                :func:`inkan.relying_parties.service.drafting.check_draft`.
            ApplicationNotFound, ApplicationChanged: see :func:`inkan.relying_parties.service.drafting.edit`.
        """
        drafting.check_draft(self._parts, draft)
        return await self._db.transact(
            drafting.edit, self._parts, application_id, draft, by=by, seen=seen
        )

    async def complete(self, application_id: str, *, by: Login, seen: int) -> Application:
        """See :func:`inkan.relying_parties.service.drafting.complete`."""
        return await self._db.transact(
            drafting.complete, self._parts, application_id, by=by, seen=seen
        )

    async def seal(self, application_id: str, p7s: bytes, *, by: Login, seen: int) -> Application:
        """See :func:`inkan.relying_parties.service.sealing.seal`."""
        return await sealing.seal(self._parts, application_id, p7s, by=by, seen=seen)

    async def submit(self, application_id: str, *, by: Login, seen: int) -> Application:
        """See :func:`inkan.relying_parties.service.drafting.submit`."""
        return await self._db.transact(
            drafting.submit, self._parts, application_id, by=by, seen=seen
        )

    async def own(self, *, by: Login) -> list[Application]:
        """The applications of a login's organisation, the one that changed last first."""
        return await self._db.scan(_of_owner, self._parts, owner_of(by))

    async def application(self, application_id: str, *, by: Login) -> Application:
        """One of them.

        Raises:
            ApplicationNotFound: unknown, or another's.
        """
        return await self._db.read(_own, self._parts, application_id, by)

    async def own_systems(self, *, by: Login) -> list[tuple[System, str]]:
        """The systems of a login's organisation and their state."""
        return await self._db.scan(systems_of, owner_of(by))

    async def own_system(self, code: str, *, by: Login) -> tuple[System, str, list[LiveKey]]:
        """One of them, its state, and its live keys.

        Raises:
            SystemNotFound: unknown, or another's.
        """
        return await self._db.read(_system, code, owner_of(by))

    # --- the officers ------------------------------------------------------------------------------

    async def submitted(self) -> list[Application]:
        """What was handed to the officers, the one that changed last first."""
        return await self._db.scan(_submitted, self._parts)

    async def submitted_one(self, application_id: str) -> tuple[Application, Proposal | None]:
        """One of them, with the first officer's proposal.

        Raises:
            ApplicationNotFound: unknown, or nobody has handed it over.
        """
        return await self._db.read(_for_officers, self._parts, application_id)

    async def propose(self, application_id: str, *, reason: str, by: Login, seen: int) -> Proposal:
        """See :meth:`inkan.relying_parties.service.reviewing.Reviewing.propose`."""
        return await self._db.transact(
            self._reviewing.propose, application_id, reason=reason, by=by, seen=seen
        )

    async def approve(self, proposal_id: str, *, by: Login, seen: int) -> Proposal:
        """Approve as the second officer; see :mod:`inkan.relying_parties.service.reviewing`.

        Raises:
            OwnProposal, OwnApplication, RoleMissing: by whom.
            ProposalUnknown, ProposalClosed, ApplicationChanged, DocumentsChanged: what.
        """
        return await self.accounts.approve(proposal_id, by=by, seen=seen)

    async def give_back(
        self, application_id: str, *, reason: str, final: bool, by: Login, seen: int
    ) -> Application:
        """See :meth:`inkan.relying_parties.service.reviewing.Reviewing.give_back`."""
        return await self._db.transact(
            self._reviewing.give_back,
            application_id,
            reason=reason,
            final=final,
            by=by,
            seen=seen,
        )

    # --- into production ---------------------------------------------------------------------------

    async def export(self, code: str, *, report: str, audience: str, actor: Actor) -> str:
        """See :meth:`inkan.relying_parties.service.exporting.Exporting.export`."""
        return await self._exporting.export(code, report=report, audience=audience, actor=actor)

    async def take_in(self, jws: str, *, actor: Actor) -> System:
        """See :meth:`inkan.relying_parties.service.exporting.Exporting.take_in`."""
        return await self._exporting.take_in(jws, actor=actor)

    async def admit_report(self, code: str) -> None:
        """See :meth:`inkan.relying_parties.service.reports.Reports.admit`."""
        await self._reports.admit(code)

    async def sign_report(
        self, code: str, items: Sequence[ConformanceItem], *, kit_version: str, actor: Actor
    ) -> str:
        """See :meth:`inkan.relying_parties.service.reports.Reports.sign`."""
        return await self._reports.sign(code, items, kit_version=kit_version, actor=actor)

    def exporter(self) -> ExporterFile:
        """What production has to know of this sandbox."""
        return self._exporting.described()

    # --- load tests --------------------------------------------------------------------------------

    async def announce(
        self, code: str, *, begins_at: datetime, ends_at: datetime, rate: int, by: Login
    ) -> LoadWindow:
        """See :func:`inkan.relying_parties.service.windows.announce`."""
        return await self._db.transact(
            windows.announce,
            self._parts,
            code,
            begins_at=begins_at,
            ends_at=ends_at,
            rate=rate,
            by=by,
        )

    async def withdraw_window(self, window_id: str, *, by: Login, seen: int) -> LoadWindow:
        """See :func:`inkan.relying_parties.service.windows.withdraw`."""
        return await self._db.transact(windows.withdraw, self._parts, window_id, by=by, seen=seen)

    async def decide_window(
        self, window_id: str, step: WindowStep, *, by: Login, seen: int
    ) -> LoadWindow:
        """See :func:`inkan.relying_parties.service.windows.decide`."""
        return await self._db.transact(
            windows.decide, self._parts, window_id, step, by=by, seen=seen
        )

    async def windows_of(self, system: System) -> list[LoadWindow]:
        """The announcements of a system, the latest first."""
        return await self._db.read(windows.windows_of, system.id)

    async def coming_windows(self) -> list[LoadWindow]:
        """Every announcement that is not over, the next first."""
        return await self._db.scan(windows.coming)


def _own(parts: Parts, application_id: str, by: Login) -> Step[Application]:
    return (yield from parts.get_own(application_id, by=by))


def _of_owner(parts: Parts, owner: str) -> Step[list[Application]]:
    return [parts.read(row) for row in (yield store.OF_OWNER.all(whose=owner))]


def _submitted(parts: Parts) -> Step[list[Application]]:
    return [parts.read(row) for row in (yield store.SUBMITTED.all())]


def _for_officers(parts: Parts, application_id: str) -> Step[tuple[Application, Proposal | None]]:
    application = yield from parts.get(application_id)
    if application.state in {ApplicationState.DRAFT, ApplicationState.SEALED}:
        raise ApplicationNotFound()
    if not application.proposal:
        return application, None
    return application, (yield from parts.accounts.reading_proposal(application.proposal))


def _system(code: str, owner: str) -> Step[tuple[System, str, list[LiveKey]]]:
    for system, state in (yield from systems_of(owner)):
        if system.code == code:
            return system, state, (yield from live_keys(system.id))
    raise SystemNotFound()
