"""Event streams: what is sent, and that every end cleans up."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.sse import ServerEvent, event_stream, last_event_id
from support.asgi import Client

ClientOf = Callable[..., Client]
ORIGIN = "https://id.example"


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (ServerEvent("a"), "data: a\n\n"),
        (ServerEvent("a\nb\r\nc"), "data: a\ndata: b\ndata: c\n\n"),
        (ServerEvent("", "gone", "7"), "id: 7\nevent: gone\ndata: \n\n"),
        (ServerEvent("印", id="se_1"), "id: se_1\ndata: 印\n\n"),
    ],
)
def test_an_event_is_its_lines(event: ServerEvent, lines: str) -> None:
    assert event.encode() == lines.encode()


@pytest.mark.parametrize("event", [ServerEvent("a", "b\nc"), ServerEvent("a", id="b\rdata: x")])
def test_an_event_cannot_hold_another(event: ServerEvent) -> None:
    with pytest.raises(ValueError, match="single lines"):
        event.encode()


class Source:
    """Events that a test gives one by one, and whether the stream has let go of it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[ServerEvent | None] = asyncio.Queue()
        self.is_closed = False

    async def events(self) -> AsyncGenerator[ServerEvent, None]:
        try:
            while (event := await self.queue.get()) is not None:
                yield event
        finally:
            self.is_closed = True


class Reader:
    """A browser that reads a stream until it leaves."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.pieces: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.status = 0
        self.ended = False
        self._asked = False

    async def read(self) -> None:
        client = Client(self.application, ORIGIN)
        scope: dict[str, Any] = {}

        async def catch(found: dict[str, Any], *_: Any) -> None:
            scope.update(found)

        client.application = catch
        await client.get("/events")
        await self.application(scope, self._receive, self._send)
        self.ended = True

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        else:
            await self.pieces.put(message.get("body", b""))


def group(source: Source, heartbeat_s: float = 30) -> Group:
    async def stream(exchange: Exchange) -> Response:
        return event_stream(exchange, source.events(), heartbeat_s=heartbeat_s)

    async def resume(exchange: Exchange) -> Response:
        return ok(last_event_id(exchange))

    a_test = open_to_all("a test")
    return Group(
        surface=Surface.API,
        bare={
            ("GET", "/events"): Bare(endpoint=stream, access=a_test),
            ("GET", "/resume"): Bare(endpoint=resume, access=a_test),
        },
    )


async def test_events_leave_as_they_come_and_the_end_is_the_end(build: Any) -> None:
    source = Source()
    reader = Reader(build(group(source)))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(reader.read())
        assert await reader.pieces.get() == b"retry: 2000\n\n"
        await source.queue.put(ServerEvent("1"))
        assert await reader.pieces.get() == b"data: 1\n\n"
        await source.queue.put(ServerEvent("2"))
        assert await reader.pieces.get() == b"data: 2\n\n"
        await source.queue.put(None)
        assert await reader.pieces.get() == b""
    assert (reader.status, reader.ended, source.is_closed) == (200, True, True)


async def test_a_quiet_stream_shows_that_it_lives(build: Any) -> None:
    source = Source()
    reader = Reader(build(group(source, heartbeat_s=0.01)))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(reader.read())
        assert [await reader.pieces.get() for _ in range(3)][1:] == [b": \n\n", b": \n\n"]
        await source.queue.put(ServerEvent("late"))
        while (piece := await reader.pieces.get()) == b": \n\n":
            pass
        assert piece == b"data: late\n\n"
        reader.left.set()
    assert source.is_closed


async def test_a_reader_that_leaves_is_let_go(build: Any) -> None:
    source = Source()
    reader = Reader(build(group(source)))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(reader.read())
        await reader.pieces.get()
        reader.left.set()
    assert (reader.ended, source.is_closed) == (True, True)


async def test_a_server_that_stops_ends_its_streams(build: Any) -> None:
    source = Source()
    application = build(group(source))
    reader = Reader(application)
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        tasks.create_task(reader.read())
        await reader.pieces.get()
        application.begin_closing()
    assert (reader.ended, source.is_closed) == (True, True)


async def test_a_stream_that_fails_breaks_off(build: Any) -> None:
    async def failing() -> AsyncGenerator[ServerEvent, None]:
        yield ServerEvent("1")
        raise ZeroDivisionError

    async def stream(exchange: Exchange) -> Response:
        return event_stream(exchange, failing())

    bare = {("GET", "/events"): Bare(endpoint=stream, access=open_to_all("a test"))}
    reader = Reader(build(Group(surface=Surface.API, bare=bare)))
    with pytest.raises(ZeroDivisionError):
        await reader.read()
    assert reader.pieces.qsize() == 2, "what was said stays said; the missing end tells the rest"


async def test_head_opens_no_stream(client: ClientOf) -> None:
    source = Source()
    reply = await client(group(source)).request("HEAD", "/events")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.header("content-type") == "text/event-stream"
    assert reply.header("x-accel-buffering") == "no"


@pytest.mark.parametrize(
    ("sent", "status", "found"),
    [(None, 200, None), ("", 200, None), ("7", 200, "7"), ("a" * 129, 400, None), ("é", 400, None)],
)
async def test_a_reader_says_where_it_stopped(
    client: ClientOf, sent: str | None, status: int, found: str | None
) -> None:
    headers = {} if sent is None else {"last-event-id": sent}
    reply = await client(group(Source())).get("/resume", headers=headers)
    assert reply.status == status
    if status == 200:
        assert reply.json() == found
