"""The server's end reaches whoever left a call, and nobody who took it back."""

import asyncio
from typing import Any

import pytest

from inkan.web.closing import Closing
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.waiting import while_open
from support.asgi import Client


async def test_calls_and_waiters_hear_of_the_end() -> None:
    closing, heard = Closing(), []
    closing.hear(lambda: heard.append("stays"))
    gone = lambda: heard.append("gone")  # noqa: E731 - it is named to be taken back
    closing.hear(gone)
    closing.forget(gone)
    closing.forget(gone)
    assert heard == []
    waiting = asyncio.ensure_future(closing.wait())
    closing.set()
    assert await waiting
    assert heard == ["stays"]


async def test_who_comes_late_hears_at_once() -> None:
    closing, heard = Closing(), []
    closing.set()
    closing.hear(lambda: heard.append("late"))
    assert heard == ["late"]


@pytest.mark.parametrize("fails", [False, True])
async def test_an_answer_that_has_ended_leaves_nothing_behind(build: Any, *, fails: bool) -> None:
    async def end() -> str:
        await asyncio.sleep(0)
        if fails:
            raise ZeroDivisionError
        return "x"

    async def endpoint(exchange: Exchange) -> Response:
        return ok(await while_open(exchange, end()))

    bare = {("GET", "/"): Bare(endpoint=endpoint, access=open_to_all("a test"))}
    application = build(Group(surface=Surface.API, bare=bare))
    await Client(application, "https://id.example").get("/")
    assert not application._nowhere.closing._calls
