"""A browser without a screen, for the story: it keeps cookies, fills in forms, and reads where a page leads."""

import html
import re
from http import HTTPStatus
from typing import Final, Self
from urllib.parse import urlencode, urljoin

from inkan.client.exchange import Answer, Request
from inkan.client.http import AsyncTransport

_TOKEN: Final = re.compile(r'name="csrf_token" value="([^"]+)"')
_LINK: Final = re.compile(r'href="([^"]+)"')
# The platform's cookies are all of this kind; their headers come joined by commas.
_COOKIE: Final = re.compile(r"(?:^|, )(__Host-[\w-]+)=([^;,]*)")
_LEADS: Final = re.compile(r'<meta http-equiv="refresh" content="0;url=([^"]+)">')


class Visitor:
    """One browser: what it was given on one page it brings to the next.

    Args:
        origin: of the only site it visits.
    """

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._cookies: dict[str, str] = {}
        self._transport = AsyncTransport()

    async def see(self, address: str) -> str:
        """The text of a page."""
        return (await self._send("GET", address)).body.decode()

    async def follow(self, address: str) -> tuple[str, str]:
        """Open an address and go where it redirects to: where that ends, and the page there if it is on this site."""
        while address.startswith(f"{self._origin}/"):
            answer = await self._send("GET", address)
            if answer.status != HTTPStatus.SEE_OTHER:
                return address, answer.body.decode()
            address = urljoin(address, answer.headers["location"])
        return address, ""

    async def send(self, address: str, *, seen: str, **fields: str) -> str:
        """Fill in a form of the page that was seen, follow where the answer leads on this site, return its text."""
        token = _TOKEN.search(seen)
        form = urlencode(fields | {"csrf_token": token[1] if token else ""}).encode()
        answer = await self._send("POST", address, form)
        if answer.status == HTTPStatus.SEE_OTHER:
            return await self.see(self._origin + answer.headers["location"])
        return answer.body.decode()

    async def _send(self, method: str, address: str, form: bytes | None = None) -> Answer:
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}
        if form is not None:
            headers |= {"origin": self._origin, "sec-fetch-site": "same-origin"}
            headers["content-type"] = "application/x-www-form-urlencoded"
        request = Request(method=method, url=address, headers=headers, body=form)
        answer = await self._transport.send(request)
        self._cookies |= dict(_COOKIE.findall(answer.headers.get("set-cookie", "")))
        return answer

    async def aclose(self) -> None:
        """Close its connections."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


def link_to(page: str, origin: str) -> str:
    """The first address of another site that a page shows; empty without one."""
    found = (html.unescape(each) for each in _LINK.findall(page))
    return next((each for each in found if each.startswith(origin)), "")


def leads_to(page: str) -> str:
    """Where a page leads on by itself; empty when it stays."""
    found = _LEADS.search(page)
    return html.unescape(found[1]) if found else ""
