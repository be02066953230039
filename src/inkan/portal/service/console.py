"""What staff looks after: jobs that wait or were given up, the log, the carriers, and what persons reported.

Reading needs no trace; each act is an event of the audit log: a job that is tried again, a person whose data are
revealed (which the person may read).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from inkan.approvals import Approvals, ReportedUse
from inkan.audit import Actor, Audit, LogState
from inkan.notices import CarrierState, Notices
from inkan.people import Identity, MaskedIdentity, People
from inkan.portal.rules import DEAD_SHOWN, REPORTS_SHOWN
from inkan.store.database import Database, Step
from inkan.store.outbox import DeadJobNotFound, dead_jobs, depths, revive
from inkan.store.plan import Row


@dataclass(frozen=True, slots=True)
class Queue:
    """Jobs of one kind that wait, those under way included."""

    kind: str
    waiting: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class Reported:
    """A use of which its person said that they did not start it; the person masked."""

    use: ReportedUse
    person: MaskedIdentity


@dataclass(frozen=True, slots=True)
class Revealed:
    """A reported use and, for a stated reason, whose it was."""

    use: ReportedUse
    identity: Identity


class Console:
    """The operators' questions and acts."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        notices: Notices,
        people: People,
        approvals: Approvals,
    ) -> None:
        self._db = db
        self._audit = audit
        self._notices = notices
        self._people = people
        self._approvals = approvals

    # --- jobs --------------------------------------------------------------------------------------

    async def queues(self) -> list[Queue]:
        """What waits to be delivered, by kind."""
        rows = await self._db.read(depths)
        return [Queue(row.kind, row.waiting, row.oldest) for row in rows]

    async def dead(self) -> Sequence[Row]:
        """The jobs that used up their tries, the oldest first; see :func:`inkan.store.outbox.dead_jobs`."""
        return await self._db.read(_dead)

    async def retry(self, job: str, *, actor: Actor) -> None:
        """Give a dead job all its tries again.

        Raises:
            DeadJobNotFound: no dead job has this id.
        """
        await self._db.transact(self._retry, job, actor)

    def _retry(self, job: str, actor: Actor) -> Step[None]:
        if not (yield from revive(job)):
            raise DeadJobNotFound()
        yield from self._audit.record("portal.job_retried", actor=actor, object=job)

    # --- the log and the carriers --------------------------------------------------------------------

    async def log_state(self) -> LogState:
        """How far the audit log has come."""
        return await self._audit.state()

    async def carriers(self) -> list[CarrierState]:
        """Every way to wake phones."""
        return await self._notices.carriers()

    # --- reports -----------------------------------------------------------------------------------

    async def reports(self) -> list[Reported]:
        """The latest reports, each with its person masked."""
        return await self._db.scan(self._reports)

    def _reports(self) -> Step[list[Reported]]:
        uses = yield from self._approvals.reported(count=REPORTS_SHOWN)
        persons = {}
        for use in uses:
            if use.person not in persons:
                identity = yield from self._people.get_identity(use.person)
                persons[use.person] = identity.masked
        return [Reported(use, persons[use.person]) for use in uses]

    async def reveal(self, record: str, *, actor: Actor, reason: str) -> Revealed:
        """Whose reported use it was; the person reads who looked and why.

        Raises:
            RecordNotFound: no reported use has this id.
            RevealReasonRefused, MyNumberRefused: see :meth:`inkan.people.People.reveal`.
        """
        use = await self._db.read(self._approvals.reported_use, record)
        identity = await self._people.reveal(use.person, actor=actor, reason=reason)
        return Revealed(use, identity)


def _dead() -> Step[Sequence[Row]]:
    return (yield from dead_jobs(limit=DEAD_SHOWN))
