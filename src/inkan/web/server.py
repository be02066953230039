"""The HTTP server: uvicorn on loopback, with the deadlines that it lacks.

uvicorn waits for ever for the rest of a half-sent request and for a reader that does not read (measured:
500 half-sent requests were all alive after 20 s). The protocol here gives every phase a deadline and every
head a size, costs nothing for a request that arrives in one piece, and answers its own refusals in the
platform's form.
"""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import Enum
from functools import partial
from http import HTTPStatus
from typing import Any, Final

import msgspec
import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from inkan.kernel.errors import Conflict, InkanError, Malformed, TooLarge, Unavailable
from inkan.web import headers
from inkan.web.asgi import RawHeaders
from inkan.web.hosts import Hosted
from inkan.web.log import get_logger
from inkan.web.problems import PROBLEM

_log = get_logger("inkan.web.server")


class AddressTaken(Conflict):
    """Another program listens on the address, or it is not one of this machine."""

    code = "address_taken"
    title = "The address cannot be listened on"
    public = ("host", "port")


class HeadTooLarge(TooLarge):
    """The request line and headers exceed their limit."""

    code = "head_too_large"
    title = "The headers of the request are larger than allowed"


class RequestTooSlow(Unavailable):
    """The request did not arrive within its deadline."""

    code = "request_too_slow"
    title = "The request did not arrive in time"


class ConnectionsFull(Unavailable):
    """As many connections are open as this process serves."""

    code = "connections_full"
    title = "Too many connections are open at the moment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection may take."""

    head_s: float = 10.0
    """From the first byte (or the opening of the connection) to the end of the headers."""
    body_s: float = 60.0
    """From the end of the headers to the end of the body."""
    write_s: float = 60.0
    """How long a reader may leave an answer unread once the buffers are full."""
    idle_s: float = 75.0
    """Between two requests of a connection."""
    head_bytes: int = 32_768
    connections: int = 20_000
    backlog: int = 2_048
    """Connections that the system holds until they are taken."""


Ready = Callable[[bytes, RawHeaders], tuple[bytes, ...] | None]
"""From the target and the headers of a GET to an answer without its status line, where one is ready."""
_OK: Final = b"HTTP/1.1 200 OK\r\n"


class _Phase(Enum):
    IDLE = "idle"
    HEAD = "head"
    BODY = "body"


class DeadlineProtocol(HttpToolsProtocol):
    """One connection, with a deadline for whatever it is waiting for.

    The timer is armed only when a piece of a request is missing after the bytes that arrived, so requests
    that come whole never touch it.
    """

    def __init__(
        self, *args: Any, limits: Limits, ready: Ready | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._limits = limits
        self._ready = ready
        self._found: tuple[bytes, ...] | None = None
        self._answered = False
        self._phase = _Phase.IDLE
        self._head_bytes = 0
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._refusal: type[InkanError] = Malformed

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or refuse it when there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(ConnectionsFull)
        else:
            self._arm(self._limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._disarm()
        self._disarm_write()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then see what is still missing."""
        before = self._phase
        self._answered = False
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._phase is _Phase.IDLE and (self._answered or self._is_busy()):
            self._disarm()
        elif self._timer is None or self._phase is not before:
            is_body = self._phase is _Phase.BODY
            self._arm(self._limits.body_s if is_body else self._limits.head_s)
        # A header that never ends is buffered by the parser and not yet counted.
        self._waiting_bytes = self._waiting_bytes + len(data) if self._phase is _Phase.HEAD else 0
        if self._waiting_bytes > self._limits.head_bytes:
            self._refuse(HeadTooLarge)

    def on_message_begin(self) -> None:
        """A new request starts."""
        self._phase = _Phase.HEAD
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is there; the application starts."""
        self._phase = _Phase.BODY
        if self._ready is not None and self._is_simple():
            self._found = self._ready(self.url, self.headers)
            if self._found is not None:
                return
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is there too."""
        self._phase = _Phase.IDLE
        if self._found is None:
            super().on_message_complete()
        else:
            self._answer(self._found)

    def send_400_response(self, _: str) -> None:
        """Refuse what the parser could not read."""
        self._refuse(self._refusal)

    def pause_writing(self) -> None:
        """The reader does not keep up: from now on it has a deadline."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._limits.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The reader reads again."""
        self._disarm_write()
        super().resume_writing()

    def _is_simple(self) -> bool:
        """Whether the request is a GET of HTTP/1.1 on a connection that stays, with nothing before it."""
        parser: Any = self.parser
        return (
            parser.get_method() == b"GET"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not self._is_busy()
            and not self.pipeline
            and not self.flow.write_paused
        )

    def _answer(self, found: tuple[bytes, ...]) -> None:
        """Send what is ready, and wait for the next request as after any other."""
        self._found = None
        self._answered = True
        self.server_state.total_requests += 1
        date = [b"%s: %s\r\n" % line for line in self.server_state.default_headers]
        self.transport.write(b"".join((_OK, *date, *found)))
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > self._limits.head_bytes:
            self._refusal = HeadTooLarge
            raise ValueError(
                "the parser turns this into its own error, which ends in send_400_response"
            )

    def _is_busy(self) -> bool:
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self._expire)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _disarm_write(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _expire(self) -> None:
        self._timer = None
        if self._phase is _Phase.HEAD:
            self._refuse(RequestTooSlow)
        else:
            # An application that waits for the body hears http.disconnect.
            self.transport.close()

    def _refuse(self, refusal: type[InkanError]) -> None:
        """Answer before there is a request; never into the middle of another answer."""
        self._disarm()
        if not self._is_busy():
            self.transport.write(_REFUSALS[refusal])
        self.transport.close()


_STATUS: Final[dict[type[InkanError], HTTPStatus]] = {
    Malformed: HTTPStatus.BAD_REQUEST,
    HeadTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    RequestTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    ConnectionsFull: HTTPStatus.SERVICE_UNAVAILABLE,
}


def _refusal_bytes(refusal: type[InkanError]) -> bytes:
    status = _STATUS[refusal]
    members = {
        "type": f"urn:inkan:problem:{refusal.code}",
        "title": refusal.title,
        "status": int(status),
        "code": refusal.code,
    }
    body = msgspec.json.encode(members)
    lines = [
        (b"content-type", PROBLEM.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    headers.apply(lines, headers.API, https=False)
    head = b"".join(name + b": " + value + b"\r\n" for name, value in lines)
    start = f"HTTP/1.1 {int(status)} {status.phrase}\r\n".encode()
    return start + head + b"\r\n" + body


_REFUSALS: Final = {refusal: _refusal_bytes(refusal) for refusal in _STATUS}


class _Uvicorn(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals belong to whoever runs the process, not to one of its servers."""
        yield


class Server:
    """One listener that serves one application inside a running event loop."""

    def __init__(
        self,
        application: Hosted,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        trusted_proxies: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """``port`` 0 takes a free one; ``trusted_proxies`` are the addresses whose forwarding headers count."""
        self._application = application
        self._address = (host, port)
        limits = limits or Limits()
        config = uvicorn.Config(
            application,
            http=partial(DeadlineProtocol, limits=limits, ready=application.find_ready),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            backlog=limits.backlog,
            timeout_keep_alive=int(limits.idle_s),
        )
        config.load()
        config.ssl = tls
        self._config = config
        self._uvicorn = _Uvicorn(config)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self._address[1]

    @asynccontextmanager
    async def running(self, *, grace_s: float = 10.0) -> AsyncIterator["Server"]:
        """Serve while the context lasts; leaving it ends gracefully within ``grace_s`` seconds.

        Leaving lets long answers end, takes no new connection, waits for what is under way, then leaves
        the application's own context.

        Raises:
            AddressTaken: the address cannot be listened on.
        """
        self._config.timeout_graceful_shutdown = max(1, round(grace_s))
        listener = _listen(*self._address, backlog=self._config.backlog)
        self._address = (self._address[0], listener.getsockname()[1])
        async with self._application.running():
            self._uvicorn.lifespan = self._config.lifespan_class(self._config)
            await self._uvicorn.startup(sockets=[listener])
            ticking = asyncio.create_task(self._uvicorn.main_loop())
            try:
                yield self
            finally:
                self._application.begin_closing()
                self._uvicorn.should_exit = True
                await ticking
                await self._uvicorn.shutdown(sockets=[listener])


def _listen(host: str, port: int, *, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sets TCP_NODELAY only then; without it each answer waits for an ACK (40 ms).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise AddressTaken(f"{host}:{port}", host=host, port=port) from None
    listener.setblocking(False)  # noqa: FBT003
    return listener


def run(server: Server, *, ready: Callable[[Server], None] | None = None) -> None:
    """Serve until SIGINT or SIGTERM, on uvloop; ``ready`` is called once it listens.

    Raises:
        AddressTaken: the address cannot be listened on.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_until_signal(server, ready))


async def _serve_until_signal(server: Server, ready: Callable[[Server], None] | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with server.running():
        _log.info("listening", port=server.port)
        if ready is not None:
            ready(server)
        await stop.wait()
    _log.info("stopped")
