"""Bare connections to a server, and endpoints whose end a test decides."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.server import Limits, Server
from inkan.web.sse import ServerEvent, event_stream

HOST = b"host: id.localhost:8480\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
SHORT = Limits(head_s=0.8, body_s=0.8, write_s=0.5, idle_s=1.0)


class Gate:
    """Endpoints whose end a test decides."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.leave = asyncio.Event()
        self.read: list[bytes] = []

    async def hello(self, _: Exchange) -> Response:
        return ok("hello")

    async def wait(self, _: Exchange) -> Response:
        self.entered.set()
        await self.leave.wait()
        return ok("late")

    async def take(self, exchange: Exchange) -> Response:
        self.read.append(await exchange.body())
        return ok(len(self.read[-1]))

    async def refuse(self, _: Exchange) -> Response:
        return Response(HTTPStatus.FORBIDDEN)

    async def flood(self, _: Exchange) -> Response:
        return Response(HTTPStatus.OK, b"x" * 50_000_000)

    async def stream(self, exchange: Exchange) -> Response:
        async def events() -> AsyncGenerator[ServerEvent, None]:
            self.entered.set()
            await asyncio.Event().wait()
            yield ServerEvent("never")

        return event_stream(exchange, events())

    def group(self) -> Group:
        def bare(endpoint: Any) -> Bare:
            return Bare(endpoint=endpoint, access=open_to_all("a test"), body_limit=1_000_000)

        return Group(
            surface=Surface.API,
            bare={
                ("GET", "/"): bare(self.hello),
                ("GET", "/wait"): bare(self.wait),
                ("GET", "/flood"): bare(self.flood),
                ("GET", "/stream"): bare(self.stream),
                ("POST", "/take"): bare(self.take),
                ("GET", "/refuse"): bare(self.refuse),
            },
        )


class Wire:
    """A bare connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self) -> tuple[int, dict[str, str], bytes]:
        """One whole answer."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return int(head[0].split()[1]), headers, body

    async def hear_end(self) -> bytes:
        """Whatever still comes, until the server hangs up."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""


@asynccontextmanager
async def connected(server: Server) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(20):
            yield Wire(reader, writer)
    finally:
        writer.close()
