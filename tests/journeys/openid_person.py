"""A person at the platform's pages without a screen: a browser that keeps cookies, and a phone beside it."""

import html
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from inkan.client import AsyncTransport, Phone
from inkan.client.exchange import Answer, Request

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_LINK = re.compile(r'href="([^"]+)"')
_COOKIE = re.compile(r"(?:^|, )(__Host-[\w-]+)=([^;,]*)")


@dataclass
class Browser:
    """One browser before one site; it follows the site's redirects and stops where they leave it."""

    transport: AsyncTransport
    origin: str
    language: str = "en"
    cookies: dict[str, str] = field(default_factory=dict)

    async def open(self, address: str) -> str:
        """Open an address: the text of the page, or the address of another site that it leads to."""
        return await self._follow(await self._send("GET", address), address)

    async def send(self, address: str, page: str, **fields: str) -> str:
        """Send a form of the page that was seen; the answer as :meth:`open`."""
        token = _TOKEN.search(page)
        form = urlencode(fields | {"csrf_token": token[1] if token else ""}).encode()
        return await self._follow(await self._send("POST", address, form), address)

    async def _follow(self, answer: Answer, address: str) -> str:
        while answer.status in {302, 303}:
            address = urljoin(address, answer.headers["location"])
            if not address.startswith(f"{self.origin}/"):
                return address
            answer = await self._send("GET", address)
        self.at = address
        self.status = answer.status
        return answer.body.decode()

    async def _send(self, method: str, address: str, form: bytes | None = None) -> Answer:
        headers = {
            "accept": "text/html",
            "accept-language": self.language,
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        }
        if form is not None:
            headers |= {"origin": self.origin, "sec-fetch-site": "same-origin"}
            headers["content-type"] = "application/x-www-form-urlencoded"
        answer = await self.transport.send(
            Request(method=method, url=address, headers=headers, body=form)
        )
        self.cookies |= dict(_COOKIE.findall(answer.headers.get("set-cookie", "")))
        return answer


@dataclass
class Person:
    """Somebody with a bound phone."""

    phone: Phone
    transport: AsyncTransport
    origin: str
    wallet: str

    def browser(self) -> Browser:
        """A fresh browser before the platform."""
        return Browser(self.transport, self.origin)

    async def log_in(self, address: str, browser: Browser | None = None) -> str:
        """Open a client's address, approve on this phone, and return where the browser is led at the end."""
        window = browser or self.browser()
        page = await window.open(address)
        return await self.answer(window, page)

    async def answer(self, window: Browser, page: str) -> str:
        """Before the platform's page: open the app by its button, approve, follow the way back."""
        assert urlsplit(window.at).path.startswith("/identify/"), page
        shown = await window.send(window.at.partition("?")[0], page, way="link")
        links = (html.unescape(each) for each in _LINK.findall(shown))
        await self.phone.open_link(next(each for each in links if each.startswith(self.wallet)))
        back = (await self.phone.approve()).return_url
        assert back is not None
        return await window.open(back)
