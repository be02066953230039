"""Security headers: one policy per kind of answer, on every answer, errors included.

A policy is data. A group of routes names one, single routes may relax it by a table, and a page that must
post to a registered return address widens its own answer; nothing else ever loosens a header
(threat 25, ASVS 5.0 3.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from inkan.web.asgi import RawHeaders

_HSTS: Final = b"max-age=63072000; includeSubDomains"
_DENIED_FEATURES: Final = (
    "accelerometer",
    "autoplay",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "hid",
    "idle-detection",
    "magnetometer",
    "microphone",
    "midi",
    "otp-credentials",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
)

Sources = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a browser may do with an answer."""

    csp: Sources
    """Directives of the Content Security Policy, in order; a directive without sources stands alone."""
    granted: tuple[str, ...] = ()
    """Features of Permissions-Policy that this page may use itself; all others are denied."""
    referrer: str = "no-referrer"
    resource: str = "same-origin"
    """Cross-Origin-Resource-Policy."""

    def allowing(self, directive: str, *sources: str) -> "Policy":
        """The same policy with ``sources`` added to a directive; ``'none'`` gives way to them.

        Raises:
            ValueError: a source that is not one token and would end the directive or the header.
        """
        if any(not source or set(source) & set(" ;,\r\n\t") for source in sources):
            raise ValueError("a source is one token")
        table = dict(self.csp)
        kept = tuple(s for s in table.get(directive, ()) if s != "'none'" and s not in sources)
        table[directive] = kept + sources
        return replace(self, csp=tuple(table.items()))

    def granting(self, *features: str) -> "Policy":
        """The same policy with browser features granted to the page itself.

        Raises:
            ValueError: a feature that is not in the table of denied ones.
        """
        unknown = set(features) - set(_DENIED_FEATURES)
        if unknown:
            raise ValueError(f"unknown features {sorted(unknown)}")
        return replace(self, granted=self.granted + features)


_NOTHING: Sources = (
    ("default-src", ("'none'",)),
    ("base-uri", ("'none'",)),
    ("form-action", ("'none'",)),
    ("frame-ancestors", ("'none'",)),
)

API: Final = Policy(csp=_NOTHING)
"""JSON for programs: a browser that renders it may load and run nothing."""

PUBLIC: Final = Policy(csp=_NOTHING, resource="cross-origin")
"""Published objects that any site may embed in its own checks: CRLs, certificates, key sets."""

PAGES: Final = Policy(
    csp=(
        ("default-src", ("'none'",)),
        ("script-src", ("'self'",)),
        ("style-src", ("'self'",)),
        ("img-src", ("'self'",)),
        ("connect-src", ("'self'",)),
        ("manifest-src", ("'self'",)),
        ("form-action", ("'self'",)),
        ("base-uri", ("'none'",)),
        ("frame-ancestors", ("'none'",)),
        ("require-trusted-types-for", ("'script'",)),
        ("trusted-types", ("'none'",)),
    ),
    # Not no-referrer: browsers would then send "Origin: null" with our own forms (Fetch, "append a
    # request Origin header"), and the origin check of csrf.py could not tell them from foreign ones.
    referrer="same-origin",
)
"""Pages: own files only, no inline script or style, no framing, Trusted Types without any policy."""


@lru_cache(maxsize=512)
def render(policy: Policy, *, https: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The header lines of a policy; HSTS only where the site is reached by https (RFC 6797 §7.2)."""
    lines = [
        ("content-security-policy", _csp(policy.csp)),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", policy.resource),
        ("origin-agent-cluster", "?1"),
        ("permissions-policy", _permissions(policy.granted)),
        ("referrer-policy", policy.referrer),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
    ]
    encoded = [(name.encode(), value.encode("ascii")) for name, value in lines]
    return (*encoded, (b"strict-transport-security", _HSTS)) if https else tuple(encoded)


def _csp(directives: Sources) -> str:
    return "; ".join(" ".join((name, *sources)) for name, sources in directives)


def _permissions(granted: Iterable[str]) -> str:
    allowed = frozenset(granted)
    return ", ".join(f"{name}={'(self)' if name in allowed else '()'}" for name in _DENIED_FEATURES)


_OWNED: Final = frozenset(name for name, _ in render(PAGES, https=True))


def apply(headers: RawHeaders, policy: Policy, *, https: bool) -> None:
    """Put a policy onto an answer's headers, over whatever the answer says itself.

    An answer without a word of its own about caching is never stored (ASVS 5.0 14.3.2).
    """
    headers[:] = [line for line in headers if line[0] not in _OWNED]
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append((b"cache-control", b"no-store"))
    headers.extend(render(policy, https=https))
