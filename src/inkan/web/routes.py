"""Routes as tables: what features contribute, and the one finder that every request goes through.

A feature contributes groups. A group says what its routes share: who is asked for a principal, which
headers, whether browsers with cookies come here (pages) or programs with keys (api). Its routes are
Litestar handlers and bare endpoints; both become rows of one table, so that size, access, headers, CSRF
and documentation are the same question for both.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any, Final

from inkan.kernel.errors import InkanError
from inkan.web import headers
from inkan.web.cors import ANYBODY, CORS
from inkan.web.exchange import Authenticator, Exchange, nobody
from inkan.web.headers import Policy
from inkan.web.input import BODY_LIMIT
from inkan.web.limits import RateLimit
from inkan.web.principal import Access, Principal
from inkan.web.ready import ReadyAnswers
from inkan.web.response import Response

Endpoint = Callable[[Exchange], Awaitable[Response]]
ErrorRenderer = Callable[[InkanError, Exchange], Response]

UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Surface(StrEnum):
    """Who stands on the other side of a group."""

    PAGES = "pages"
    """Browsers with cookies: CSRF is checked, errors are pages, languages are negotiated."""
    API = "api"
    """Programs with keys: cookies are removed before a handler could see them, errors are problems."""
    PUBLIC = "public"
    """Anybody, for published objects: no cookies, readable across origins."""


def _once(_: Principal) -> int:
    """Everybody has the rate as it stands."""
    return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParameter:
    """One parameter of an operation's query."""

    name: str
    type: Any
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHeader:
    """One header that an operation reads, besides those of its authentication."""

    name: str
    pattern: str
    """ECMAScript, anchored."""
    required: bool = False
    description: str = ""


IDEMPOTENCY_KEY: Final = RequestHeader(
    name="Idempotency-Key",
    pattern="^[!-~]{16,64}$",
    required=True,
    description="16 to 64 visible characters, drawn for this order; the same key and body give the stored answer.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What may be done next with an answer (OpenAPI 3.1 §4.8.20)."""

    operation: str
    """``operationId`` of the next call."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Name to runtime expression: ``{"id": "$response.body#/session/id"}``."""
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What the OpenAPI document says of a route."""

    name: str
    """``operationId``, unique in its document."""
    summary: str
    description: str = ""
    body: Any = None
    """Type of the JSON body; None when the route takes none."""
    answer: Any = None
    """Type of the answer; None when it is empty or not JSON."""
    status: int = HTTPStatus.OK
    media_type: str = "application/json"
    query: Sequence[QueryParameter] = ()
    headers: Sequence[RequestHeader] = ()
    refusals: Sequence[type[InkanError]] | None = None
    """What the endpoint itself refuses with; the document then names every status, and no other can come. None: the
    document says that any problem may come."""
    links: Mapping[str, Link] = field(default_factory=dict)
    body_example: Any = None
    example: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """An endpoint that is served before the framework, for the few routes where microseconds count."""

    endpoint: Endpoint
    access: Access
    """``Access("use.case")`` or ``open_to_all("reason")``."""
    body_limit: int = BODY_LIMIT
    errors: ErrorRenderer | None = None
    """Another protocol's error language (OAuth, OCSP, TSP); RFC 9457 problems otherwise."""
    operation: Operation | None = None
    policy: Policy | None = None
    limit: RateLimit | None = None
    """A rate of its own; the group's otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Routes of one feature that share a surface."""

    surface: Surface
    handlers: Sequence[Any] = ()
    """Litestar handlers; each declares ``opt=requires(…)`` or ``opt=public(…)``."""
    bare: Mapping[tuple[str, str], Bare] = field(default_factory=dict)
    """(method, path template) to endpoint; ``{name}`` takes one segment, ``{name:path}`` the rest."""
    services: Mapping[str, Any] = field(default_factory=dict)
    """What Litestar handlers of the group may name as parameters."""
    authenticator: Authenticator = nobody
    challenge: str = ""
    """``WWW-Authenticate`` of a 401 (RFC 9110 §11.6.1), for example ``DPoP algs="ES256"``."""
    login_path: str = ""
    """Where a browser without a login is sent (pages only)."""
    cors: CORS | None = None
    limit: RateLimit | None = None
    share: Callable[[Principal], int] = _once
    """How many times the rate a principal has."""
    refusals: Sequence[type[InkanError]] = ()
    """What the authenticator refuses with, for the documents."""
    ready: ReadyAnswers | None = None
    """Answers of this group that may be sent again as they are; only where nobody is asked who he is."""
    policy: Policy | None = None
    relax: Mapping[str, Policy] = field(default_factory=dict)
    """Path template to the policy of that page alone."""

    @property
    def default_policy(self) -> Policy:
        """The policy of the group's answers where no row says otherwise."""
        return self.policy or _POLICIES[self.surface]

    @property
    def effective_cors(self) -> CORS | None:
        """Public objects are readable from everywhere; everything else only by its own rule."""
        return ANYBODY if self.surface is Surface.PUBLIC and self.cors is None else self.cors


_POLICIES: Final = {
    Surface.PAGES: headers.PAGES,
    Surface.API: headers.API,
    Surface.PUBLIC: headers.PUBLIC,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row: a method on a path template."""

    method: str
    template: str
    group: Group
    access: Access
    body_limit: int
    policy: Policy
    endpoint: Endpoint | None
    """None: Litestar serves it."""
    errors: ErrorRenderer | None = None
    operation: Operation | None = None
    limit: RateLimit | None = None

    @property
    def is_page(self) -> bool:
        """Whether browsers with cookies come here."""
        return self.group.surface is Surface.PAGES

    @property
    def checks_csrf(self) -> bool:
        """Whether a token is demanded; true for every unsafe method on a page, without exception."""
        return self.is_page and self.method in UNSAFE


class _Node:
    __slots__ = ("children", "name", "parameter", "rest", "routes")

    def __init__(self) -> None:
        self.children: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.rest: _Node | None = None
        self.name = ""
        self.routes: dict[str, Route] = {}


class RouteTable:
    """All rows of one site, found by path without regard to the method."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._exact: dict[str, dict[str, Route]] = {}
        self._root = _Node()
        for route in routes:
            row = self._place(route.template)
            if route.method in row:
                raise ValueError(f"{route.method} {route.template} stands twice")
            row[route.method] = route

    def _place(self, template: str) -> dict[str, Route]:
        if not template.startswith("/") or "//" in template:
            raise ValueError(f"{template} is not a path template")
        if "{" not in template:
            return self._exact.setdefault(template, {})
        node = self._root
        for segment in template[1:].split("/"):
            node = _step(node, segment, template)
        return node.routes

    def find(self, path: str) -> tuple[dict[str, Route], dict[str, str]]:
        """Return the rows of ``path`` by method (empty when unknown), and its parameters.

        Only the canonical spelling of a path is found: an empty or unprintable segment matches nothing,
        so the table, the framework and a proxy before them cannot see three different paths.
        """
        exact = self._exact.get(path)
        if exact is not None:
            return exact, {}
        node = self._root
        parameters: dict[str, str] = {}
        segments = path[1:].split("/")
        for index, segment in enumerate(segments):
            child = node.children.get(segment)
            if child is not None:
                node = child
            elif node.parameter is not None and segment and _is_plain(segment):
                node = node.parameter
                parameters[node.name] = segment
            elif node.rest is not None:
                remainder = "/".join(segments[index:])
                parameters[node.rest.name] = remainder
                return (node.rest.routes, parameters) if _is_plain(remainder) else ({}, {})
            else:
                return {}, {}
        return node.routes, parameters


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _step(node: _Node, segment: str, template: str) -> _Node:
    if not segment.startswith("{"):
        return node.children.setdefault(segment, _Node())
    name, _, kind = segment[1:-1].partition(":")
    attribute = "rest" if kind == "path" else "parameter"
    child: _Node | None = getattr(node, attribute)
    if child is None:
        child = _Node()
        child.name = name
        setattr(node, attribute, child)
    elif child.name != name:
        raise ValueError(f"{template}: {{{child.name}}} and {{{name}}} name one segment")
    return child
