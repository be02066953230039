"""The worker: leases due jobs, delivers them to their handlers, writes down what became of them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from inkan.kernel.clock import MICROSECOND
from inkan.kernel.errors import InkanError, Unavailable
from inkan.kernel.ids import new_id, random_below
from inkan.store.database import Database
from inkan.store.outbox.jobs import LEASE, TOPIC, Job, Settlement, settle_and_lease

FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
LOOK: Final = timedelta(seconds=10)
"""The longest that an idle worker waits before it looks by itself."""
LINGER_S: Final = 0.005
"""How long a worker lets calls gather, so that one turn serves many."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Handler:
    """Who delivers the jobs of one kind, and how hard it tries.

    Attributes:
        deliver: returns when the job is done; anything it raises counts as a failed try. It may see a job
            twice and must do no harm then. A refusal with the fact ``retry_after_s`` is tried again no sooner.
        concurrency: how many jobs of the kind one process delivers at a time.
        tries: after so many a job is dead.
        timeout: a try is ended after this; shorter than the lease.
        life: a job that would next be tried later than this after it was enqueued is dead; None: only tries count.
    """

    deliver: Callable[[Job], Awaitable[None]]
    concurrency: int = 4
    tries: int = 12
    timeout: timedelta = timedelta(seconds=25)
    life: timedelta | None = None

    def __post_init__(self) -> None:
        if self.timeout >= LEASE:
            raise ValueError("a try must end before its lease")


class Outbox:
    """A worker. Any number may run, in any number of processes.

    Attributes:
        delivered, failed, died: how many tries succeeded, failed, and failed for good, since the start.
    """

    def __init__(self, db: Database, handlers: Mapping[str, Handler]) -> None:
        self.delivered = 0
        self.failed = 0
        self.died = 0
        self._db = db
        self._handlers = dict(handlers)
        self._lease = new_id("lse")
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()
        self._settlement = Settlement()
        self._turning = asyncio.Lock()
        self._calls = db.bus.subscribe(TOPIC)

    @property
    def running(self) -> int:
        """How many jobs are being delivered now."""
        return len(self._tasks)

    async def run(self) -> None:
        """Work until cancelled; then end the tries under way and give their jobs back."""
        async with self._calls:
            try:
                while True:
                    # A turn is never cut short: what it leased has to be started or given back
                    pause_s = await asyncio.shield(asyncio.ensure_future(self._turn_or_pause()))
                    await self._calls.wait(pause_s)
                    await asyncio.sleep(LINGER_S)
            finally:
                await self._stop()

    async def run_due(self) -> int:
        """Deliver all that is due now, and all that becomes due by it; return how many tries were made."""
        before = self.delivered + self.failed
        while True:
            await self._turn()
            if self._tasks:
                await asyncio.wait(self._tasks)
            elif not self._settlement:
                return self.delivered + self.failed - before

    async def _turn_or_pause(self) -> float:
        try:
            return await self._turn()
        except Unavailable as error:
            _log.warning("the outbox waits for the database: %s", error.code)
            return FIRST_PAUSE.total_seconds()

    async def _turn(self) -> float:
        """Settle what was delivered, lease and start what is due; return the seconds until more is."""
        async with self._turning:
            settlement, self._settlement = self._settlement, Settlement()
            free = {
                kind: handler.concurrency - self._busy[kind]
                for kind, handler in self._handlers.items()
            }
            try:
                rows, next_due = await self._db.transact(
                    settle_and_lease, settlement, lease=self._lease, free=free
                )
            except BaseException:
                self._settlement.join(settlement)
                raise
            for row in rows:
                self._start(Job(*row))
        if next_due is None:
            return LOOK.total_seconds()
        return max(0.0, min(LOOK, next_due - self._db.now()).total_seconds())

    def _start(self, job: Job) -> None:
        if job.tried > self._handlers[job.kind].tries:
            # Its last workers died over it: it shall not have the next one too
            self.died += 1
            self._settlement.dead[job.id] = "worker_died"
            return
        self._busy[job.kind] += 1
        task = asyncio.ensure_future(self._deliver(job, self._handlers[job.kind]))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, job: Job, handler: Handler) -> None:
        try:
            async with asyncio.timeout(handler.timeout.total_seconds()):
                await handler.deliver(job)
        except asyncio.CancelledError:
            self._settlement.released.append(job.id)
            raise
        except Exception as error:  # noqa: BLE001 - a handler may fail in any way
            self._fail(job, handler, error)
        else:
            self.delivered += 1
            self._settlement.delivered.append(job.id)
        finally:
            self._busy[job.kind] -= 1
            self._calls.wake()

    def _fail(self, job: Job, handler: Handler, error: Exception) -> None:
        self.failed += 1
        name = error.code if isinstance(error, InkanError) else type(error).__name__
        pause = max(pause_after(job.tried), _asked_pause(error))
        if job.tried >= handler.tries or self._outlives(job, handler, pause):
            self.died += 1
            self._settlement.dead[job.id] = name
        else:
            self._settlement.postponed[job.id] = pause
        _log.warning(
            "job %s of kind %s failed at try %d of %d: %s",
            job.id, job.kind, job.tried, handler.tries, name,
            exc_info=None if isinstance(error, InkanError) else error,
        )  # fmt: skip

    def _outlives(self, job: Job, handler: Handler, pause: timedelta) -> bool:
        """Whether the next try would come after the job's life."""
        return handler.life is not None and self._db.now() + pause > job.enqueued_at + handler.life

    async def _stop(self) -> None:
        async with self._turning:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if self._settlement:
                with suppress(Unavailable):
                    await self._db.transact(self._settlement.write, self._lease)


def _asked_pause(error: Exception) -> timedelta:
    """How long whoever refused asks to be left alone (``retry_after_s``): at most the longest pause."""
    asked = error.facts.get("retry_after_s") if isinstance(error, InkanError) else None
    return min(timedelta(seconds=asked), LONGEST_PAUSE) if isinstance(asked, int) else timedelta(0)


def pause_after(tried: int) -> timedelta:
    """The pause after a failed try: doubled each time, up to an hour, and cut by up to a half at random."""
    longest: timedelta = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tried - 1, 20))
    return longest - timedelta(microseconds=random_below(longest // MICROSECOND // 2))
