"""The way of one request, the same for every route, whoever serves it.

1. The site, by Host. 2. The row, by path and method. 3. Cookies stay only where browsers come.
4. An unsafe request to a page was sent from this very site. 5. The matrix allows the use case.
6. The sender does not ask too often. 7. The body is within its limit. 8. Its CSRF token fits.
9. The endpoint, in a sandbox with its faults around it. 10. The headers.

Steps 1 to 8 can only refuse. Every answer, refusals included, leaves through step 10.
"""

from http import HTTPStatus
from typing import Final

from inkan.kernel.errors import NotFound
from inkan.web import headers
from inkan.web.asgi import ASGIApp, Message, RawHeaders, Scope, Send
from inkan.web.csrf import CSRF_COOKIE, CSRF_FIELD, CSRF_HEADER
from inkan.web.exchange import Exchange
from inkan.web.input import find_form_field
from inkan.web.limits import Allowance, RateExceeded, RateLimit
from inkan.web.problems import HostUnknown, MethodRefused
from inkan.web.response import Response
from inkan.web.routes import UNSAFE, Route, RouteTable

_IMPLIED: Final = frozenset({"OPTIONS"})


async def respond(
    exchange: Exchange, table: RouteTable | None, framework: ASGIApp | None, send: Send
) -> Response | None:
    """Return the answer, or None when the framework has sent it itself (steps 1 to 9).

    ``table`` is None when the Host names no site.
    """
    # 1. The site.
    exchange.header("host")
    if table is None:
        raise HostUnknown
    # 2. The row.
    options = _find_row(exchange, table)
    if options is not None:
        return options
    await _admit(exchange)
    # 9. The endpoint.
    route: Route = exchange.route
    if route.endpoint is not None:
        around = exchange.site.around
        if around is not None:
            return await around(exchange, route.endpoint)
        return await route.endpoint(exchange)
    assert framework is not None, "a row without an endpoint belongs to the framework"
    await framework(_framework_scope(exchange), exchange.receive, _Finisher(exchange, send))
    return None


def _find_row(exchange: Exchange, table: RouteTable) -> Response | None:
    """Set the exchange's route; or return the answer to OPTIONS, which every path has."""
    rows, exchange.parameters = table.find(exchange.path)
    if not rows:
        raise NotFound
    method = exchange.method
    route = rows.get(method) or (rows.get("GET") if method == "HEAD" else None)
    if route is not None:
        exchange.route = route
        return None
    implied = _IMPLIED | ({"HEAD"} if "GET" in rows else set())
    allow = tuple(sorted(rows.keys() | implied))
    if method != "OPTIONS":
        raise MethodRefused(allow=", ".join(allow))
    return _options(exchange, next(iter(rows.values())), allow)


def _options(exchange: Exchange, route: Route, allow: tuple[str, ...]) -> Response:
    exchange.route = route
    origin = exchange.header("origin")
    cors = route.group.effective_cors
    if cors is not None and origin is not None:
        return cors.preflight(origin, allow)
    return Response(HTTPStatus.NO_CONTENT).with_header("allow", ", ".join(allow))


async def _admit(exchange: Exchange) -> None:
    """Steps 3 to 8."""
    route: Route = exchange.route
    site = exchange.site
    # 3. Cookies stay only where browsers come.
    if not route.is_page:
        exchange.drop(b"cookie")  # programs prove themselves by keys
    # 4. Sent from this very site.
    if route.checks_csrf:
        site.csrf.verify_sender(
            origin=site.origin,
            sent_origin=exchange.header("origin"),
            fetch_site=exchange.header("sec-fetch-site"),
        )
    # 5. The matrix.
    if route.access.use_case is not None:
        await exchange.authorize(route.access.use_case)
    # 6. The rate.
    if route.limit is not None:
        await _take_rate(exchange, route, route.limit)
    # 7. The body.
    if route.method in UNSAFE:
        await exchange.body()
    # 8. Its token.
    if route.checks_csrf:
        await _verify_token(exchange)


async def _take_rate(exchange: Exchange, route: Route, limit: RateLimit) -> None:
    """Count against the principal where one is demanded, else against the sender's address."""
    known = await exchange.find_principal() if route.access.use_case is not None else None
    key = known.id if known is not None else exchange.source
    limit = limit.times(route.group.share(known)) if known is not None else limit
    site = exchange.site
    try:
        exchange.allowance = site.rates.take(limit, key, now=site.clock.monotonic())
    except RateExceeded as refused:
        exchange.allowance = Allowance(limit, 0, refused.facts["retry_after_s"])
        raise


async def _verify_token(exchange: Exchange) -> None:
    token = exchange.header(CSRF_HEADER)
    if token is None:
        token = find_form_field(await exchange.body(), exchange.header("content-type"), CSRF_FIELD)
    cookie = exchange.cookie(CSRF_COOKIE)
    exchange.site.csrf.verify_token(origin=exchange.site.origin, cookie=cookie, token=token)


def _framework_scope(exchange: Exchange) -> Scope:
    """HEAD is served as GET without its body (RFC 9110 §9.3.2)."""
    scope = exchange.scope
    return {**scope, "method": "GET"} if exchange.method == "HEAD" else scope


class _Finisher:
    """The ``send`` of the framework: adds what every answer carries, and drops the body of HEAD."""

    __slots__ = ("_exchange", "_send")

    def __init__(self, exchange: Exchange, send: Send) -> None:
        self._exchange = exchange
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            lines = list(message["headers"])
            finish(message["status"], lines, self._exchange)
            message["headers"] = lines
        elif self._exchange.method == "HEAD":
            message["body"] = b""
        await self._send(message)


async def finish_and_send(response: Response, exchange: Exchange, send: Send) -> None:
    """Step 10 for a response of our own."""
    finish(response.status, response.headers, exchange)
    if response.repeatable is not None:
        _keep(response, exchange)
    await response.send(send, head=exchange.method == "HEAD")


def _keep(response: Response, exchange: Exchange) -> None:
    """Keep an answer that its endpoint calls repeatable, where nothing in it belongs to this request alone."""
    repeatable, body = response.repeatable, response.body
    is_plain = exchange.method == "GET" and not exchange.scope.get("query_string")
    is_shared = not exchange.response_headers and exchange.allowance is None
    target = exchange.scope.get("raw_path")
    if repeatable and target and is_plain and is_shared and isinstance(body, bytes):
        repeatable.answers.keep(target, response.headers, body, repeatable=repeatable)


def finish(status: int, lines: RawHeaders, exchange: Exchange) -> None:
    """Step 10: the one place that every answer passes on its way out."""
    exchange.status = status
    exchange.started = True
    route: Route | None = exchange.route
    lines += exchange.response_headers
    if exchange.allowance is not None:
        lines += exchange.allowance.headers()
    policy = exchange.policy or (route.policy if route is not None else headers.PAGES)
    headers.apply(lines, policy, https=exchange.site.https)
    cors = route.group.effective_cors if route is not None else None
    if cors is not None:
        cors.apply(lines, exchange.header("origin"))
