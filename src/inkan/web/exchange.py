"""One request on its way to its answer: what bare endpoints receive and Litestar handlers may ask for.

Everything but the header table is computed when it is first asked for, because most requests on the hot
path need neither a language nor a cookie.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlencode

from inkan.kernel.clock import Clock
from inkan.kernel.ids import new_id, random_bytes
from inkan.web.asgi import Message, RawHeaders, Receive, Scope
from inkan.web.closing import Closing
from inkan.web.cookies import SameSite, cookie, read_cookies
from inkan.web.csrf import CSRF, CSRF_COOKIE
from inkan.web.headers import Policy
from inkan.web.input import BODY_LIMIT, check_media_type, decode, decode_form
from inkan.web.languages import Language, find_language, negotiate
from inkan.web.limits import Allowance, RateWindows
from inkan.web.principal import LoginRequired, Matrix, Principal
from inkan.web.request import (
    HeaderRepeated,
    ParameterWrong,
    header_table,
    network_of,
    read_body,
    read_query,
)
from inkan.web.response import Response, html
from inkan.web.templates import Templates

T = TypeVar("T")

SCOPE_KEY: Final = "inkan.exchange"
LANGUAGE_COOKIE: Final = "__Host-inkan-language"
_A_YEAR_S: Final = 365 * 86_400
_SOURCE_KEY: Final = random_bytes(32)
_UNASKED: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuItem:
    """One entry of a site's menu: an English msgid and the page it leads to."""

    text: str
    path: str
    roles: frozenset[str] = frozenset()
    """Shown to principals with one of these; to everybody when empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all requests of one site share."""

    name: str
    """How the site calls itself in the page's head."""
    origin: str
    """``https://id.example``: the only source of absolute addresses, never the request."""
    clock: Clock
    csrf: CSRF
    templates: Templates
    matrix: Matrix
    rates: RateWindows
    menu: tuple[MenuItem, ...]
    closing: Closing
    """Set when the server shuts down; long answers end then."""
    foot: tuple[MenuItem, ...] = ()
    """The links at the foot of every page."""
    help: str = ""
    """What comes before the code in the address of its catalogue entry; empty when there is none."""
    around: "Around | None" = None
    """Called in the place of every bare endpoint, with the endpoint; None but in a sandbox."""

    @property
    def https(self) -> bool:
        """Whether people reach the site by https."""
        return self.origin.startswith("https://")


class Exchange:
    """A request, its route, its site and what was found out about it."""

    __slots__ = (
        "_body",
        "_cookies",
        "_correlation_id",
        "_csrf_cookie",
        "_headers",
        "_language",
        "_principal",
        "_query",
        "_receive",
        "_repeated",
        "_replayed",
        "allowance",
        "parameters",
        "policy",
        "response_headers",
        "route",
        "scope",
        "site",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, site: Surroundings) -> None:
        self.scope = scope
        self.site = site
        self.route: Any = None
        """The row of the route table; None until one is found."""
        self.parameters: dict[str, str] = {}
        self.response_headers: RawHeaders = []
        """Lines that the answer carries whatever it is (cookies)."""
        self.allowance: Allowance | None = None
        self.started = False
        """Whether the answer's head has left; nothing can be refused any more then."""
        self.status = 0
        self.policy: Policy | None = None
        """The policy of this one answer, where it differs from the route's."""
        self._receive = receive
        self._headers, self._repeated = header_table(scope["headers"])
        self._body: bytes | None = None
        self._replayed = False
        self._cookies: dict[str, str] | None = None
        self._correlation_id = ""
        self._csrf_cookie = ""
        self._language: Language | None = None
        self._principal: Any = _UNASKED
        self._query: dict[str, str] | None = None

    # What was asked.

    @property
    def method(self) -> str:
        """``GET``, ``POST`` and so on."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The decoded path."""
        return str(self.scope["path"])

    @property
    def url(self) -> str:
        """The address without query, under the site's own origin: what a DPoP ``htu`` has to name."""
        raw = self.scope.get("raw_path") or self.path.encode()
        return self.site.origin + str(raw.decode("ascii"))

    def header(self, name: str) -> str | None:
        """The value of a header that stands at most once.

        Raises:
            HeaderRepeated: it was sent twice (RFC 9449 §4.3 check 1 asks this of ``DPoP``).
        """
        key = name.lower().encode("ascii")
        if self._repeated is not None and key in self._repeated:
            raise HeaderRepeated(where=name.lower())
        value = self._headers.get(key)
        return None if value is None else value.decode("latin-1")

    def query(self, name: str) -> str | None:
        """The value of a query parameter.

        Raises:
            ParameterWrong: the query is not UTF-8 text, names a parameter twice or has more than 64.
        """
        if self._query is None:
            self._query = read_query(self.scope.get("query_string", b""))
        return self._query.get(name)

    def cookie(self, name: str) -> str | None:
        """The value of a cookie; always None on routes for programs, where cookies are removed."""
        if self._cookies is None:
            self._cookies = read_cookies(self.header("cookie"))
        return self._cookies.get(name)

    def drop(self, name: bytes) -> None:
        """Forget a header (in lower case), for whoever serves this too: as if it had not been sent."""
        if self._headers.pop(name, None) is not None:
            self._repeated = self._repeated and self._repeated - {name}
            lines = self.scope["headers"]
            self.scope["headers"] = [line for line in lines if line[0] != name]

    @property
    def address(self) -> str:
        """The sender's address as text, to compare it with networks; never for a log or a key."""
        return str((self.scope.get("client") or ("",))[0])

    @property
    def source(self) -> str:
        """An opaque key of the sender's address (IPv6: of its /64), for rate windows; per process."""
        return _source(self.address)

    @property
    def correlation_id(self) -> str:
        """The id under which the log speaks of this exchange; shown to people with an error."""
        if not self._correlation_id:
            self._correlation_id = new_id("req")
        return self._correlation_id

    # Its body.

    async def body(self) -> bytes:
        """All of the body.

        Raises:
            TooLarge: more than the route's limit.
            ClientGone: the sender went away before its end.
        """
        if self._body is None:
            limit = self.route.body_limit if self.route is not None else BODY_LIMIT
            declared = self._headers.get(b"content-length")
            self._body = await read_body(self._receive, limit=limit, declared=declared)
        return self._body

    @property
    def read(self) -> bytes:
        """The body as far as it was read before the endpoint: all of it on unsafe methods, else nothing."""
        return self._body or b""

    async def json(self, kind: type[T]) -> T:
        """The JSON body as a value of ``kind``; see :func:`inkan.web.input.decode`.

        Raises:
            MediaTypeRefused: the body is not declared as JSON.
            TooLarge, Malformed, NameRepeated, ClientGone: as there.
        """
        check_media_type(self.header("content-type"), "application/json")
        body = await self.body()
        return decode(body, kind, limit=len(body))

    async def form(self, kind: type[T]) -> T:
        """The form body as a value of ``kind``; the CSRF token was checked and is left out.

        Raises:
            MediaTypeRefused, TooLarge, Malformed, NameRepeated, ClientGone: see :func:`json`.
        """
        check_media_type(self.header("content-type"), "application/x-www-form-urlencoded")
        body = await self.body()
        return decode_form(body, kind, limit=len(body))

    async def receive(self) -> Message:
        """The ASGI ``receive`` of whoever serves this exchange next: a body read before is played again."""
        if self._body is None or self._replayed:
            return await self._receive()
        self._replayed = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    async def wait_until_gone(self) -> None:
        """Return when the sender has closed the connection."""
        while (await self._receive())["type"] != "http.disconnect":
            pass

    # Who asks.

    async def find_principal(self) -> Principal | None:
        """Who sends this, asked once of the group's authenticator; None when nothing was presented.

        Raises:
            Unauthenticated: something was presented and does not hold.
        """
        if self._principal is _UNASKED:
            self._principal = await self.route.group.authenticator(self)
        principal: Principal | None = self._principal
        return principal

    async def get_principal(self) -> Principal:
        """Who sends this.

        Raises:
            LoginRequired: nothing was presented.
            Unauthenticated: something was presented and does not hold.
        """
        principal = await self.find_principal()
        if principal is None:
            raise LoginRequired
        return principal

    async def authorize(self, use_case: str) -> Principal:
        """Return the principal if it may do ``use_case`` now; see :meth:`Matrix.verify`."""
        principal = await self.find_principal()
        return self.site.matrix.verify(principal, use_case, now=self.site.clock.now())

    # What a page needs.

    @property
    def language(self) -> Language:
        """The reader's language: ``?lang=`` on a page, else the cookie, else the browser's wish."""
        if self._language is None:
            self._language = self._choose_language()
        return self._language

    def _choose_language(self) -> Language:
        default = self.site.templates.languages.default
        wished = negotiate(_text(self._headers.get(b"accept-language")), default)
        if self.route is None or not self.route.is_page:
            return wished
        try:
            chosen = find_language(self.query("lang"))
            kept = find_language(self.cookie(LANGUAGE_COOKIE))
        except (ParameterWrong, HeaderRepeated):
            # A request that is refused for its form is told so in some language all the same.
            return wished
        if chosen is not None:
            self.set_cookie(LANGUAGE_COOKIE, chosen.value, max_age_s=_A_YEAR_S)
        return chosen or kept or wished

    def in_language(self, language: Language) -> str:
        """The address of this very page in another language, for the language switch."""
        pairs = parse_qsl(_text(self.scope.get("query_string")) or "", keep_blank_values=True)
        kept = [(name, value) for name, value in pairs if name != "lang"]
        return "?" + urlencode([*kept, ("lang", language.value)])

    @property
    def csrf_token(self) -> str:
        """The token of this browser for a form; gives the browser its cookie if it has none."""
        if not self._csrf_cookie:
            self._csrf_cookie = self.cookie(CSRF_COOKIE) or ""
        if not self._csrf_cookie:
            self.renew_csrf()
        return self.site.csrf.token(self._csrf_cookie, self.site.origin)

    def renew_csrf(self) -> None:
        """Give the browser a fresh cookie: at every login and logout, so that old forms die with it."""
        self._csrf_cookie = self.site.csrf.new_cookie()
        self.set_cookie(CSRF_COOKIE, self._csrf_cookie)

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        max_age_s: int | None = None,
        same_site: SameSite = SameSite.LAX,
    ) -> None:
        """Set a cookie with whatever the answer will be; see :func:`inkan.web.cookies.cookie`."""
        self.response_headers.append(cookie(name, value, max_age_s=max_age_s, same_site=same_site))

    def page(self, template: str, /, *, status: int = HTTPStatus.OK, **facts: Any) -> Response:
        """Render a template in the reader's language; it also sees ``exchange`` and the web globals."""
        text = self.site.templates.render(template, self.language, exchange=self, **facts)
        response = html(text, status)
        response.with_header("content-language", self.language)
        return response.with_header("vary", "accept-language, cookie")

    def menu(self) -> tuple[MenuItem, ...]:
        """The entries of the site's menu that this reader sees."""
        principal = self._principal if isinstance(self._principal, Principal) else None
        roles = principal.roles if principal is not None else frozenset[str]()
        return tuple(item for item in self.site.menu if not item.roles or item.roles & roles)

    def allow_form_to(self, origin: str) -> None:
        """Let the forms of this one page end at another origin: the registered return address."""
        policy: Policy = self.policy or self.route.policy
        self.policy = policy.allowing("form-action", origin)

    @property
    def now(self) -> datetime:
        """The instance's time."""
        return self.site.clock.now()


Authenticator = Callable[[Exchange], Awaitable[Principal | None]]
"""From an exchange to its principal; None when nothing was presented.

A proof that was presented and does not hold raises an ``Unauthenticated`` refusal.
"""

Around = Callable[[Exchange, Callable[[Exchange], Awaitable[Response]]], Awaitable[Response]]
"""What stands around an admitted endpoint: the faults of a sandbox."""

current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)
"""The exchange that the running task serves; the log takes its correlation id from here."""


async def nobody(_: Exchange) -> Principal | None:
    """The authenticator of groups whose routes are all public."""
    return None


def exchange_of(scope: Mapping[str, Any]) -> Exchange:
    """The exchange of a framework's request, by its ASGI scope."""
    exchange: Exchange = scope[SCOPE_KEY]
    return exchange


@lru_cache(maxsize=4096)
def _source(host: str) -> str:
    return hashlib.blake2b(network_of(host), digest_size=12, key=_SOURCE_KEY).hexdigest()


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
