"""How often systems may call while a load test of theirs is on (TW-67)."""

from datetime import datetime, timedelta
from typing import Final

from inkan.kernel.ids import SystemID
from inkan.relying_parties.service import windows
from inkan.store.database import Database

LOOK_AGAIN: Final = timedelta(seconds=30)
"""For so long an answer is given again: a window begins and ends with this delay at most."""


class LoadRates:
    """The confirmed load test of each system that calls, looked up now and then and not at every call."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[SystemID, tuple[datetime, int | None]] = {}

    async def of(self, system: SystemID) -> int | None:
        """Requests in a minute that a confirmed load test admits now; None outside of every one."""
        now = self._db.now()
        looked_at, rate = self._known.get(system, (None, None))
        if looked_at is None or abs(now - looked_at) >= LOOK_AGAIN:
            rate = await self._db.read(windows.rate_of, system, now)
            self._known[system] = (now, rate)
        return rate
