"""The clerk's login by card (``/counter/login``).

A GET logs nobody in. The card's answer travels as a field of the page's own form, so that CSRF, limits and redirects
are those of every other form; ``web/static/card_page.js`` fills it in.
"""

from datetime import timedelta
from typing import Any, Final

import msgspec

from inkan.accounts import Accounts, end_browser_login, give_login, login_token
from inkan.counter.pages.parts import (
    FORM_LIMIT,
    HOME_PATH,
    LOGIN_PATH,
    LOGOUT_PATH,
    answer,
    card_policy,
)
from inkan.counter.service import Counter
from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.web.catalogue import card_texts
from inkan.web.cookies import SameSite
from inkan.web.exchange import Exchange
from inkan.web.input import is_local_path
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok, see_other
from inkan.web.routes import Bare, Group, Surface

BROWSER_COOKIE: Final = "__Host-inkan-card-login"

_LIMIT: Final = RateLimit(name="counter-login", requests=30, window=timedelta(minutes=1))
_LOGIN_OPEN: Final = open_to_all("whoever logs in is not known yet; a cookie binds the browser")
_LEAVING_OPEN: Final = open_to_all("whoever leaves needs no right; without a login nothing happens")


class LoginForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the card signed: the challenge's id, and the CMS as base64url."""

    challenge: str = ""
    cms: str = ""
    next: str = ""


class ToSign(msgspec.Struct, frozen=True):
    """What the page hands to the card agent."""

    id: str
    content: str
    content_type: str


def routes(counter: Counter, accounts: Accounts, *, loopback: str) -> Group:
    """The pages of the login."""

    def login_page(
        exchange: Exchange, next_path: str, refusal: InkanError | None = None
    ) -> Response:
        return answer(
            exchange,
            "counter/login.html",
            refusal,
            next_path=next_path if is_local_path(next_path) else "",
            card_texts=card_texts(exchange.language),
            loopback=loopback,
        )

    async def show(exchange: Exchange) -> Response:
        return login_page(exchange, exchange.query("next") or "")

    async def begin(exchange: Exchange) -> Response:
        challenge = await counter.logins.begin()
        exchange.set_cookie(BROWSER_COOKIE, challenge.browser.reveal(), same_site=SameSite.STRICT)
        content = base64url.encode(challenge.content)
        return ok(ToSign(challenge.id, content, challenge.content_type))

    async def log_in(exchange: Exchange) -> Response:
        form = await exchange.form(LoginForm)
        browser = exchange.cookie(BROWSER_COOKIE) or ""
        # Whatever comes of it, this try is over for this browser.
        exchange.set_cookie(BROWSER_COOKIE, "", max_age_s=0, same_site=SameSite.STRICT)
        try:
            login = await counter.logins.finish(
                form.challenge,
                cms=base64url.decode(form.cms),
                browser=browser,
                replaces=login_token(exchange),
            )
        except InkanError as refusal:
            return login_page(exchange, form.next, refusal)
        give_login(exchange, login)
        return see_other(form.next if is_local_path(form.next) else HOME_PATH)

    async def log_out(exchange: Exchange) -> Response:
        await end_browser_login(accounts, exchange)
        return see_other(LOGIN_PATH)

    policy = card_policy(loopback)

    def open_row(endpoint: Any) -> Bare:
        return Bare(endpoint=endpoint, access=_LOGIN_OPEN, body_limit=FORM_LIMIT, policy=policy)

    return Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={
            ("GET", LOGIN_PATH): open_row(show),
            ("POST", f"{LOGIN_PATH}/begin"): open_row(begin),
            ("POST", LOGIN_PATH): open_row(log_in),
            ("POST", LOGOUT_PATH): Bare(endpoint=log_out, access=_LEAVING_OPEN),
        },
    )
