"""A running instance: the platform, its background work and its HTTP application."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from inkan.composition import sandboxes
from inkan.composition.events import handlers, schedules
from inkan.composition.platform import Platform, compose
from inkan.composition.routes import application
from inkan.composition.settings import Settings
from inkan.kernel.clock import Clock
from inkan.store.outbox import Outbox
from inkan.store.schedules import Schedules
from inkan.web.app import Application


class Running:
    """An instance at work.

    Attributes:
        application: the ASGI application.
        outbox, schedules: the background work; the demo runs what is due after a leap of its clock.
    """

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.outbox = Outbox(platform.db, handlers(platform))
        self.schedules = Schedules(platform.db, schedules(platform))
        self.application: Application = application(platform)

    async def catch_up(self) -> None:
        """Do now whatever is due: after the clock leapt, or before a check that must see it done."""
        await self.schedules.run_due()
        await self.outbox.run_due()

    def listening(self, *, port: int, host: str = "127.0.0.1") -> AbstractAsyncContextManager[None]:
        """To be entered while the application is served there; see :func:`sandboxes.listening`."""
        return sandboxes.listening(
            self.platform.sandbox, host=host, port=port, catch_up=self.catch_up
        )


@asynccontextmanager
async def running(settings: Settings, *, clock: Clock | None = None) -> AsyncIterator[Running]:
    """Compose an instance and keep its background work going until the block ends."""
    async with compose(settings, clock=clock) as platform:
        instance = Running(platform)
        async with background(
            instance.outbox.run(), instance.schedules.run(), platform.pki.follow()
        ):
            yield instance


@asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines that never end beside the block, and cancel them at its end.

    One that dies takes the block with it: an instance without its outbox must not look alive. Its failure
    is what the caller hears; a failure of the block itself comes first.
    """
    owner = asyncio.current_task()
    tasks = [asyncio.ensure_future(each) for each in work]
    dead: list[asyncio.Future[None]] = []

    def end(task: asyncio.Future[None]) -> None:
        dead.append(task)
        if len(dead) == 1 and owner is not None:
            owner.cancel()

    for task in tasks:
        task.add_done_callback(end)
    try:
        yield
    except asyncio.CancelledError:
        if not dead or owner is None or owner.uncancel() > 0:
            raise
    finally:
        for task in tasks:
            task.remove_done_callback(end)
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    _raise_first(ends, ended_early=bool(dead))


def _raise_first(ends: Sequence[BaseException | None], *, ended_early: bool) -> None:
    for failure in ends:
        if isinstance(failure, Exception):
            raise failure
    if ended_early:
        raise RuntimeError("background work ended, which it never does")
