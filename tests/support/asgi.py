"""A client that calls an ASGI application in this very task: no socket, no thread, no waiting."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit


@dataclass
class Reply:
    """What the application sent."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """One browser or program that speaks to one site; keeps cookies like a browser."""

    def __init__(self, application: Any, origin: str, *, address: str = "192.0.2.7") -> None:
        self.application = application
        self.origin = origin
        self.address = address
        self.cookies: dict[str, str] = {}

    async def get(self, path: str, **options: Any) -> Reply:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Reply:
        return await self.request("POST", path, **options)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        body: bytes = b"",
        json: Any = None,
        form: Mapping[str, str] | None = None,
        pieces: list[bytes] | None = None,
        leave: bool = False,
        host: str | None = None,
    ) -> Reply:
        """Send a request. ``pieces`` sends the body in parts, ``leave`` goes away before its end."""
        lines = list(headers.items() if isinstance(headers, Mapping) else headers or [])
        if json is not None:
            body = _json(json)
            lines.append(("content-type", "application/json"))
        if form is not None:
            body = urlencode(form).encode()
            lines.append(("content-type", "application/x-www-form-urlencoded"))
        if self.cookies:
            joined = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            lines.append(("cookie", joined))
        parts = pieces if pieces is not None else [body]
        if pieces is None and body:
            lines.append(("content-length", str(len(body))))
        lines.append(("host", urlsplit(self.origin).netloc if host is None else host))
        raw, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": urlsplit(self.origin).scheme,
            "path": raw,
            "raw_path": raw.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in lines],
            "client": (self.address, 50_000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        reply = await call(self.application, scope, parts, leave=leave)
        for value in reply.all("set-cookie"):
            name, _, rest = value.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return reply


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


async def call(
    application: Any, scope: dict[str, Any], parts: list[bytes], *, leave: bool
) -> Reply:
    reply = Reply()
    messages = _messages(parts, leave=leave)

    async def receive() -> dict[str, Any]:
        return await anext(messages)

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            assert reply.status == 0, "an answer has one head"
            reply.status = message["status"]
            reply.headers = [
                (k.decode("latin-1"), v.decode("latin-1")) for k, v in message["headers"]
            ]
        else:
            reply.body += message.get("body", b"")

    async with asyncio.timeout(30):
        await application(scope, receive, send)
    await messages.aclose()
    return reply


async def _messages(parts: list[bytes], *, leave: bool) -> AsyncIterator[dict[str, Any]]:
    for index, part in enumerate(parts):
        more = index + 1 < len(parts) or leave
        yield {"type": "http.request", "body": part, "more_body": more}
    while True:
        await asyncio.sleep(0)
        yield {"type": "http.disconnect"}
