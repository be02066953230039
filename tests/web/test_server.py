"""The server on a real socket: deadlines, sizes, and a stop that loses nothing."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

import pytest

from inkan.web.app import Application
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.server import AddressTaken, Limits, Server
from inkan.web.sse import ServerEvent, event_stream

Build = Callable[..., Application]
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


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def serving(build: Build, gate: Gate) -> Callable[..., Any]:
    @asynccontextmanager
    async def serve(limits: Limits | None = None, **options: Any) -> AsyncIterator[Server]:
        application = build(gate.group(), origin="http://id.localhost:8480")
        async with Server(application, limits=limits).running(**options) as server:
            yield server

    return serve


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


async def test_a_request_is_answered_with_all_headers(serving: Any) -> None:
    async with serving() as server, connected(server) as wire:
        for _ in range(2):
            await wire.say(GET + b"\r\n")
            status, headers, body = await wire.hear()
            assert (status, body) == (200, b'"hello"')
            assert headers["x-content-type-options"] == "nosniff"
            assert "server" not in headers
            assert "date" in headers


# --- deadlines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "half",
    [
        b"G",
        b"GET / HT",
        GET,
        GET + b"x-a: " + b"b" * 100,
        b"POST /take HTTP/1.1\r\n" + HOST + b"content-length: 5\r\n",
    ],
)
async def test_a_half_sent_head_is_not_kept(serving: Any, half: bytes) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        await wire.say(half)
        assert (await wire.hear())[0] == 408
        assert await wire.hear_end() == b""


async def test_dribbling_does_not_move_the_deadline(serving: Any) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        started = asyncio.get_running_loop().time()
        await wire.say(GET)
        with suppress(ConnectionError):
            while not wire.reader.at_eof():
                await wire.say(b"x: y\r\n")
                await asyncio.sleep(0.02)
        assert asyncio.get_running_loop().time() - started < 5


async def test_a_silent_connection_is_closed_without_a_word(serving: Any) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        assert await wire.hear_end() == b""


async def test_many_half_sent_requests_leave_room_for_a_whole_one(serving: Any) -> None:
    async with serving(SHORT) as server:
        wires = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(200)]
        for _, writer in wires:
            writer.write(GET)
        async with connected(server) as wire:
            await wire.say(GET + b"\r\n")
            assert (await wire.hear())[0] == 200
        async with asyncio.timeout(20):
            ends = await asyncio.gather(*(reader.read() for reader, _ in wires))
        assert all(not end or end.startswith(b"HTTP/1.1 408 ") for end in ends)
        for _, writer in wires:
            writer.close()
        assert len(server._uvicorn.server_state.connections) <= 1


async def test_a_half_sent_body_is_not_kept(serving: Any, gate: Gate) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        await wire.say(b"POST /take HTTP/1.1\r\n" + HOST + b"content-length: 10\r\n\r\nhalf")
        assert await wire.hear_end() == b""
    assert gate.read == []


async def test_a_slow_body_has_its_own_deadline(serving: Any, gate: Gate) -> None:
    limits = Limits(head_s=0.2, body_s=10)
    async with serving(limits) as server, connected(server) as wire:
        await wire.say(b"POST /take HTTP/1.1\r\n" + HOST + b"content-length: 4\r\n\r\n")
        for byte in (b"a", b"b", b"c", b"d"):
            await asyncio.sleep(0.1)
            await wire.say(byte)
        assert (await wire.hear())[0] == 200
    assert gate.read == [b"abcd"]


async def test_a_body_that_nobody_reads_is_not_kept(serving: Any) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        await wire.say(b"GET /refuse HTTP/1.1\r\n" + HOST + b"content-length: 10\r\n\r\nhalf")
        assert (await wire.hear())[0] == 403
        assert await wire.hear_end() == b""


async def test_stray_bytes_between_requests_do_not_hold_a_connection(serving: Any) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        await wire.say(GET + b"\r\n")
        await wire.hear()
        await wire.say(b"\r\n")
        assert await wire.hear_end() == b""


async def test_an_idle_connection_is_closed(serving: Any) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        await wire.say(GET + b"\r\n")
        await wire.hear()
        assert await wire.hear_end() == b""


async def test_a_reader_that_does_not_read_is_dropped(serving: Any) -> None:
    async with serving(SHORT) as server:
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(peer, ("127.0.0.1", server.port))
            await loop.sock_sendall(peer, b"GET /flood HTTP/1.1\r\n" + HOST + b"\r\n")
            await asyncio.sleep(SHORT.write_s + 0.3)
            heard = 0
            async with asyncio.timeout(10):
                with suppress(ConnectionError):
                    while piece := await loop.sock_recv(peer, 1 << 20):
                        heard += len(piece)
    assert heard < 50_000_000, "the rest was never sent"


async def test_a_long_answer_has_no_deadline(serving: Any, gate: Gate) -> None:
    async with serving(SHORT) as server, connected(server) as wire:
        await wire.say(b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n")
        await asyncio.sleep(1.2)
        gate.leave.set()
        assert (await wire.hear())[2] == b'"late"'


# --- sizes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head",
    [
        GET + b"x: " + b"y" * 40_000 + b"\r\n\r\n",
        GET + b"".join(b"x%d: y\r\n" % n for n in range(5_000)) + b"\r\n",
        b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /?" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
@pytest.mark.parametrize("chunk", [1 << 20, 1_000])
async def test_a_head_has_a_size(serving: Any, head: bytes, chunk: int) -> None:
    async with serving() as server, connected(server) as wire:
        with suppress(ConnectionError):
            for start in range(0, len(head), chunk):
                await wire.say(head[start : start + chunk])
        status, headers, body = await wire.hear()
        assert (status, json.loads(body)["code"]) == (431, "head_too_large")
        assert headers["content-type"] == "application/problem+json"


async def test_a_large_body_is_no_large_head(serving: Any, gate: Gate) -> None:
    body = b"b" * 500_000
    async with serving() as server, connected(server) as wire:
        head = b"POST /take HTTP/1.1\r\n" + HOST + b"content-length: 500000\r\n\r\n"
        for _ in range(2):
            await wire.say(head + body)
            assert (await wire.hear())[0] == 200
    assert gate.read == [body, body]


async def test_what_is_no_http_is_refused_in_our_form(serving: Any) -> None:
    async with serving() as server, connected(server) as wire:
        await wire.say(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
        status, headers, body = await wire.hear()
        assert (status, json.loads(body)["code"]) == (400, "malformed")
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["connection"] == "close"


async def test_connections_have_a_number(serving: Any) -> None:
    limits = Limits(connections=2)
    async with serving(limits) as server, connected(server) as first, connected(server):
        async with connected(server) as third:
            status, _, body = await third.hear()
            assert (status, json.loads(body)["code"]) == (503, "connections_full")
        await first.say(GET + b"\r\n")
        assert (await first.hear())[0] == 200


# --- the end ----------------------------------------------------------------------------------------


async def test_a_stop_ends_streams_and_finishes_requests(build: Build, gate: Gate) -> None:
    application = build(gate.group(), origin="http://id.localhost:8480")
    running = Server(application).running(grace_s=10)
    server = await running.__aenter__()
    started = asyncio.get_running_loop().time()
    async with connected(server) as stream, connected(server) as wire, connected(server) as idle:
        await stream.say(b"GET /stream HTTP/1.1\r\n" + HOST + b"\r\n")
        await gate.entered.wait()
        gate.entered.clear()
        await wire.say(b"GET /wait HTTP/1.1\r\n" + HOST + b"\r\n")
        await gate.entered.wait()
        asyncio.get_running_loop().call_later(0.3, gate.leave.set)
        stopping = asyncio.create_task(running.__aexit__(None, None, None))
        assert (await wire.hear())[2] == b'"late"'
        assert (await stream.hear_end()).endswith(b"0\r\n\r\n"), "the stream ends in order"
        assert await idle.hear_end() == b""
        await stopping
    assert asyncio.get_running_loop().time() - started < 8
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", server.port)


async def test_a_taken_address_is_named(build: Build) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressTaken) as refused:
            async with Server(build(), port=port).running():
                pass
    assert refused.value.public_facts == {"host": "127.0.0.1", "port": port}
    with pytest.raises(AddressTaken):
        async with Server(build(), host="192.0.2.1").running():
            pass


async def test_a_port_is_free_again_at_once(build: Build) -> None:
    port = 0
    for _ in range(2):
        async with Server(build(), port=port).running() as server:
            port = server.port
            async with connected(server) as wire:
                await wire.say(b"GET / HTTP/1.1\r\nhost: id.example\r\n\r\n")
                assert (await wire.hear())[0] == 404


FOREIGN = b"GET / HTTP/1.1\r\nhost: id.localhost:8480\r\nx-forwarded-for: 203.0.113.9\r\n\r\n"


@pytest.mark.parametrize(("trusted", "seen"), [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.9")])
async def test_only_a_trusted_proxy_speaks_for_others(
    build: Build, trusted: tuple[str, ...], seen: str
) -> None:
    async def where(exchange: Exchange) -> Response:
        return ok(exchange.scope["client"][0])

    bare = {("GET", "/"): Bare(endpoint=where, access=open_to_all("a test"))}
    application = build(Group(surface=Surface.API, bare=bare), origin="http://id.localhost:8480")
    listener = Server(application, trusted_proxies=trusted).running()
    async with listener as server, connected(server) as wire:
        await wire.say(FOREIGN)
        assert json.loads((await wire.hear())[2]) == seen


PROGRAM = """
import sys
from inkan.web import log
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.web.app import Equipment, Site, build_app
from inkan.web.server import Server, run
log.configure(Clock(), sink=sys.stderr.buffer)
site = Site(name="x", origin="http://id.localhost", groups=[])
application = build_app([site], Equipment(clock=Clock(), csrf_key=Secret(b"k" * 32)))
run(Server(application), ready=lambda server: print(server.port, flush=True))
print("stopped")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_process_serves_until_its_signal(number: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        port = int((await process.stdout.readline()).split()[0])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /nosuch HTTP/1.1\r\nhost: id.localhost\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 404")
        process.send_signal(number)
        rest = await process.stdout.read()
        assert await process.wait() == 0
        writer.close()
    assert b"stopped" in rest
