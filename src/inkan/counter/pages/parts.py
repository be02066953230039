"""What these pages share: who stands behind the counter, a case as it is shown, a refusal told on the page itself."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from inkan.accounts import Accounts, Login, authenticator
from inkan.counter.model import Case, CaseKind, CaseState, Clerk, ClerkNotOnDuty
from inkan.counter.pages import words
from inkan.counter.service import Counter
from inkan.counter.service.holding import needs_second_clerk
from inkan.kernel.errors import Category, InkanError
from inkan.web import headers
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.problems import status_of
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface

HOME_PATH: Final = "/counter"
LOGIN_PATH: Final = "/counter/login"
LOGOUT_PATH: Final = "/counter/logout"
SHIFT_PATH: Final = "/counter/shift"
CASES_PATH: Final = "/counter/cases"
NEW_PATH: Final = "/counter/cases/new"
CASE_PATH: Final = "/counter/cases/{id}"
STAFF_LOGIN_PATH: Final = "/staff/login"

FORM_LIMIT: Final = 128 * 1024
"""An answer of the card program carries two requests for certificates, a CMS a certificate and its issuers."""
_LIMIT: Final = RateLimit(name="counter", requests=240, window=timedelta(minutes=1))

FACTS: Final[Mapping[str, Any]] = {
    "kinds": words.KINDS,
    "states": words.STATES,
    "document_kinds": words.DOCUMENT_KINDS,
    "causes": words.CAUSES,
    "sexes": words.SEXES,
    "home_path": HOME_PATH,
    "login_path": LOGIN_PATH,
    "logout_path": LOGOUT_PATH,
    "shift_path": SHIFT_PATH,
    "cases_path": CASES_PATH,
    "new_path": NEW_PATH,
    "staff_login_path": STAFF_LOGIN_PATH,
}


def group(accounts: Accounts, bare: Mapping[tuple[str, str], Bare]) -> Group:
    """A group of pages for clerks."""
    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_LIMIT,
        bare=bare,
    )


def card_policy(loopback: str) -> headers.Policy:
    """The policy of a page that speaks to a card agent; ``loopback`` is the address of one on this machine, if any."""
    return headers.PAGES.allowing("connect-src", loopback) if loopback else headers.PAGES


async def login_of(exchange: Exchange) -> Login:
    """The login that this request was admitted by."""
    principal = await exchange.get_principal()
    login: Login = principal.record
    return login


async def clerk_of(counter: Counter, exchange: Exchange) -> Clerk:
    """The clerk of this login.

    Raises:
        ClerkNotOnDuty: the account works at no office.
    """
    login = await login_of(exchange)
    clerk = await counter.offices.clerk_of(login.account)
    if clerk is None:
        raise ClerkNotOnDuty
    return clerk


async def on_duty(counter: Counter, exchange: Exchange) -> Clerk:
    """The clerk of this login, whose shift goes on: nobody else is shown a case or prints a paper of one.

    Raises:
        ClerkNotOnDuty: the account works at no office, or not now.
    """
    clerk = await clerk_of(counter, exchange)
    if clerk.shift is None:
        raise ClerkNotOnDuty
    return clerk


def waits_for_second(case: Case) -> bool:
    """Whether another clerk has to look at the person first (JPKI-20)."""
    return case.state is CaseState.IDENTIFIED and needs_second_clerk(case)


async def accepted_at(counter: Counter, case: Case) -> datetime | None:
    """When the certificates ended by a report; the acceptance notice says so. None for other cases."""
    if case.kind is not CaseKind.REVOKE or case.state is not CaseState.DONE:
        return None
    pki, ended = counter.parts.pki, next(iter(case.certificates.values()))
    status = await counter.parts.db.read(pki.find_status, ended)
    return status.changed_at if status else None


def case_facts(case: Case) -> dict[str, Any]:
    """What a page shows of a case."""
    return {
        "id": case.id,
        "kind": case.kind.value,
        "title": words.KINDS[case.kind],
        "state": words.STATES[case.state],
        "position": _position(case),
        "part": _part(case),
        "waits_for_second": waits_for_second(case),
        "document": case.document,
        "card": case.card,
        "paid": case.paid,
        "cause": case.cause,
        "created_at": case.created_at,
        "expires_at": case.expires_at,
        "is_open": case.state not in {CaseState.DONE, CaseState.WITHDRAWN},
        "path": f"{CASES_PATH}/{case.id}",
    }


def _position(case: Case) -> int:
    if case.state is CaseState.DONE:
        return len(words.STEPS[case.kind])
    return words.POSITIONS[case.state]


# The template that says what is to be done now.
_PARTS: Final[Mapping[tuple[CaseKind, CaseState], str]] = {
    **{(kind, CaseState.OPENED): "identify" for kind in CaseKind},
    **{(kind, CaseState.DONE): "done" for kind in CaseKind},
    **{(kind, CaseState.WITHDRAWN): "withdrawn" for kind in CaseKind},
    (CaseKind.ISSUE, CaseState.IDENTIFIED): "keys",
    (CaseKind.ISSUE, CaseState.KEYED): "order",
    (CaseKind.ISSUE, CaseState.ORDERED): "write",
    (CaseKind.ISSUE, CaseState.WRITTEN): "hand_over",
    (CaseKind.PIN, CaseState.IDENTIFIED): "unlock",
    (CaseKind.REVOKE, CaseState.IDENTIFIED): "revoke",
}


def _part(case: Case) -> str:
    if waits_for_second(case):
        return "second"
    return _PARTS[case.kind, case.state]


def told(refusal: InkanError) -> InkanError:
    """A refusal that the page itself can tell.

    Raises:
        InkanError: the very refusal, when it is our own fault; the toolkit logs and answers it.
    """
    if refusal.category is Category.UNAVAILABLE:
        raise refusal
    return refusal


def answer(
    exchange: Exchange, template: str, refusal: InkanError | None = None, **facts: Any
) -> Response:
    """The page; with the refusal's own text and status when there is one."""
    if refusal is None:
        return exchange.page(template, fault="", **FACTS, **facts)
    return exchange.page(
        template,
        status=HTTPStatus(status_of(told(refusal))),
        fault=entry(refusal.code).text(exchange.language),
        **FACTS,
        **facts,
    )
