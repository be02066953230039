"""From a refusal to an HTTP answer: the only place that knows status codes.

Programs get RFC 9457 problems, people get a page; both from the same leaf and the same catalogue entry.
Whatever is not an ``InkanError`` is a bare 500 with the id under which the log keeps its trace.
"""

from collections.abc import Awaitable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import msgspec

from inkan.kernel.errors import Category, InkanError
from inkan.web.catalogue import Entry, entry
from inkan.web.exchange import Exchange
from inkan.web.log import get_logger
from inkan.web.principal import LoginRequired, VerificationStale
from inkan.web.request import ClientGone
from inkan.web.response import Response, see_other

PROBLEM: Final = "application/problem+json"
STATUS: Final = {
    Category.MALFORMED: HTTPStatus.BAD_REQUEST,
    Category.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Category.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Category.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Category.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Category.CONFLICT: HTTPStatus.CONFLICT,
    Category.GONE: HTTPStatus.GONE,
    Category.TOO_MANY: HTTPStatus.TOO_MANY_REQUESTS,
    Category.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}
_BY_CODE: Final = {
    "internal": HTTPStatus.INTERNAL_SERVER_ERROR,
    "host_unknown": HTTPStatus.MISDIRECTED_REQUEST,
    "media_type_refused": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "method_refused": HTTPStatus.METHOD_NOT_ALLOWED,
}
"""Leaves of this toolkit that HTTP has a more exact word for."""
_NO_DETAIL: Final = frozenset({Category.NOT_FOUND})
"""Unknown and not yours are one answer, so nothing that could tell them apart is said."""
_log = get_logger("inkan.web")


class HostUnknown(InkanError):
    """The Host header names no site of this server."""

    code = "host_unknown"
    category = Category.MALFORMED
    title = "No site of that name is served here"


class MethodRefused(InkanError):
    """The path exists, but not with this method."""

    code = "method_refused"
    category = Category.MALFORMED
    title = "This address does not take that method"
    public = ("allow",)


def status_of(error: InkanError) -> HTTPStatus:
    """The HTTP status of a refusal."""
    return status_of_kind(type(error))


def status_of_kind(kind: type[InkanError]) -> HTTPStatus:
    """The HTTP status of every refusal of this leaf."""
    return _BY_CODE.get(kind.code) or STATUS[kind.category]


def answer(error: Exception, exchange: Exchange) -> Response:
    """Return what the sender hears of ``error``; what is our own fault is logged with its trace."""
    refusal = error if isinstance(error, InkanError) else InkanError()
    status = status_of(refusal)
    route = exchange.route
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        template = route.template if route is not None else ""
        _log.error("request_failed", code=refusal.code, route=template, exc_info=error)
    if route is not None and route.errors is not None:
        response: Response = route.errors(refusal, exchange)
    elif _wants_page(exchange):
        response = _page(refusal, status, exchange)
    else:
        response = problem(refusal, exchange)
    return _with_fields(response, refusal, status, exchange)


async def answered(attempt: Awaitable[Response | None], exchange: Exchange) -> Response | None:
    """Await an attempt to answer and return its answer, or the answer to whatever it raised.

    Raises:
        ClientGone: nobody is there to hear it.
        Exception: the head of an answer has left already; the server breaks the connection, so that
            half an answer cannot be taken for a whole one.
    """
    try:
        return await attempt
    except ClientGone:
        raise
    except Exception as error:
        if exchange.started:
            _log.error("answer_broken", route=exchange.route.template, exc_info=error)
            raise
        return answer(error, exchange)


def problem(error: InkanError, exchange: Exchange) -> Response:
    """The RFC 9457 problem of a refusal, its text in the caller's language."""
    status = status_of(error)
    body = msgspec.json.encode(problem_members(error, status, exchange))
    response = Response(status, body, media_type=PROBLEM)
    return response.with_header("content-language", exchange.language)


def problem_members(error: InkanError, status: int, exchange: Exchange) -> dict[str, Any]:
    """The members of a problem: those of RFC 9457 §3.1, then ours, then the public facts."""
    described = entry(error.code)
    members: dict[str, Any] = {
        "type": f"urn:inkan:problem:{error.code}",
        "title": error.title,
        "status": int(status),
        "instance": f"urn:inkan:request:{exchange.correlation_id}",
        "code": error.code,
        "text": described.text(exchange.language),
        "owner": described.owner,
        "retry": described.retry,
    }
    if exchange.site.help:
        members["help"] = exchange.site.help + error.code
    if error.detail and error.category not in _NO_DETAIL:
        members["detail"] = error.detail
    facts = error.public_facts
    if _is_pointer(facts.get("where")):
        members["errors"] = [{"pointer": facts.pop("where"), "expected": facts.pop("expected", "")}]
    return facts | members


def _is_pointer(where: Any) -> bool:
    return isinstance(where, str) and (not where or where.startswith("/"))


def _wants_page(exchange: Exchange) -> bool:
    """Whether a person reads the answer: a page's route, or no route at all, in a browser."""
    route = exchange.route
    return (route is None or route.is_page) and "text/html" in _accept(exchange)


def _accept(exchange: Exchange) -> str:
    try:
        return exchange.header("accept") or ""
    except InkanError:
        return ""


def _page(error: InkanError, status: HTTPStatus, exchange: Exchange) -> Response:
    route = exchange.route
    # A proof that is too old is made anew in the same place, and leads back to what was wanted.
    if (
        isinstance(error, LoginRequired | VerificationStale)
        and route is not None
        and route.group.login_path
    ):
        return see_other(_login(route.group.login_path, exchange))
    described: Entry = entry(error.code)
    try:
        return exchange.page(
            "web/error.html",
            status=status,
            error=error,
            text=described.text(exchange.language),
            retry=described.retry,
        )
    except Exception as fault:  # noqa: BLE001  a page that cannot be drawn must not hide its error
        _log.error("error_page_failed", code=error.code, exc_info=fault)
        return problem(error, exchange)


def _login(path: str, exchange: Exchange) -> str:
    """The login page, which leads back here when this was a mere look (RFC 9110 §9.2.1)."""
    if exchange.method not in {"GET", "HEAD"}:
        return path
    query = exchange.scope.get("query_string", b"").decode("latin-1")
    back = f"{exchange.path}?{query}" if query else exchange.path
    return f"{path}?next={quote(back, safe='')}"


def _with_fields(
    response: Response, error: InkanError, status: HTTPStatus, exchange: Exchange
) -> Response:
    """Add what HTTP asks of these statuses: Retry-After, WWW-Authenticate, Allow."""
    retry_after_s = error.facts.get("retry_after_s")
    if retry_after_s is not None:
        response.with_header("retry-after", str(int(retry_after_s)))
    route = exchange.route
    if status == HTTPStatus.UNAUTHORIZED and route is not None and route.group.challenge:
        response.with_header("www-authenticate", route.group.challenge)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.with_header("allow", str(error.facts.get("allow", "")))
    return response
