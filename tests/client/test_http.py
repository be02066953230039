"""The transports against a real socket: where they connect, what they send, when they give up."""

import asyncio
import contextlib
import threading
from collections.abc import Callable

import pytest

from inkan.client import exchange
from inkan.client.exchange import (
    AnswerTooLarge,
    CallNotFound,
    Pause,
    PlatformTimeout,
    PlatformUnreachable,
    Request,
)
from inkan.client.http import AsyncTransport, SyncTransport


class Server:
    """A server in a thread that gives fixed bytes and keeps what it was sent."""

    def __init__(self, reply: Callable[[bytes], list[bytes | None]]):
        self.requests: list[bytes] = []
        self.port = 0
        self._reply = reply
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        assert not self._thread.is_alive()

    def url(self, path="/", host="id.localhost"):
        return f"http://{host}:{self.port}{path}"

    async def _run(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _serve(self, reader, writer):
        with contextlib.suppress(
            ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError
        ):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.lower().split(b"\r\n")
                        if line.startswith(b"content-length")
                    ),
                    0,
                )
                request = head + await reader.readexactly(length)
                self.requests.append(request)
                for part in self._reply(request):
                    if part is None:  # and now silence
                        await asyncio.sleep(60)
                    writer.write(part)
                    await writer.drain()
        writer.close()


def reply(body=b"{}", *, status=b"200 OK", headers=b"content-type: application/json\r\n"):
    head = b"HTTP/1.1 " + status + b"\r\n" + headers
    return head + b"content-length: " + str(len(body)).encode() + b"\r\n\r\n" + body


@pytest.fixture(params=["async", "sync"])
def send(request):
    """Send one request by either transport."""
    if request.param == "sync":
        with SyncTransport() as transport:
            yield transport.send
        return

    def by_loop(wanted):
        async def main():
            async with AsyncTransport() as transport:
                return await transport.send(wanted)

        return asyncio.run(main())

    yield by_loop


@pytest.mark.parametrize("host", ["localhost", "id.localhost", "deep.wallet.localhost"])
def test_names_under_localhost_go_to_this_machine_and_keep_their_name(send, host):
    with Server(lambda _: [reply(b'{"a":1}')]) as server:
        answer = send(
            Request(method="GET", url=server.url("/v1/x?wait=5", host), headers={"dpop": "proof"})
        )
        assert (answer.status, answer.body) == (200, b'{"a":1}')
        assert answer.headers["content-type"] == "application/json"
        [request] = server.requests
        lines = request.decode().split("\r\n")
        assert lines[0] == "GET /v1/x?wait=5 HTTP/1.1"
        assert f"host: {host}:{server.port}" in [line.lower() for line in lines]
        assert "dpop: proof" in [line.lower() for line in lines]
        assert "accept-encoding: identity" in [line.lower() for line in lines]


def test_a_name_that_only_ends_alike_is_not_this_machine(send):
    """It would have to be looked up, which the tests forbid and this machine need not answer."""
    with Server(lambda _: [reply()]) as server:
        from support.loopback import LeavesTheMachine

        with pytest.raises((LeavesTheMachine, PlatformUnreachable)):
            send(Request(method="GET", url=server.url(host="evillocalhost.example")))
        assert server.requests == []


def test_a_body_is_sent_as_it_is(send):
    with Server(lambda _: [reply(status=b"201 Created")]) as server:
        headers = {"content-type": "application/json"}
        answer = send(Request(method="POST", url=server.url(), headers=headers, body=b'{"x": 1 }'))
        assert answer.status == 201
        assert server.requests[0].endswith(b'\r\n\r\n{"x": 1 }')


def test_redirects_are_answers_and_no_commands(send):
    elsewhere = b"location: http://127.0.0.1:1/\r\n"
    with Server(lambda _: [reply(status=b"302 Found", headers=elsewhere)]) as server:
        assert send(Request(method="GET", url=server.url())).status == 302
        assert len(server.requests) == 1


def test_cookies_are_not_kept():
    with (
        Server(lambda _: [reply(headers=b"set-cookie: a=b\r\n")]) as server,
        SyncTransport() as transport,
    ):
        for _ in range(2):
            transport.send(Request(method="GET", url=server.url()))
        assert b"cookie" not in server.requests[1].lower()


def test_a_large_answer_is_cut_while_it_arrives(send):
    endless = b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n" + bytes(70_000)
    with Server(lambda _: [endless, None]) as server, pytest.raises(AnswerTooLarge):
        send(Request(method="GET", url=server.url(), limit=65_536))


def test_silence_is_a_timeout(send):
    with Server(lambda _: [None]) as server, pytest.raises(PlatformTimeout):
        send(Request(method="GET", url=server.url(), timeout_s=0.05))


def test_nobody_there_is_unreachable(send):
    with Server(lambda _: []) as server:
        url = server.url()
    with pytest.raises(PlatformUnreachable):
        send(Request(method="GET", url=url))


def test_a_broken_answer_is_unreachable(send):
    with Server(lambda _: [b"HTTP/1.1 200 OK\r\ncontent-len"]) as server:
        server._reply = lambda _: [b"garbage\r\n\r\n"]
        with pytest.raises(PlatformUnreachable):
            send(Request(method="GET", url=server.url()))


def _twice(url):
    first = yield from exchange.ask(Request(method="GET", url=url))
    yield Pause(0.001)
    second = yield from exchange.ask(Request(method="GET", url=url))
    return first.body + second.body


def _forgiving(url):
    try:
        yield from exchange.ask(Request(method="GET", url=url, timeout_s=0.05))
    except PlatformTimeout:
        return "late"


@pytest.mark.parametrize("kind", ["async", "sync"])
def test_a_conversation_is_carried_to_its_end(kind):
    with Server(lambda _: [reply(b"x")]) as server:
        assert _run(kind, _twice(server.url())) == b"xx"
    with Server(lambda _: [None]) as server:
        assert _run(kind, _forgiving(server.url())) == "late"


def _run(kind, conversation):
    if kind == "sync":
        with SyncTransport() as transport:
            return transport.run(conversation)

    async def main():
        async with AsyncTransport() as transport:
            return await transport.run(conversation)

    return asyncio.run(main())


EVENTS = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b"9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n0\r\n\r\n"
)


def test_a_stream_is_handed_out_as_it_arrives():
    async def main(url):
        async with (
            AsyncTransport() as transport,
            transport.stream(Request(method="GET", url=url)) as chunks,
        ):
            return b"".join([chunk async for chunk in chunks])

    with Server(lambda _: [EVENTS]) as server:
        assert asyncio.run(main(server.url())) == b"data: a\n\ndata: b\n\n"
        with (
            SyncTransport() as transport,
            transport.stream(Request(method="GET", url=server.url())) as chunks,
        ):
            assert b"".join(chunks) == b"data: a\n\ndata: b\n\n"


def test_a_refused_stream_says_why():
    body = b'{"code": "session_not_found"}'
    refusal = reply(
        body, status=b"404 Not Found", headers=b"content-type: application/problem+json\r\n"
    )

    async def main(url):
        async with AsyncTransport() as transport, transport.stream(Request(method="GET", url=url)):
            pass

    with Server(lambda _: [refusal]) as server:
        with pytest.raises(CallNotFound) as refused:
            asyncio.run(main(server.url()))
        assert refused.value.problem.code == "session_not_found"
        with (
            SyncTransport() as transport,
            pytest.raises(CallNotFound),
            transport.stream(Request(method="GET", url=server.url())),
        ):
            pass
