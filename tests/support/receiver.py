"""A receiver of jobs for tests of the outbox, and a worker beside a test."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from inkan.store.database import Database
from inkan.store.outbox import Handler, Job, Outbox, depth


class Receiver:
    """Keeps what was delivered; refuses, or waits, as a test asks."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.fail: Callable[[Job], Exception | None] = lambda _: None
        self.gate = asyncio.Event()
        self.gate.set()
        self.now = 0
        self.most = 0

    async def deliver(self, job: Job) -> None:
        self.jobs.append(job)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.gate.wait()
            if failure := self.fail(job):
                raise failure
        finally:
            self.now -= 1

    def handler(self, **settings: Any) -> Handler:
        return Handler(self.deliver, **settings)


@asynccontextmanager
async def running(outbox: Outbox) -> AsyncIterator[Outbox]:
    task = asyncio.create_task(outbox.run())
    try:
        yield outbox
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def waiting(db: Database) -> int:
    """How many jobs the table holds."""
    return int((await db.read(depth)).waiting)


async def is_empty(db: Database) -> bool:
    """Whether no job is left."""
    return await waiting(db) == 0
