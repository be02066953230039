"""The start page and the first page of a person who is logged in; it shows the person of the login, nobody else."""

from datetime import timedelta
from typing import Any, Final

from inkan.accounts import Accounts, authenticator, end_browser_login
from inkan.enrolment import Phone
from inkan.portal.pages.places import (
    BROWSERS_PATH,
    CERTIFICATES_PATH,
    CLIENTS_PATH,
    CONSENTS_PATH,
    DEVELOPER_PATH,
    ENROL_PATH,
    HELP_PATH,
    HOME_PATH,
    LOGIN_PATH,
    LOGOUT_PATH,
    NEWS_PATH,
    NOTICES_PATH,
    PHONES_PATH,
    RECORDS_PATH,
    STAFF_PATH,
    START_PATH,
    VERIFY_PATH,
    who,
)
from inkan.portal.pages.uses import row
from inkan.portal.pages.words import PHONE_STATES
from inkan.portal.rules import HOME_NOTICES, HOME_RECORDS
from inkan.portal.service import Portal
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access, open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface

HOME_LIMIT: Final = RateLimit(name="person-home", requests=120, window=timedelta(minutes=1))
_ANYBODY: Final = open_to_all("the start page holds nothing of anybody")
_LEAVING_OPEN: Final = open_to_all("whoever leaves needs no right; without a login nothing happens")


def home_routes(portal: Portal, accounts: Accounts) -> Group:
    """The start page, the home, the notices and the way out."""

    async def start_page(exchange: Exchange) -> Response:
        news = await portal.news(exchange.language)
        return exchange.page(
            "portal/start.html",
            news=news[:HOME_NOTICES],
            news_path=NEWS_PATH,
            home_path=HOME_PATH,
            enrol_path=ENROL_PATH,
            developer_path=DEVELOPER_PATH,
            verify_path=VERIFY_PATH,
            help_path=HELP_PATH,
            staff_path=STAFF_PATH,
        )

    async def home_page(exchange: Exchange) -> Response:
        person, login = await who(exchange)
        home = await portal.home(person, exchange.language)
        return exchange.page(
            "portal/home.html",
            home=home,
            login=login,
            phones=[_phone_facts(phone) for phone in home.phones],
            records=[row(each, exchange) for each in home.records[:HOME_RECORDS]],
            messages=home.notices[:HOME_NOTICES],
            news=home.news[:HOME_NOTICES],
            records_path=RECORDS_PATH,
            phones_path=PHONES_PATH,
            certificates_path=CERTIFICATES_PATH,
            enrol_path=ENROL_PATH,
            consents_path=CONSENTS_PATH,
            browsers_path=BROWSERS_PATH,
            clients_path=CLIENTS_PATH,
            notices_path=NOTICES_PATH,
            logout_path=LOGOUT_PATH,
        )

    async def notices_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        notices, news = await portal.messages(person, exchange.language)
        return exchange.page(
            "portal/notices.html", messages=notices, news=news, home_path=HOME_PATH
        )

    async def log_out(exchange: Exchange) -> Response:
        await end_browser_login(accounts, exchange)
        return see_other(START_PATH)

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=HOME_LIMIT,
        bare={
            ("GET", START_PATH): Bare(endpoint=start_page, access=_ANYBODY),
            ("GET", HOME_PATH): Bare(endpoint=home_page, access=Access("portal.enter")),
            ("GET", NOTICES_PATH): Bare(endpoint=notices_page, access=Access("notices.read")),
            ("POST", LOGOUT_PATH): Bare(endpoint=log_out, access=_LEAVING_OPEN),
        },
    )


def _phone_facts(phone: Phone) -> dict[str, Any]:
    ends = [each.not_after for each in phone.certificates.values()]
    return {
        "name": phone.name,
        "state": PHONE_STATES[phone.state],
        "bound_at": phone.bound_at,
        "until": min(ends) if ends else None,
    }
