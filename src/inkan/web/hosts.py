"""Which site a request is for, by its Host header and nothing else.

The demo serves several applications on one address; each keeps its own sites, database and keys, and this
is all that they share. A host that nobody serves is refused (421), so no answer ever depends on a name
that a stranger made up.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from inkan.web.asgi import RawHeaders, Receive, Scope, Send

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class Served(Protocol):
    """What a server runs: an ASGI application that can be told to come to an end."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""

    def begin_closing(self) -> None:
        """Let long answers end."""


class Hosted(Served, Protocol):
    """An application that knows its hosts."""

    @property
    def authorities(self) -> frozenset[str]:
        """The values of ``Host`` that it answers to."""

    def find_ready(self, target: bytes, headers: RawHeaders) -> tuple[bytes, ...] | None:
        """An answer to a GET that was kept as it was sent before, or None; see :mod:`inkan.web.ready`."""

    def running(self) -> AbstractAsyncContextManager[Any]:
        """What has to be up while it serves."""


class Hosts:
    """Several applications on one listener."""

    def __init__(self, applications: Sequence[Hosted]) -> None:
        """Raises ValueError when two applications claim one host, or there is none."""
        self._applications = tuple(applications)
        self._by_authority = {name: app for app in applications for name in app.authorities}
        if not applications or len(self._by_authority) != sum(
            len(app.authorities) for app in applications
        ):
            raise ValueError("every host belongs to exactly one application")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the application of its host; any of them refuses an unknown one."""
        if scope["type"] == "lifespan":
            await serve_lifespan(self.running(), receive, send)
            return
        application = self._by_authority.get(host_of(scope), self._applications[0])
        await application(scope, receive, send)

    def find_ready(self, target: bytes, headers: RawHeaders) -> tuple[bytes, ...] | None:
        """See :class:`Hosted`."""
        application = self._by_authority.get(host_of({"headers": headers}))
        return application.find_ready(target, headers) if application is not None else None

    @property
    def authorities(self) -> frozenset[str]:
        """The hosts of all of them."""
        return frozenset(self._by_authority)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All of them up, in order."""
        async with AsyncExitStack() as stack:
            for application in self._applications:
                await stack.enter_async_context(application.running())
            yield

    def begin_closing(self) -> None:
        """Let the long answers of all of them end."""
        for application in self._applications:
            application.begin_closing()


def host_of(scope: Scope) -> str:
    """The Host of a request in lower case; empty when there is none."""
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1")).lower()
    return ""


def authorities(origin: str) -> tuple[str, ...]:
    """The spellings of ``Host`` for an origin: with and without its default port (RFC 9110 §4.2.3).

    Raises:
        ValueError: not an origin (scheme, host, optional port; nothing else).
    """
    parts = urlsplit(origin)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    if port is None or not parts.hostname or origin != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{origin} is not an origin")
    with_port = f"{parts.hostname}:{port}"
    is_default = port == _DEFAULT_PORTS.get(parts.scheme)
    return (parts.hostname, with_port) if is_default else (with_port,)


async def serve_lifespan(
    running: AbstractAsyncContextManager[Any], receive: Receive, send: Send
) -> None:
    """Speak the ASGI lifespan protocol around a context manager."""
    await receive()
    phase = "startup"
    try:
        async with running:
            phase = "shutdown"
            await send({"type": "lifespan.startup.complete"})
            await receive()
    except BaseException:
        await send({"type": f"lifespan.{phase}.failed", "message": ""})
        raise
    await send({"type": "lifespan.shutdown.complete"})
