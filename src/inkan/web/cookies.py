"""Cookies: read the first of a name, write only ``__Host-`` ones.

The prefix makes the browser itself refuse a cookie that another host of the domain set or that came over
plain http (RFC 6265bis §4.1.3); ``http://*.localhost`` counts as safe there, so the demo uses the same.
"""

from enum import StrEnum

_PREFIX = "__Host-"


class SameSite(StrEnum):
    """When a browser sends the cookie along from other sites."""

    STRICT = "Strict"
    LAX = "Lax"


def read_cookies(header: str | None) -> dict[str, str]:
    """Name to value of a ``Cookie`` header (RFC 6265 §4.2.1); of a repeated name the first."""
    found: dict[str, str] = {}
    for part in (header or "").split(";"):
        name, equals, value = part.strip().partition("=")
        if equals:
            found.setdefault(name, value)
    return found


def cookie(
    name: str, value: str, *, max_age_s: int | None = None, same_site: SameSite = SameSite.LAX
) -> tuple[bytes, bytes]:
    """A ``Set-Cookie`` line: this host only, https only, out of reach of scripts.

    ``max_age_s`` None lets it end with the browser's own session, 0 removes it.

    Raises:
        ValueError: a name without the ``__Host-`` prefix, or a value that would end the cookie.
    """
    if not name.startswith(_PREFIX) or not value.isascii() or set(value) & set(' ";,\\\r\n\t\0'):
        raise ValueError("cookies are __Host- and their values plain tokens")
    age = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    line = f"{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}{age}"
    return b"set-cookie", line.encode("ascii")
