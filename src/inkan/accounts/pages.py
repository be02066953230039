"""Pages of the staff login: accept an invitation, log in, see one's login, log out (``/staff``).

A passkey's answer travels as a field of the page's own form, so that CSRF, limits and redirects are those of
every other form; ``web/static/passkey.js`` fills it in.
"""

from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec

from inkan.accounts.model import Login
from inkan.accounts.rules import ROLE_TITLES
from inkan.accounts.service import (
    INVITE_PATH,
    Accounts,
    authenticator,
    end_browser_login,
    give_login,
    login_token,
)
from inkan.kernel.errors import Category, InkanError
from inkan.web import headers
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.input import is_local_path
from inkan.web.limits import RateLimit
from inkan.web.principal import Access, open_to_all
from inkan.web.problems import status_of
from inkan.web.response import Response, ok, see_other
from inkan.web.routes import Bare, Group, Surface

FOLDER: Final = Path(__file__).parent
"""Where this package's templates and texts are: ``Templates({"accounts": FOLDER})``."""

HOME_PATH: Final = "/staff"
LOGIN_PATH: Final = "/staff/login"
LOGOUT_PATH: Final = "/staff/logout"
FORM_LIMIT: Final = 48 * 1024
"""A registration may carry an attestation of a few kilobytes."""

_LIMIT = RateLimit(name="staff-login", requests=30, window=timedelta(minutes=1))
_LOGIN_OPEN = open_to_all("whoever logs in is not known yet")
_INVITE_OPEN = open_to_all("the invitation's code, held by the invited, is the authentication")
_LEAVING_OPEN = open_to_all("whoever leaves needs no right; without a login nothing happens")
_ASKS_FOR_PASSKEY = headers.PAGES.granting("publickey-credentials-get")
_MAKES_PASSKEY = headers.PAGES.granting("publickey-credentials-create")


class LoginForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey's answer: the challenge's id, and the browser's JSON."""

    ceremony: str
    credential: str
    next: str = ""


class CodeForm(msgspec.Struct, frozen=True):
    """The code of an invitation."""

    code: str


class InviteForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of an invitation, and the new passkey."""

    code: str
    ceremony: str
    credential: str


def routes(accounts: Accounts, *, home: str = HOME_PATH) -> Group:
    """The pages of the staff login; after it a browser goes where it wanted to, else to ``home``."""

    async def login_page(exchange: Exchange) -> Response:
        return _login_page(exchange, next_path=exchange.query("next") or "")

    async def begin_login(_: Exchange) -> Response:
        return ok(await accounts.begin_login())

    async def log_in(exchange: Exchange) -> Response:
        form = await exchange.form(LoginForm)
        try:
            login = await accounts.log_in(
                form.ceremony, answer=form.credential.encode(), replaces=login_token(exchange)
            )
        except InkanError as refusal:
            return _login_page(exchange, next_path=form.next, refusal=_told(refusal))
        give_login(exchange, login)
        return see_other(form.next if is_local_path(form.next) else home)

    async def invite_page(exchange: Exchange) -> Response:
        return _invite_page(exchange)

    async def begin_acceptance(exchange: Exchange) -> Response:
        form = await exchange.form(CodeForm)
        return ok(await accounts.begin_acceptance(form.code))

    async def accept(exchange: Exchange) -> Response:
        form = await exchange.form(InviteForm)
        try:
            login = await accounts.accept(
                form.code,
                ceremony=form.ceremony,
                answer=form.credential.encode(),
                replaces=login_token(exchange),
            )
        except InkanError as refusal:
            return _invite_page(exchange, refusal=_told(refusal))
        give_login(exchange, login)
        return see_other(home)

    async def home_page(exchange: Exchange) -> Response:
        principal = await exchange.get_principal()
        login: Login = principal.record
        account = await accounts.account(login.account)
        assert account.name is not None
        return exchange.page(
            "accounts/home.html",
            name=account.name.reveal(),
            roles=[ROLE_TITLES[role] for role in sorted(login.roles)],
            login=login,
            login_path=LOGIN_PATH,
            logout_path=LOGOUT_PATH,
        )

    async def log_out(exchange: Exchange) -> Response:
        await end_browser_login(accounts, exchange)
        return see_other(LOGIN_PATH)

    def bare(endpoint: Any, access: Access, policy: headers.Policy | None = None) -> Bare:
        return Bare(endpoint=endpoint, access=access, body_limit=FORM_LIMIT, policy=policy)

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_LIMIT,
        bare={
            ("GET", LOGIN_PATH): bare(login_page, _LOGIN_OPEN, _ASKS_FOR_PASSKEY),
            ("POST", f"{LOGIN_PATH}/begin"): bare(begin_login, _LOGIN_OPEN),
            ("POST", LOGIN_PATH): bare(log_in, _LOGIN_OPEN, _ASKS_FOR_PASSKEY),
            ("GET", INVITE_PATH): bare(invite_page, _INVITE_OPEN, _MAKES_PASSKEY),
            ("POST", f"{INVITE_PATH}/begin"): bare(begin_acceptance, _INVITE_OPEN),
            ("POST", INVITE_PATH): bare(accept, _INVITE_OPEN, _MAKES_PASSKEY),
            ("GET", HOME_PATH): bare(home_page, Access("console.enter")),
            ("POST", LOGOUT_PATH): bare(log_out, _LEAVING_OPEN),
        },
    )


def _told(refusal: InkanError) -> InkanError:
    """A refusal that the page itself can tell.

    Raises:
        InkanError: the very refusal, when it is our own fault; the toolkit logs and answers it.
    """
    if refusal.category is Category.UNAVAILABLE:
        raise refusal
    return refusal


def _login_page(
    exchange: Exchange, *, next_path: str, refusal: InkanError | None = None
) -> Response:
    return _page(
        exchange,
        "accounts/login.html",
        refusal,
        action=LOGIN_PATH,
        next_path=next_path if is_local_path(next_path) else "",
    )


def _invite_page(exchange: Exchange, *, refusal: InkanError | None = None) -> Response:
    return _page(exchange, "accounts/invite.html", refusal, action=INVITE_PATH)


def _page(exchange: Exchange, template: str, refusal: InkanError | None, **facts: Any) -> Response:
    if refusal is None:
        return exchange.page(template, fault="", **facts)
    fault = entry(refusal.code).text(exchange.language)
    status = HTTPStatus(status_of(refusal))
    return exchange.page(template, status=status, fault=fault, **facts)
