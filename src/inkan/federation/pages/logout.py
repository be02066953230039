"""The logout page: asks, ends the login, and leads back to the client's registered address."""

from datetime import timedelta
from typing import Final

import msgspec

from inkan.federation.model.logout import Leaving, LogoutRefused, LogoutWish
from inkan.federation.rules import LOGIN_COOKIE
from inkan.federation.service import Logout
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface

PATH: Final = "/openid/logout"
CONFIRM_PATH: Final = "/openid/logout/confirm"
_LIMIT: Final = RateLimit(name="openid-logout", requests=120, window=timedelta(minutes=1))
_OPEN: Final = open_to_all(
    "whoever leaves needs no right; the hint or the form says which login ends"
)
_MEMBERS: Final = LogoutWish.__struct_fields__


def logout_page_routes(logout: Logout) -> Group:
    """The page and its form."""

    async def begin(exchange: Exchange) -> Response:
        wish = _wish(exchange)
        leaving = await logout.check(wish)
        if await logout.is_asked(leaving, browser=_browser(exchange)):
            return exchange.page(
                "federation/logout.html",
                leaving=leaving,
                members=[(name, getattr(wish, name)) for name in _MEMBERS if getattr(wish, name)],
                confirm_path=CONFIRM_PATH,
            )
        await _end(logout, leaving, exchange)
        return see_other(leaving.back) if leaving.back else _done(exchange, leaving)

    async def confirm(exchange: Exchange) -> Response:
        leaving = await logout.check(await exchange.form(LogoutWish))
        await _end(logout, leaving, exchange)
        # A form may lead to this site only, also by its redirects (CSP form-action); the page leads on by itself.
        return _done(exchange, leaving)

    return Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={
            ("GET", PATH): Bare(endpoint=begin, access=_OPEN),
            ("POST", CONFIRM_PATH): Bare(endpoint=confirm, access=_OPEN),
        },
    )


async def _end(logout: Logout, leaving: Leaving, exchange: Exchange) -> None:
    browser = _browser(exchange)
    await logout.end(leaving, browser=browser)
    if browser:
        exchange.set_cookie(LOGIN_COOKIE, "", max_age_s=0)


def _done(exchange: Exchange, leaving: Leaving) -> Response:
    return exchange.page("federation/logged_out.html", leaving=leaving)


def _browser(exchange: Exchange) -> str:
    """The cookie of this browser's login; an empty one is nobody's."""
    return exchange.cookie(LOGIN_COOKIE) or ""


def _wish(exchange: Exchange) -> LogoutWish:
    """The parameters of the query, of the same lengths as in a form.

    Raises:
        LogoutRefused: one is longer.
    """
    said = {name: exchange.query(name) or "" for name in _MEMBERS}
    try:
        return msgspec.convert(said, LogoutWish)
    except msgspec.ValidationError:
        raise LogoutRefused("a parameter is too long") from None
