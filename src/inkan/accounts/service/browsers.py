"""How a browser carries its login: one ``__Host-`` cookie, and the principal that the matrix judges."""

from typing import Final

from inkan.accounts.model import AccountKind, Login, LoginEnded, LoginToken
from inkan.accounts.rules import LOGIN_RULES
from inkan.accounts.service.accounts import Accounts
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Principal, PrincipalKind

LOGIN_COOKIE: Final = "__Host-inkan-login"
_KINDS: Final = {
    AccountKind.STAFF: PrincipalKind.STAFF,
    AccountKind.PERSON: PrincipalKind.PERSON,
}


def authenticator(accounts: Accounts) -> Authenticator:
    """From a browser's cookie to the principal of its login; every request winds the idle clock up.

    A cookie of a login that has ended is taken away and refused by ``LoginEnded``, which leads a page to its
    group's login page.
    """

    async def authenticate(exchange: Exchange) -> Principal | None:
        token = login_token(exchange)
        if token is None:
            return None
        login = await accounts.find_login(token)
        if login is None:
            exchange.set_cookie(LOGIN_COOKIE, "", max_age_s=0)
            raise LoginEnded()
        return principal_of(login)

    return authenticate


def principal_of(login: Login) -> Principal:
    """The principal of a login: a person by their person id, staff by their account."""
    return Principal(
        kind=_KINDS[login.kind],
        id=login.person or login.account,
        roles=frozenset(login.roles),
        assurance=login.assurance,
        verified_at=login.verified_at,
        tenant=login.tenant,
        record=login,
    )


def login_token(exchange: Exchange) -> str | None:
    """The token that a browser presents, live or not; None when it presents none."""
    return exchange.cookie(LOGIN_COOKIE) or None


def give_login(exchange: Exchange, login: LoginToken) -> None:
    """Let the browser carry a login from now on; forms that it had open before die with their CSRF cookie.

    The cookie ends with the browser; the login itself ends by the platform's clocks.
    """
    same_site = LOGIN_RULES[login.login.kind].same_site
    exchange.set_cookie(LOGIN_COOKIE, login.token.reveal(), same_site=same_site)
    exchange.renew_csrf()


async def end_browser_login(accounts: Accounts, exchange: Exchange) -> None:
    """End the login that a browser carries, on the platform and in the browser."""
    token = login_token(exchange)
    if token is not None:
        await accounts.log_out(token)
    exchange.set_cookie(LOGIN_COOKIE, "", max_age_s=0)
    exchange.renew_csrf()
