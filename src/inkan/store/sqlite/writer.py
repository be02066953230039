"""The thread that writes: it takes all bodies that wait and makes them durable by one COMMIT.

Each body runs in its own savepoint, so that one that fails neither loses nor doubles its neighbours; answers
are delivered after COMMIT, those of one drain by one call into the event loop.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, Final

from inkan.kernel.clock import Clock
from inkan.store.bus import Bus
from inkan.store.database import Step, StoreDamaged, StoreOutcomeUnknown
from inkan.store.sqlite.refusals import is_outcome_unknown, refusal_of
from inkan.store.sqlite.runner import Runner

BODIES_PER_COMMIT: Final = 256
"""Bounds how long the first body of a drain waits for its COMMIT (about 10 ms of work)."""


class Job:
    """A body on its way through the writer."""

    __slots__ = ("args", "body", "error", "future", "kwargs", "topics", "value")

    def __init__(
        self, body: Callable[..., Step[Any]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        self.body = body
        self.args = args
        self.kwargs = kwargs
        self.future: asyncio.Future[Any]
        self.value: Any = None
        self.error: BaseException | None = None
        self.topics: Sequence[str] = ()


class Writer:
    """The one thread that writes."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        clock: Clock,
        bus: Bus,
        *,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._runner = Runner(connection, clock, writes=True)
        self._execute = self._runner.execute
        self._connection = connection
        self._bus = bus
        self._loop = loop
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="inkan-store-writer", daemon=True)
        self._finished: asyncio.Future[None] = loop.create_future()
        self._failed = False

    def start(self) -> None:
        """Begin to take bodies."""
        self._thread.start()

    def submit(self, job: Job) -> asyncio.Future[Any]:
        """Queue the body; the future resolves after its COMMIT."""
        job.future = self._loop.create_future()
        self._queue.put(job)
        return job.future

    async def finish(self) -> None:
        """Work off the queue, end the thread, close the connection."""
        self._queue.put(None)
        await self._finished
        self._thread.join()

    def _work(self) -> None:
        while True:
            jobs, last = self._drain()
            if jobs:
                self._commit(jobs)
                self._to_loop(self._deliver, jobs)
            if last:
                break
        self._connection.close()
        self._to_loop(self._finished.set_result, None)

    def _drain(self) -> tuple[list[Job], bool]:
        """Return the bodies that wait now, at least one, and whether the end was asked for."""
        jobs: list[Job] = []
        job = self._queue.get()
        for _ in range(min(self._queue.qsize(), BODIES_PER_COMMIT - 1)):
            if job is None:
                break
            jobs.append(job)
            job = self._queue.get_nowait()
        if job is not None:
            jobs.append(job)
        return jobs, job is None

    def _commit(self, jobs: list[Job]) -> None:
        try:
            if len(jobs) == 1 or not self._commit_together(jobs):
                for job in jobs:
                    self._commit_alone(job)
        except sqlite3.Error as error:
            # Not even ROLLBACK works
            self._failed = True
            _refuse(jobs, partial(refusal_of, error))

    def _commit_together(self, jobs: list[Job]) -> bool:
        """Run the bodies in one transaction, each in its savepoint; False when the whole was rolled back.

        Then each has to run again, those that refused included: what they saw of their neighbours is gone.
        """
        execute = self._execute
        if not self._begin(jobs):
            return True
        try:
            for job in jobs:
                execute("SAVEPOINT body")
                self._run(job)
                if job.error is not None:
                    # Raises where a full disk has ended the transaction already, and the neighbours with it
                    execute("ROLLBACK TO body")
                execute("RELEASE body")
            execute("COMMIT")
        except sqlite3.Error as error:
            return self._roll_back(jobs, error)
        return True

    def _commit_alone(self, job: Job) -> None:
        """Run one body in a transaction of its own, which needs no savepoint."""
        if not self._begin([job]):
            return
        self._run(job)
        try:
            if job.error is None:
                self._execute("COMMIT")
            elif self._connection.in_transaction:
                self._execute("ROLLBACK")
        except sqlite3.Error as error:
            self._roll_back([job], error)

    def _begin(self, jobs: list[Job]) -> bool:
        if self._failed:
            _refuse(jobs, partial(StoreDamaged, "an earlier write did not reach the disk: restart"))
            return False
        try:
            self._execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            _refuse(jobs, partial(refusal_of, error))
            return False
        return True

    def _roll_back(self, jobs: list[Job], error: sqlite3.Error) -> bool:
        """Roll back what could not be committed; True when the bodies must not run again."""
        self._failed = is_outcome_unknown(error)
        _refuse(jobs, StoreOutcomeUnknown if self._failed else partial(refusal_of, error))
        if self._connection.in_transaction:
            self._execute("ROLLBACK")
        return self._failed

    def _run(self, job: Job) -> None:
        job.error = None
        try:
            job.value = self._runner.run(job.body, job.args, job.kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the caller
            job.error = error
        else:
            job.topics = self._runner.topics

    def _to_loop(self, callback: Callable[..., object], argument: object) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, argument)
        except RuntimeError:
            # The loop is gone, and with it whoever waited
            return

    def _deliver(self, jobs: list[Job]) -> None:
        for job in jobs:
            if job.error is None:
                self._bus.publish(job.topics)
            # Else its waiter has gone
            if not job.future.done():
                if job.error is None:
                    job.future.set_result(job.value)
                else:
                    job.future.set_exception(job.error)


def _refuse(jobs: Iterable[Job], refusal: Callable[[], Exception]) -> None:
    for job in jobs:
        job.error = refusal()
