"""The server on a real socket: sizes, a number of connections, and a stop that loses nothing."""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

import pytest

from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Surface
from inkan.web.server import AddressTaken, Limits, Server
from web.sites import Build
from web.wires import GET, HOST, Gate, connected


async def test_a_request_is_answered_with_all_headers(serving: Any) -> None:
    async with serving() as server, connected(server) as wire:
        for _ in range(2):
            await wire.say(GET + b"\r\n")
            status, headers, body = await wire.hear()
            assert (status, body) == (200, b'"hello"')
            assert headers["x-content-type-options"] == "nosniff"
            assert "server" not in headers
            assert "date" in headers


# --- sizes -----------------------------------------------------------------------------------------


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


# --- the end ---------------------------------------------------------------------------------------


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


async def test_answers_do_not_wait_for_acknowledgements(serving: Any) -> None:
    """asyncio sets TCP_NODELAY on connections whose listener names its protocol; else each answer takes 40 ms."""
    async with serving() as server:
        sockets = [s for each in server._uvicorn.servers for s in each.sockets]
    assert sockets
    assert {s.proto for s in sockets} == {socket.IPPROTO_TCP}


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
