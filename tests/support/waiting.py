"""Waiting for what another task, thread or process does, without sleeping for luck."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

PATIENCE_S = 20.0
STEP_S = 0.002


async def eventually(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Return as soon as the condition holds; fail when it does not within twenty seconds."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            holds = condition()
            if (await holds) if inspect.isawaitable(holds) else holds:
                return
            await asyncio.sleep(STEP_S)
