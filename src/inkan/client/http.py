"""The transports that carry conversations over HTTP: one that awaits, one that blocks.

Names under ``localhost`` connect to 127.0.0.1 and keep their Host header (RFC 6761 §6.3 leaves them to the
loopback, but resolvers do not agree on it), so that a whole country runs on one machine. Redirects are never
followed and no proxy is taken from the environment: an API answers where it was asked, and a credential must
not travel elsewhere. Bodies are asked for uncompressed and counted while they arrive.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import cache, partial
from http import HTTPStatus
from typing import Final, Self, TypeAlias, TypeVar, cast

import httpx

from inkan.client.exchange import (
    Answer,
    AnswerTooLarge,
    Conversation,
    Pause,
    PlatformTimeout,
    PlatformUnreachable,
    Request,
    verify_success,
)
from inkan.kernel.errors import InkanError

T = TypeVar("T")
_Resume: TypeAlias = Callable[[], Request | Pause]
LOOPBACK: Final = "127.0.0.1"
CONNECT_TIMEOUT_S: Final = 5.0
USER_AGENT: Final = "inkan-client"
PROBLEM_LIMIT: Final = 64 * 1024
# Every waiting session holds a connection, so their number has no bound here; idle ones are given up before servers,
# which mostly wait five seconds, close them under a request.
_POOL: Final = httpx.Limits(
    max_connections=None, max_keepalive_connections=100, keepalive_expiry=4.0
)


def _to_loopback(request: httpx.Request) -> httpx.Request:
    """The same request; its connection goes to 127.0.0.1 when its host is a name under localhost."""
    host = request.url.host
    if host != "localhost" and not host.endswith(".localhost"):
        return request
    return httpx.Request(
        request.method,
        request.url.copy_with(host=LOOPBACK),
        headers=request.headers,  # the Host of the original URL among them
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )


class AsyncConnections(httpx.AsyncHTTPTransport):
    """Pooled connections of an event loop, with the rule for ``localhost``."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is still to be read."""
        return await super().handle_async_request(_to_loopback(request))


class ListenerConnections(httpx.AsyncHTTPTransport):
    """Pooled connections of an event loop to one listener, whatever origin is named; the Host header stays.

    For a phone beside the platform: behind a proxy the platform's origin need not be reachable from its own machine.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__(verify=False, trust_env=False, limits=_POOL)
        self._host = host
        self._port = port

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request to the listener."""
        url = request.url.copy_with(scheme="http", host=self._host, port=self._port)
        return await super().handle_async_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )


class Connections(httpx.HTTPTransport):
    """Pooled connections of threads, with the rule for ``localhost``."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; the answer's body is still to be read."""
        return super().handle_request(_to_loopback(request))


@cache
def _default_tls() -> ssl.SSLContext:
    """The usual trust in web servers; made once, because loading the roots takes long."""
    return httpx.create_ssl_context(trust_env=False)


class AsyncTransport:
    """Carries requests from an event loop.

    Args:
        connections: something else than the network (an application in this process).
        tls: which servers are trusted over https.
    """

    def __init__(
        self,
        connections: httpx.AsyncBaseTransport | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._connections = connections or AsyncConnections(
            verify=tls or _default_tls(), trust_env=False, limits=_POOL
        )

    async def send(self, request: Request) -> Answer:
        """Return the answer of any status.

        Raises:
            PlatformUnreachable: no connection, or it broke.
            PlatformTimeout: no bytes for ``request.timeout_s``.
            AnswerTooLarge: more than ``request.limit`` bytes.
        """
        async with self._open(request) as response:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                _verify_size(body, request)
        return _answer(response, bytes(body))

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[AsyncIterator[bytes]]:
        """Send a request and hand out the body as it arrives; refusals as :meth:`send`.

        Raises:
            CallRefused: an answer of another status than 200.
        """
        async with self._open(request) as response:
            if response.status_code != HTTPStatus.OK:
                body = await anext(response.aiter_raw(PROBLEM_LIMIT), b"")
                verify_success(_answer(response, body))
            yield response.aiter_raw()

    @asynccontextmanager
    async def _open(self, request: Request) -> AsyncIterator[httpx.Response]:
        with _translated():
            response = await self._connections.handle_async_request(_sent(request))
            try:
                yield response
            finally:
                await response.aclose()

    async def run(self, conversation: Conversation[T]) -> T:
        """Carry a whole conversation and return its result; what fails is thrown into it first."""
        resume: _Resume = partial(conversation.send, None)
        while True:
            try:
                wish = resume()
            except StopIteration as end:
                return cast("T", end.value)
            resume = await self._fulfil(wish, conversation)

    async def _fulfil(self, wish: Request | Pause, conversation: Conversation[T]) -> _Resume:
        try:
            if isinstance(wish, Request):
                return partial(conversation.send, await self.send(wish))
            await asyncio.sleep(wish.seconds)
        except InkanError as refusal:
            return partial(conversation.throw, refusal)
        return partial(conversation.send, None)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connections.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class SyncTransport:
    """Carries requests from a thread; several threads may share it.

    Args:
        connections: something else than the network (an application in this process).
        tls: which servers are trusted over https.
    """

    def __init__(
        self,
        connections: httpx.BaseTransport | None = None,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._connections = connections or Connections(
            verify=tls or _default_tls(), trust_env=False, limits=_POOL
        )

    def send(self, request: Request) -> Answer:
        """Return the answer of any status; refusals as :meth:`AsyncTransport.send`."""
        with self._open(request) as response:
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                _verify_size(body, request)
        return _answer(response, bytes(body))

    @contextmanager
    def stream(self, request: Request) -> Iterator[Iterator[bytes]]:
        """Send a request and hand out the body as it arrives; refusals as :meth:`AsyncTransport.stream`."""
        with self._open(request) as response:
            if response.status_code != HTTPStatus.OK:
                body = next(response.iter_raw(PROBLEM_LIMIT), b"")
                verify_success(_answer(response, body))
            yield response.iter_raw()

    @contextmanager
    def _open(self, request: Request) -> Iterator[httpx.Response]:
        with _translated():
            response = self._connections.handle_request(_sent(request))
            try:
                yield response
            finally:
                response.close()

    def run(self, conversation: Conversation[T]) -> T:
        """Carry a whole conversation and return its result; what fails is thrown into it first."""
        resume: _Resume = partial(conversation.send, None)
        while True:
            try:
                wish = resume()
            except StopIteration as end:
                return cast("T", end.value)
            resume = self._fulfil(wish, conversation)

    def _fulfil(self, wish: Request | Pause, conversation: Conversation[T]) -> _Resume:
        try:
            if isinstance(wish, Request):
                return partial(conversation.send, self.send(wish))
            time.sleep(wish.seconds)
        except InkanError as refusal:
            return partial(conversation.throw, refusal)
        return partial(conversation.send, None)

    def close(self) -> None:
        """Close all connections."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _sent(request: Request) -> httpx.Request:
    timeout = httpx.Timeout(request.timeout_s, connect=CONNECT_TIMEOUT_S)
    headers = {"user-agent": USER_AGENT, "accept-encoding": "identity", **request.headers}
    return httpx.Request(
        request.method,
        request.url,
        headers=headers,
        content=request.body,
        extensions={"timeout": timeout.as_dict()},
    )


def _answer(response: httpx.Response, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, body=body)


def _verify_size(body: bytearray, request: Request) -> None:
    if len(body) > request.limit:
        raise AnswerTooLarge(limit_bytes=request.limit)


@contextmanager
def _translated() -> Generator[None]:
    """Turn the transport's exceptions into ours."""
    try:
        yield
    except httpx.TimeoutException as error:
        raise PlatformTimeout(type(error).__name__) from None
    except httpx.TransportError as error:
        raise PlatformUnreachable(str(error) or type(error).__name__) from None
