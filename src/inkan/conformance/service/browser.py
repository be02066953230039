"""Browsers of the kit, and the test endpoint that they visit: plain HTTP, own cookies, nowhere but one origin."""

import re
from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from inkan.client.exchange import Answer, Request
from inkan.client.http import AsyncTransport
from inkan.conformance.model import About, EndpointWrong, Who
from inkan.conformance.rules import ABOUT, ANSWER_LIMIT, WHO
from inkan.kernel.errors import InkanError

T = TypeVar("T")
_COOKIE: Final = re.compile(r"(?:^|, *)([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([^;, ]*)")
_EXPIRES: Final = re.compile(r"expires=[^;]*", re.IGNORECASE)


class TestEndpoint:
    """The relying party under test.

    Args:
        base: address of its test endpoint, without a trailing slash.
        transport: carries what browsers and forgers send.
    """

    __test__ = False  # no test class, for whoever collects tests by name

    def __init__(self, base: str, transport: AsyncTransport) -> None:
        self.base = base.rstrip("/")
        self.origin = origin_of(self.base)
        self._transport = transport

    @property
    def domain(self) -> str:
        """The host of the relying party."""
        return urlsplit(self.base).hostname or ""

    async def about(self) -> About:
        """What the relying party says of itself.

        Raises:
            EndpointWrong: it cannot be reached, or says something else; its webhook is elsewhere.
        """
        answer = await self.send("GET", self.base + ABOUT)
        about = read(answer, About, ABOUT)
        if origin_of(about.webhook) != self.origin:
            raise EndpointWrong("the webhook's address is on another origin")
        return about

    def browser(self, cookies: Mapping[str, str] | None = None) -> "Browser":
        """A fresh browser; with the cookies that somebody planted."""
        return Browser(self, cookies or {})

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request to the relying party's own origin and to nobody else.

        Raises:
            EndpointWrong: another origin, or no answer.
        """
        if origin_of(url) != self.origin:
            raise EndpointWrong(f"an address on another origin: {url[:200]}")
        request = Request(
            method=method, url=url, headers=headers or {}, body=body, limit=ANSWER_LIMIT
        )
        try:
            return await self._transport.send(request)
        except InkanError as silent:
            raise EndpointWrong(str(silent)) from None


class Browser:
    """A browser with its cookies.

    Attributes:
        cookies: what it was given, by name.
        seen: everything that it received, headers included.
    """

    def __init__(self, endpoint: TestEndpoint, cookies: Mapping[str, str]) -> None:
        self.cookies = dict(cookies)
        self.seen: list[bytes] = []
        self._endpoint = endpoint

    async def get(self, path: str) -> Answer:
        """Open an address below the test endpoint."""
        return await self.open(self._endpoint.base + path)

    async def open(self, url: str) -> Answer:
        """Open any address of the relying party, as a navigation; redirects are not followed."""
        headers = {
            "accept": "text/html, application/json;q=0.9, */*;q=0.8",
            "sec-fetch-mode": "navigate",
        }
        if self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            headers["cookie"] = "; ".join(pairs)
        answer = await self._endpoint.send("GET", url, headers=headers)
        self.seen += [answer.body, *(value.encode() for value in answer.headers.values())]
        self.cookies |= cookies_of(answer.headers.get("set-cookie", ""))
        return answer

    async def who(self) -> Who:
        """How the relying party says that this browser stands.

        Raises:
            EndpointWrong: it does not say.
        """
        return read(await self.get(WHO), Who, WHO)


def cookies_of(line: str) -> dict[str, str]:
    """The cookies of one or several ``Set-Cookie`` fields that were joined by commas; attributes are left out."""
    return dict(_COOKIE.findall(_EXPIRES.sub("", line)))


def origin_of(url: str) -> str:
    """Scheme and authority of an address.

    Raises:
        EndpointWrong: no http or https address, or one with a user in it.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise EndpointWrong("no address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or "@" in parts.netloc:
        raise EndpointWrong("no http or https address")
    return f"{parts.scheme}://{parts.netloc}"


def read(answer: Answer, kind: type[T], path: str) -> T:
    """The JSON body of a 200.

    Raises:
        EndpointWrong: another status, or another body.
    """
    if answer.status != 200:
        raise EndpointWrong(f"{path} answers {answer.status}")
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise EndpointWrong(f"{path} answers something else: {wrong}") from None
