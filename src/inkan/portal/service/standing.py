"""How the instance stands, for everybody: components in one of three states, and since when it is so.

It tells the facts that ``GET /v1/status`` counts, and what an operator sees in figures, as sentences without names,
ids or causes. A look at the database is shared by all readers for some seconds.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inkan.audit import Audit
from inkan.identification import Identification
from inkan.kernel.clock import Clock
from inkan.pki import PKI
from inkan.portal.model import ComponentName, Health
from inkan.portal.rules import (
    EVENTS_WAIT,
    JOBS_WAIT,
    SESSIONS_FAIL,
    STANDING_LIFE,
    STANDING_WINDOW,
    health_of_wait,
)
from inkan.store.database import Database
from inkan.store.outbox import depth
from inkan.store.schedules import schedule_states


@dataclass(frozen=True, slots=True)
class Component:
    """One part of the instance.

    Attributes:
        since: of the fact that is told: when counting began, when the oldest waiting thing came, when the last
            list or head was signed; None where there is none.
        count: of the fact that is told: sessions, jobs, lists, events, failed works.
    """

    name: ComponentName
    health: Health
    since: datetime | None
    count: int


class Standing:
    """Looks after all components and keeps the answer for some seconds."""

    def __init__(
        self,
        *,
        db: Database,
        clock: Clock,
        audit: Audit,
        pki: PKI,
        identification: Identification,
    ) -> None:
        self._db = db
        self._clock = clock
        self._audit = audit
        self._pki = pki
        self._identification = identification
        self._turn = asyncio.Lock()
        self._kept: Sequence[Component] = ()
        self._looked: datetime | None = None
        self._at = clock.now()

    @property
    def since(self) -> datetime:
        """When this process began to count."""
        return self._identification.tally.since

    async def components(self) -> tuple[Sequence[Component], datetime]:
        """Every component, and when it was looked at."""
        async with self._turn:
            true = self._clock.wire_now()
            # A clock that was set back makes no old answer young again.
            if self._looked is None or not timedelta(0) <= true - self._looked < STANDING_LIFE:
                self._kept, self._looked = await self._look(), true
                self._at = self._clock.now()
            return self._kept, self._at

    async def _look(self) -> Sequence[Component]:
        return [
            self._sessions(),
            await self._jobs(),
            await self._lists(),
            await self._log(),
            await self._works(),
        ]

    def _sessions(self) -> Component:
        window = self._identification.tally.window(STANDING_WINDOW)
        answered = sum(door.ok + door.user for door in window.doors)
        failed = sum(door.failed for door in window.doors)
        rate = failed / (answered + failed) if failed >= SESSIONS_FAIL.least else 0.0
        health = Health.WORKING
        if rate >= SESSIONS_FAIL.slow:
            health = Health.DOWN if rate >= SESSIONS_FAIL.down else Health.SLOW
        return Component(ComponentName.SESSIONS, health, self.since, window.created)

    async def _jobs(self) -> Component:
        row = await self._db.read(depth)
        oldest = row.oldest if row.waiting else None
        health = health_of_wait(oldest, self._clock.now(), JOBS_WAIT)
        return Component(ComponentName.JOBS, health, oldest, row.waiting)

    async def _lists(self) -> Component:
        states = await self._pki.list_states()
        newest = max((each.newest for each in states if each.newest is not None), default=None)
        late = sum(each.late for each in states)
        # A change that waits is signed by the next sweep; a list past its term is missed by everybody who checks.
        health = Health.DOWN if late else Health.WORKING
        return Component(ComponentName.LISTS, health, newest, late)

    async def _log(self) -> Component:
        state = await self._audit.state()
        health = health_of_wait(state.oldest, self._clock.now(), EVENTS_WAIT)
        at = state.head.at if state.head is not None else None
        return Component(ComponentName.LOG, health, at, state.unsequenced)

    async def _works(self) -> Component:
        rows = await self._db.read(schedule_states)
        failed = [row for row in rows if row.last_error]
        ended = max((row.last_ended_at for row in rows if row.last_ended_at), default=None)
        health = Health.SLOW if failed else Health.WORKING
        return Component(ComponentName.WORKS, health, ended, len(failed))
