"""The reference phone follows its event stream over a real connection, until it may not any more."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from inkan.client import AsyncTransport, Phone
from inkan.client.exchange import CallRefused, PlatformUnreachable
from inkan.client.http import ListenerConnections
from inkan.client.phone_hints import Hint
from inkan.notices import NewsTexts
from inkan.store.connect import database as database_of
from inkan.web.server import Server
from support.clock import StandingClock
from support.world import CLERK, World, world_on

TEXTS = NewsTexts(en="Closed on Monday", ja="月曜日は休み", zh_hant="週一公休")


@pytest.fixture
async def served(
    sqlite_url: str, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[tuple[World, Phone]]:
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(world_on(db, clock, tmp_path))
        server = await stack.enter_async_context(
            Server(world.instance.application).running(grace_s=1)
        )
        connections = ListenerConnections("127.0.0.1", server.port)
        world.transport = await stack.enter_async_context(AsyncTransport(connections))
        yield world, await world.bind("chen")
    await db.close()


async def test_it_hears_news_and_its_own_end(served: tuple[World, Phone]) -> None:
    world, phone = served
    hints = phone.events()
    assert await anext(hints) == Hint(approvals=[])
    await world.platform.notices.publish_news(TEXTS, TEXTS, actor=CLERK)
    assert await anext(hints) == Hint()
    await phone.freeze()
    # The stream ends; the next one is refused.
    with pytest.raises(CallRefused) as refused:
        await anext(hints)
    assert refused.value.problem_code == "channel_proof_refused"


async def test_a_platform_that_is_gone_is_told(served: tuple[World, Phone]) -> None:
    _, phone = served
    async with AsyncTransport(ListenerConnections("127.0.0.1", 9)) as nowhere:
        phone._parts.api.transport = nowhere
        with pytest.raises(PlatformUnreachable):
            await anext(phone.events())
