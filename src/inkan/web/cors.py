"""Cross-origin calls: which origin may call a group of routes from a browser.

A browser's preflight is answered from the same table, before anything of the route runs. Credentials
(cookies) are never admitted across origins: the Phone API is proved by the channel key alone.
"""

from dataclasses import dataclass
from http import HTTPStatus

from inkan.web.asgi import RawHeaders
from inkan.web.response import Response

_READABLE = (
    b"content-language, date, dpop-nonce, etag, location, retry-after, ratelimit, ratelimit-policy"
)
_SENDABLE = b"accept-language, authorization, content-type, dpop, idempotency-key, last-event-id"


@dataclass(frozen=True, slots=True)
class CORS:
    """``origins`` is the exact list; ``None`` stands for everybody, for public objects only."""

    origins: frozenset[str] | None

    def admits(self, origin: str) -> bool:
        """Whether pages of ``origin`` may call."""
        return self.origins is None or origin in self.origins

    def apply(self, headers: RawHeaders, origin: str | None) -> None:
        """Let the calling page read the answer."""
        if self.origins is None:
            headers.append((b"access-control-allow-origin", b"*"))
        else:
            headers.append((b"vary", b"origin"))
            if origin is not None and self.admits(origin):
                headers.append((b"access-control-allow-origin", origin.encode("ascii")))
        headers.append((b"access-control-expose-headers", _READABLE))

    def preflight(self, origin: str, methods: tuple[str, ...]) -> Response:
        """Answer ``OPTIONS`` (Fetch standard, CORS-preflight): what may be sent, for ten minutes."""
        response = Response(HTTPStatus.NO_CONTENT)
        if self.admits(origin):
            response.headers += [
                (b"access-control-allow-methods", ", ".join(methods).encode("ascii")),
                (b"access-control-allow-headers", _SENDABLE),
                (b"access-control-max-age", b"600"),
            ]
        return response


ANYBODY = CORS(None)
