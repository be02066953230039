"""Answers: a status, headers and bytes, or a stream of bytes.

Deliberately less than a framework's response: bare endpoints answer with it in a few microseconds, and
Litestar handlers may return it as well, because it is an ASGI application.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, Final

import msgspec

from inkan.web.asgi import RawHeaders, Receive, Scope, Send
from inkan.web.ready import Repeatable

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
_ENCODER = msgspec.json.Encoder()


class Response:
    """What goes back. ``body`` is all of it, or a generator whose pieces are sent as they come."""

    __slots__ = ("body", "headers", "repeatable", "status")

    def __init__(
        self,
        status: int,
        body: bytes | AsyncGenerator[bytes, None] = b"",
        *,
        media_type: str | None = None,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self.status = int(status)
        self.body = body
        self.headers: RawHeaders = list(headers)
        self.repeatable: Repeatable | None = None
        """Set by an endpoint whose answer may be sent again as it is; see :mod:`inkan.web.ready`."""
        if media_type is not None:
            self.headers.append((b"content-type", media_type.encode("ascii")))

    def with_header(self, name: str, value: str) -> "Response":
        """Add a header and return the response itself.

        Raises:
            ValueError: the value would end the header line (threat 23).
        """
        if any(char in value for char in "\r\n\0"):
            raise ValueError("a header value holds a line end")
        self.headers.append((name.lower().encode("ascii"), value.encode("latin-1")))
        return self

    async def send(self, send: Send, *, head: bool = False) -> None:
        """Send it; with ``head`` the headers only (RFC 9110 §9.3.2)."""
        headers = self.headers
        body = self.body
        if isinstance(body, bytes) and self.status not in {204, 304}:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if isinstance(body, bytes):
            await send({"type": "http.response.body", "body": b"" if head else body})
            return
        async with aclosing(body) as pieces:
            if not head:
                async for piece in pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        """Answer as an ASGI application: what Litestar calls when a handler returns a response."""
        await self.send(send, head=scope["method"] == "HEAD")


def json_response(status: int, value: Any) -> Response:
    """``value`` (a Struct, mapping, list…) as JSON."""
    return Response(
        status, _ENCODER.encode(value), headers=((b"content-type", b"application/json"),)
    )


def ok(value: Any) -> Response:
    """200 with ``value`` as JSON."""
    return json_response(HTTPStatus.OK, value)


def created(value: Any, *, location: str | None = None) -> Response:
    """201 with ``value`` as JSON and, when given, where the new thing is."""
    response = json_response(HTTPStatus.CREATED, value)
    return response if location is None else response.with_header("location", location)


def accepted(value: Any) -> Response:
    """202: taken over, not yet done."""
    return json_response(HTTPStatus.ACCEPTED, value)


def no_content() -> Response:
    """204."""
    return Response(HTTPStatus.NO_CONTENT)


def see_other(location: str) -> Response:
    """303: the answer to a form (never 307, which would send the form on; RFC 9700 §4.12)."""
    return Response(HTTPStatus.SEE_OTHER).with_header("location", location)


def binary(
    body: bytes, media_type: str, *, max_age_s: int | None = None, file_name: str | None = None
) -> Response:
    """200 with bytes of another kind (DER, CRL, PDF); publicly cacheable when ``max_age_s`` is given.

    Raises:
        ValueError: ``file_name`` is not plain ASCII without quotes.
    """
    response = Response(HTTPStatus.OK, body, media_type=media_type)
    if max_age_s is not None:
        response.with_header("cache-control", f"public, max-age={max_age_s}")
    if file_name is not None:
        if not file_name.isascii() or '"' in file_name or "\\" in file_name:
            raise ValueError("a download name is plain ASCII")
        response.with_header("content-disposition", f'attachment; filename="{file_name}"')
    return response


def html(text: str, status: int = HTTPStatus.OK) -> Response:
    """A page."""
    return Response(
        status, text.encode(), headers=((b"content-type", b"text/html; charset=utf-8"),)
    )
