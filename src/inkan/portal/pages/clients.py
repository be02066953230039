"""The services that the person is logged in to through the platform, and ending what one of them holds."""

from datetime import timedelta
from typing import Any, Final

from inkan.accounts import Accounts, authenticator
from inkan.federation import LivingClient, Logout
from inkan.portal.pages.places import CLIENTS_PATH, HOME_PATH, LOGIN_PATH, who
from inkan.portal.pages.words import SCOPES
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface

_LIMIT: Final = RateLimit(name="person-clients", requests=120, window=timedelta(minutes=1))
_CLIENTS: Final = Access("portal.clients")


def client_routes(logout: Logout, accounts: Accounts) -> Group:
    """The page of services with a living login; each act is a form of this site."""

    async def clients_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        clients = await logout.clients(person)
        return exchange.page(
            "portal/clients.html", clients=[_facts(each) for each in clients], home_path=HOME_PATH
        )

    async def revoke(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        await logout.revoke_client(person, exchange.parameters["id"])
        return see_other(CLIENTS_PATH)

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_LIMIT,
        bare={
            ("GET", CLIENTS_PATH): Bare(endpoint=clients_page, access=_CLIENTS),
            ("POST", f"{CLIENTS_PATH}/{{id}}/revoke"): Bare(endpoint=revoke, access=_CLIENTS),
        },
    )


def _facts(client: LivingClient) -> dict[str, Any]:
    return {
        "path": f"{CLIENTS_PATH}/{client.system}/revoke",
        "name": client.name,
        "domain": client.domain,
        "given": [SCOPES[scope] for scope in client.scopes if scope in SCOPES],
        "since": client.since,
        "latest": client.latest,
        "until": client.until,
    }
