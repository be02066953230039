"""The authorization endpoint as browsers meet it: on to the login page, back to the client, or a page that says why not.

A redirect leaves only with an answer whose address was verified; every refusal before that is a page.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from inkan.crypto import base64url
from inkan.federation.model.refusals import RequestRefused
from inkan.federation.model.response import LoginPage, Rendered
from inkan.federation.rules import LOGIN_COOKIE
from inkan.federation.service import OpenIDProvider
from inkan.federation.service.authorizing import RETURN_PATH
from inkan.federation.service.browsers import COOKIE_LENGTH
from inkan.federation.service.parameters import REQUEST_LIMIT, read_parameters
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import random_bytes
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.headers import PAGES
from inkan.web.input import check_media_type
from inkan.web.languages import Language, negotiate
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.problems import MethodRefused, status_of
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.oauth import OAuthError

PATH: Final = "/authorize"
BROWSER_COOKIE: Final = "__Host-inkan-authorize"
"""Binds a login that has begun to the browser that began it."""
"""The login of a browser, for logout and, where the operator admits it, for another client."""

# By sender's address, behind which a whole office may sit.
_LIMIT: Final = RateLimit(name="authorize", requests=300, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("whoever logs in is not known yet; the cookie binds the browser")
_LANGUAGES: Final = frozenset({"en", "ja", "zh"})


def authorization_routes(provider: OpenIDProvider) -> list[Group]:
    """The authorization endpoint by GET and POST, and the way back from the login page."""

    async def authorize(exchange: Exchange) -> Response:
        _refuse_head(exchange)
        raw: bytes = exchange.scope.get("query_string", b"")
        if len(raw) > REQUEST_LIMIT:
            raise RequestRefused("the request is too long")
        begun = await provider.authorization.begin(
            read_parameters(raw), browser=_begun(exchange), login=_login(exchange)
        )
        if isinstance(begun, LoginPage):
            return see_other(begun.url + _in_language(begun.ui_locales))
        return _leave(exchange, begun)

    async def send_on(exchange: Exchange) -> Response:
        # OIDC Core §3.1.2.1 wants POST too. Cookies do not come with a form of another site (SameSite=Lax); they
        # do with the GET that follows.
        check_media_type(exchange.header("content-type"), "application/x-www-form-urlencoded")
        body = await exchange.body()
        read_parameters(body)
        return see_other(f"{PATH}?{body.decode('ascii')}")

    async def finish(exchange: Exchange) -> Response:
        _refuse_head(exchange)
        answer, login_cookie = await provider.authorization.finish(
            exchange.query("session") or "",
            return_code=exchange.query("return_code") or "",
            browser=exchange.cookie(BROWSER_COOKIE) or "",
            login=_login(exchange),
        )
        if login_cookie is not None:
            exchange.set_cookie(LOGIN_COOKIE, login_cookie)
        return _leave(exchange, answer)

    pages = Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={
            ("GET", PATH): Bare(endpoint=authorize, access=_OPEN, errors=_refusal),
            ("GET", RETURN_PATH): Bare(endpoint=finish, access=_OPEN, errors=_refusal),
        },
    )
    # Forms of clients' sites come without our token, and change nothing: a route for programs, without cookies.
    forms = Group(
        surface=Surface.API,
        limit=_LIMIT,
        policy=PAGES,
        bare={
            ("POST", PATH): Bare(
                endpoint=send_on, access=_OPEN, errors=_refusal, body_limit=REQUEST_LIMIT
            )
        },
    )
    return [pages, forms]


def _refuse_head(exchange: Exchange) -> None:
    """A request of this endpoint begins something; a look at its headers may not."""
    if exchange.method == "HEAD":
        raise MethodRefused(allow="GET, POST")


def _leave(exchange: Exchange, answer: Rendered) -> Response:
    if not answer.fields:
        return see_other(answer.location)
    parts = urlsplit(answer.location)
    exchange.allow_form_to(f"{parts.scheme}://{parts.netloc}")
    return exchange.page("federation/form_post.html", answer=answer)


def _refusal(error: InkanError, exchange: Exchange) -> Response:
    """What went wrong, on a page: for the person in words, for the client's developer in OAuth's code."""
    return exchange.page(
        "federation/refused.html",
        status=status_of(error),
        text=entry(error.code).text(exchange.language),
        error=error.error if isinstance(error, OAuthError) else "",
        code=error.code,
    )


def _login(exchange: Exchange) -> str:
    return exchange.cookie(LOGIN_COOKIE) or ""


def _begun(exchange: Exchange) -> str:
    """The cookie of this browser, given to it when it has none."""
    browser = exchange.cookie(BROWSER_COOKIE) or ""
    if len(browser) != COOKIE_LENGTH:
        browser = base64url.encode(random_bytes(32))
        # Lax: the browser comes back from the wallet's site.
        exchange.set_cookie(BROWSER_COOKIE, browser)
    return browser


def _in_language(ui_locales: list[str]) -> str:
    """The query that opens the login page in the first wished language that it has."""
    for tag in ui_locales:
        if tag.split("-")[0].lower() in _LANGUAGES:
            return f"?lang={negotiate(tag, Language.EN)}"
    return ""
