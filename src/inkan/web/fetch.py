"""The only outgoing HTTP of the platform, built so that a stranger's address cannot reach inside (threat 16).

1. The address is ``https``, a DNS name of the public kind, without user, fragment or odd port.
2. The name is resolved once; every address that comes back is public, or the whole name is refused.
3. The connection goes to that very address, while certificate check and Host keep the name, so a second
   answer of the resolver has no effect.
4. No redirect is followed, nothing is decompressed, no proxy variable is read, and time and size end it.

The composition may admit exact loopback authorities (the demo's own apps); the list is empty in production. It
may also name authorities that are called by plain ``http``: the status services of foreign card authorities,
whose answers carry their own signatures. Steps 2 to 4 hold for them too.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

import httpx

from inkan.kernel.errors import Forbidden, Unavailable

IPAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From name and port to the addresses that DNS gives for it."""

_ADDRESS_LIMIT: Final = 2_048
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]{1,253})(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>/[A-Za-z0-9/_.~!$&'()*+,;=:@%?-]*)?"
)
_NAME: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})"
)
_SPECIAL_NAMES: Final = (
    "alt",
    "arpa",
    "example",
    "internal",
    "invalid",
    "lan",
    "local",
    "localhost",
    "onion",
    "test",
)
"""Names that are not the public DNS (RFC 6761, RFC 9476, ICANN's ``internal``)."""

_REFUSED_V4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
"""IANA IPv4 special-purpose registry, multicast, and one cloud's metadata address on a public number."""

_PUBLIC_V6: Final = IPv6Network("2000::/3")
_REFUSED_V6: Final = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",
            "2001:db8::/32",
            "2002::/16",
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
"""Within global unicast: protocol assignments with Teredo, documentation, 6to4, AS112.

What lies outside 2000::/3 is refused altogether: loopback, mapped and translated IPv4, unique local,
link-local, multicast.
"""


class TargetRefused(Forbidden):
    """The address is not one that the platform calls."""

    code = "fetch_target_refused"
    title = "This address is not called from here"


class FetchFailed(Unavailable):
    """The other side could not be reached, or did not answer in time."""

    code = "fetch_failed"
    title = "The other side did not answer"


class AnswerRefused(Unavailable):
    """The other side answered with more than was asked for, or in an encoding that is not read."""

    code = "fetch_answer_refused"
    title = "The answer of the other side is not usable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said; a status outside 2xx is an answer too, redirects included."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    scheme: str
    host: str
    port: int
    authority: str
    target: str
    is_admitted: bool

    def pinned(self, address: str) -> str:
        """The same URL with the address in place of the name."""
        host = f"[{address}]" if ":" in address else address
        return f"{self.scheme}://{host}:{self.port}{self.target}"


async def resolve_by_system(name: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def is_public(address: IPAddress) -> bool:
    """Whether the address belongs to the open internet and to nothing special within it."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    if address.scope_id is not None or address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _REFUSED_V6)


class Fetcher:
    """Calls addresses that others gave us: webhooks, key sets, status of foreign certificates."""

    def __init__(
        self,
        *,
        admitted: Collection[str] = (),
        plain: Collection[str] = (),
        resolver: Resolver = resolve_by_system,
        timeout_s: float = 5.0,
        limit_bytes: int = 65_536,
        trust: ssl.SSLContext | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """``admitted`` holds exact loopback authorities (``taxoffice.localhost:8480``), ``plain`` public ones
        (``pki.example.org:80``) that may be called without TLS.

        ``trust`` replaces the public roots, ``transport`` the network: for tests and closed networks.

        Raises:
            ValueError: an admitted authority is not a loopback name with its port.
        """
        self._admitted = frozenset(admitted)
        for authority in self._admitted:
            _verify_loopback(authority)
        self._plain = frozenset(plain)
        self._resolver = resolver
        self._timeout_s = timeout_s
        self._limit_bytes = limit_bytes
        self._trust = trust
        self._transport = transport

    async def aclose(self) -> None:
        """Give up the connections."""
        if self._transport is not None:
            await self._transport.aclose()

    def _connections(self) -> httpx.AsyncBaseTransport:
        """Made at the first call: reading the public roots takes longer than most instances' whole start."""
        # No connection is kept: a kept one is found again by address alone, and two names behind one
        # address would share a connection whose certificate was checked for one of them.
        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport(
                verify=self._trust if self._trust is not None else True,
                trust_env=False,
                limits=httpx.Limits(max_keepalive_connections=0, max_connections=100),
            )
        return self._transport

    def verify(self, url: str) -> None:
        """Make sure that an address may be called, as far as its text tells; its name is not resolved yet.

        Raises:
            TargetRefused: it would be refused whatever its name resolves to.
        """
        self._parse(url)

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        limit_bytes: int | None = None,
    ) -> Answer:
        """Send one request and return its answer, whatever its status; redirects are not followed.

        Raises:
            TargetRefused: the address, or one that its name resolves to, is not public.
            FetchFailed: not resolved, not connected, no valid certificate, or no answer in time.
            AnswerRefused: more than ``limit_bytes``, or compressed.
        """
        target = self._parse(url)
        call = _Call(method, target, body, dict(headers or {}), limit_bytes or self._limit_bytes)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._call(call, await self._addresses(target))
        except (TimeoutError, OSError, httpx.HTTPError, httpx.InvalidURL) as fault:
            raise FetchFailed(type(fault).__name__) from fault

    def _parse(self, url: str) -> _Target:
        # 1. A plain address.
        found = _URL.fullmatch(url) if len(url) <= _ADDRESS_LIMIT else None
        if found is None:
            raise TargetRefused("not a plain address")
        scheme, host = found["scheme"], found["host"]
        port = int(found["port"] or (443 if scheme == "https" else 80))
        authority = f"{host}:{port}"
        is_admitted = authority in self._admitted
        if not is_admitted:
            is_plain = scheme == "http" and authority in self._plain
            _verify_public_name(scheme, host, port, is_plain=is_plain)
        return _Target(
            scheme=scheme,
            host=host,
            port=port,
            authority=host if found["port"] is None else authority,
            target=found["target"] or "/",
            is_admitted=is_admitted,
        )

    async def _addresses(self, target: _Target) -> Sequence[str]:
        if target.is_admitted:
            return ("127.0.0.1",)
        # 2. Every address is public.
        addresses = await self._resolver(target.host, target.port)
        if not addresses or not all(map(_is_public_text, addresses)):
            raise TargetRefused("the name leads to an address that is not public")
        return addresses

    async def _call(self, call: "_Call", addresses: Sequence[str]) -> Answer:
        fault: httpx.ConnectError | None = None
        for address in addresses[:3]:
            try:
                response = await self._connections().handle_async_request(
                    self._request(call, address)
                )
            except httpx.ConnectError as failure:
                fault = failure
                continue
            try:
                return await _read(response, call.limit_bytes)
            finally:
                await response.aclose()
        raise fault or httpx.ConnectError("no address")

    def _request(self, call: "_Call", address: str) -> httpx.Request:
        """3. The address that was checked, under the name that was asked for."""
        target = call.target
        lines = {name.lower(): value for name, value in call.headers.items()}
        lines |= {
            "host": target.authority,
            "accept-encoding": "identity",
            "user-agent": "inkan",
        }
        return httpx.Request(
            call.method,
            target.pinned(address),
            headers=lines,
            content=call.body,
            extensions={
                "sni_hostname": target.host,
                "timeout": httpx.Timeout(self._timeout_s).as_dict(),
            },
        )


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    target: _Target
    body: bytes
    headers: Mapping[str, str]
    limit_bytes: int


async def _read(response: httpx.Response, limit: int) -> Answer:
    # 4. As much as was agreed, and nothing that unfolds.
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise AnswerRefused("the answer is compressed")
    body = bytearray()
    stream = response.stream
    assert isinstance(stream, httpx.AsyncByteStream)
    async for piece in stream:
        body += piece
        if len(body) > limit:
            raise AnswerRefused(f"the answer exceeds {limit} bytes")
    return Answer(response.status_code, dict(response.headers), bytes(body))


def _verify_public_name(scheme: str, host: str, port: int, *, is_plain: bool) -> None:
    if scheme != "https" and not is_plain:
        raise TargetRefused("only https is called")
    if _NAME.fullmatch(host) is None or host.rpartition(".")[2] in _SPECIAL_NAMES:
        raise TargetRefused("not a name of the public DNS")
    if port < 1024 and port != (80 if is_plain else 443):
        raise TargetRefused("a port of another service")
    if port > 65_535:
        raise TargetRefused("not a port")


def _is_public_text(text: str) -> bool:
    try:
        return is_public(ip_address(text))
    except ValueError:
        return False


def _verify_loopback(authority: str) -> None:
    host, _, port = authority.rpartition(":")
    if not port.isdigit() or not (host == "127.0.0.1" or host.endswith(".localhost")):
        raise ValueError(f"{authority} is not a loopback authority")
