"""Which refusals a route may answer with, by status, and which headers come with them: for the OpenAPI documents.

The pipeline's own refusals follow from the row itself (it has a body, it names a use case, it has a rate), so a
document names them all without anybody listing them; a route adds what its endpoint refuses.
"""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any, Final

from inkan.kernel.errors import InkanError, Malformed, NotFound, TooLarge, Unavailable
from inkan.web.input import MediaTypeRefused, NameRepeated
from inkan.web.limits import RateExceeded
from inkan.web.principal import LoginRequired, RoleMissing
from inkan.web.problems import HostUnknown, MethodRefused, status_of_kind
from inkan.web.request import HeaderRepeated, ParameterWrong
from inkan.web.routes import UNSAFE, Route

_REFERENCE: Final = "#/components/headers/{name}"
_FIELD: Final = {"type": "string"}

RATE_HEADERS: Final[dict[str, Any]] = {
    "RateLimit-Policy": {
        "description": "Name, quota and window in seconds of the rate (draft-ietf-httpapi-ratelimit-headers).",
        "schema": _FIELD,
        "example": '"sessions";q=6000;w=60',
    },
    "RateLimit": {
        "description": "What is left, and the seconds until all of it is back.",
        "schema": _FIELD,
        "example": '"sessions";r=5999;t=1',
    },
    "Retry-After": {
        "description": "Seconds to wait (RFC 9110 §10.2.3).",
        "schema": _FIELD,
        "example": "1",
    },
    "WWW-Authenticate": {
        "description": "How to prove who asks (RFC 9110 §11.6.1).",
        "schema": _FIELD,
        "example": 'DPoP algs="ES256"',
    },
}
_RATE: Final = ("RateLimit-Policy", "RateLimit")


def refused_by_status(route: Route, own: Sequence[type[InkanError]]) -> dict[int, tuple[str, ...]]:
    """Return the codes that a route may refuse with, sorted, by HTTP status."""
    found: dict[int, set[str]] = {}
    for kind in (*_of_the_pipeline(route), *own):
        found.setdefault(int(status_of_kind(kind)), set()).add(kind.code)
    return {status: tuple(sorted(found[status])) for status in sorted(found)}


def headers_of(route: Route, status: int) -> dict[str, Any]:
    """Return the header objects of an answer: the rate, where there is one, and what HTTP asks of the status."""
    names = list(_RATE) if route.limit is not None else []
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        names.append("Retry-After")
    if status == HTTPStatus.UNAUTHORIZED and route.group.challenge:
        names.append("WWW-Authenticate")
    return {name: {"$ref": _REFERENCE.format(name=name)} for name in names}


def _of_the_pipeline(route: Route) -> Iterator[type[InkanError]]:
    yield from (HeaderRepeated, ParameterWrong, Malformed, HostUnknown, MethodRefused)
    yield from (InkanError, Unavailable)
    if "{" in route.template:
        yield NotFound
    if route.method in UNSAFE:
        yield TooLarge
    if route.operation is not None and route.operation.body is not None:
        yield from (MediaTypeRefused, NameRepeated)
    if route.access.use_case is not None:
        yield from (LoginRequired, RoleMissing)
    if route.group.challenge:
        yield from route.group.refusals
    if route.limit is not None:
        yield RateExceeded
