"""Long polls: an answer that may take minutes, and that nobody may want any more by then.

A waiter ends by its event, by the sender's going away, or by the server's own end, whichever is first, so
that neither a dead connection nor a stopping process keeps one.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from inkan.web.exchange import Exchange

T = TypeVar("T")


async def while_open(exchange: Exchange, waiting: Coroutine[Any, Any, T]) -> T | None:
    """Await ``waiting`` and return its value; None when the sender left or the server stops before it.

    The coroutine is cancelled in those cases, so its ``finally`` is the place to give up a subscription.
    """
    wanted = asyncio.ensure_future(waiting)
    gone = asyncio.ensure_future(exchange.wait_until_gone())
    leave = gone.cancel  # the server's end is as good as the sender's
    exchange.site.closing.hear(leave)
    try:
        await asyncio.wait({wanted, gone}, return_when=asyncio.FIRST_COMPLETED)
        return wanted.result() if wanted.done() else None
    finally:
        exchange.site.closing.forget(leave)
        for task in (wanted, gone):
            task.cancel()
        await asyncio.gather(wanted, gone, return_exceptions=True)
