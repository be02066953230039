"""What the person gave and to whom, and the browsers that relying parties know as the person's."""

from datetime import timedelta
from typing import Any, Final

from inkan.accounts import Accounts, authenticator
from inkan.audit import Actor, ActorKind
from inkan.identification import ConsentView
from inkan.portal.pages.places import (
    BROWSERS_PATH,
    CONSENTS_PATH,
    HOME_PATH,
    LOGIN_PATH,
    who,
)
from inkan.portal.service import Portal
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.claims import Claim, claim_names

_LIMIT: Final = RateLimit(name="person-consents", requests=120, window=timedelta(minutes=1))
_CONSENTS: Final = Access("portal.consents")
_BROWSERS: Final = Access("portal.browsers")


def consent_routes(portal: Portal, accounts: Accounts) -> Group:
    """The pages of consents and known browsers; each act is a form of this site."""

    async def consents_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        consents = await portal.consents(person)
        return exchange.page(
            "portal/consents.html",
            consents=[_facts(each, exchange) for each in consents],
            home_path=HOME_PATH,
        )

    async def withdraw(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        actor = Actor(ActorKind.PERSON, person)
        await portal.withdraw_consent(person, exchange.parameters["id"], actor=actor)
        return see_other(CONSENTS_PATH)

    async def browsers_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        return exchange.page(
            "portal/browsers.html",
            browsers=await portal.browsers(person),
            browsers_path=BROWSERS_PATH,
            home_path=HOME_PATH,
        )

    async def forget(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        actor = Actor(ActorKind.PERSON, person)
        await portal.forget_browser(person, exchange.parameters["id"], actor=actor)
        return see_other(BROWSERS_PATH)

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_LIMIT,
        bare={
            ("GET", CONSENTS_PATH): Bare(endpoint=consents_page, access=_CONSENTS),
            ("POST", f"{CONSENTS_PATH}/{{id}}/withdraw"): Bare(endpoint=withdraw, access=_CONSENTS),
            ("GET", BROWSERS_PATH): Bare(endpoint=browsers_page, access=_BROWSERS),
            ("POST", f"{BROWSERS_PATH}/{{id}}/forget"): Bare(endpoint=forget, access=_BROWSERS),
        },
    )


def _facts(consent: ConsentView, exchange: Exchange) -> dict[str, Any]:
    names = claim_names()
    return {
        "path": f"{CONSENTS_PATH}/{consent.id}/withdraw",
        "at": consent.at,
        "asker": consent.relying_party,
        "domain": consent.domain,
        "given": [names[Claim(code)][exchange.language.value] for code in consent.codes],
        "withdrawn_at": consent.withdrawn_at,
    }
