"""Deadlines on a real socket: nobody holds a connection by sending or reading slowly."""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import pytest

from inkan.web.server import Limits
from web.wires import GET, HOST, SHORT, Gate, connected


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
