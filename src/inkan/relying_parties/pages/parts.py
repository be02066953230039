"""What these pages share: who is logged in, what people read for a state, and a refusal told on the page itself."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from inkan.accounts import Accounts, Login, authenticator
from inkan.crypto import jwk
from inkan.kernel.errors import Category, InkanError, Malformed
from inkan.relying_parties.model.application import ApplicationState, ContactRole
from inkan.relying_parties.model.window import WindowState
from inkan.relying_parties.pages.openid_forms import shown as openid_shown
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.problems import status_of
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.binding import Door
from inkan.wire.claims import claim_names

LOGIN_PATH: Final = "/staff/login"
FORM_LIMIT: Final = 192 * 1024
_LIMIT: Final = RateLimit(name="onboarding", requests=120, window=timedelta(minutes=1))

# What people read: English, the key of its translations.
STATES: Final[Mapping[ApplicationState, str]] = {
    ApplicationState.DRAFT: "Draft",
    ApplicationState.SEALED: "Sealed",
    ApplicationState.IN_REVIEW: "In review",
    ApplicationState.RETURNED: "Returned for correction",
    ApplicationState.REFUSED: "Refused",
    ApplicationState.APPROVED: "Approved",
}
WINDOW_STATES: Final[Mapping[WindowState, str]] = {
    WindowState.ANNOUNCED: "Announced",
    WindowState.CONFIRMED: "Confirmed",
    WindowState.REFUSED: "Refused",
    WindowState.WITHDRAWN: "Taken back",
}
SYSTEM_STATES: Final = {"active": "Active", "suspended": "Suspended"}
DOORS: Final[Mapping[Door, str]] = {
    Door.QR: "QR code",
    Door.PUSH: "Push to the phone",
    Door.WEB_LINK: "Link from a mobile browser",
    Door.REDIRECT: "Redirect page",
    Door.APP_LINK: "Link from an app",
}
CONTACTS: Final[Mapping[ContactRole, str]] = {
    ContactRole.RESPONSIBLE: "Responsible",
    ContactRole.TECHNICAL: "Technical",
    ContactRole.SECURITY: "Security",
}
SECTORS: Final = {
    "government": "Government",
    "finance": "Finance",
    "telecom": "Telecommunications",
    "health": "Health",
    "education": "Education",
    "other": "Other",
}
KINDS: Final = {
    "identify": "Who somebody is",
    "approve": "Approval of contents",
    "sign": "Signature on documents",
}


def utc(at: datetime) -> str:
    """A time whose zone nobody has to guess: ``2026-11-21 22:55 UTC``."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def thumbprint(public: dict[str, Any]) -> str:
    """The name of a key wherever it is shown (RFC 7638)."""
    return jwk.thumbprint(jwk.load_jwk(public))


FACTS: Final[Mapping[str, Any]] = {
    "kind_names": KINDS,
    "claim_names": claim_names(),
    "utc": utc,
    "thumbprint": thumbprint,
    "states": STATES,
    "window_states": WINDOW_STATES,
    "system_states": SYSTEM_STATES,
    "door_names": DOORS,
    "contact_roles": CONTACTS,
    "sectors": SECTORS,
    "openid_shown": openid_shown,
}


def group(accounts: Accounts, bare: Mapping[tuple[str, str], Bare]) -> Group:
    """A group of pages for staff."""
    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_LIMIT,
        bare=bare,
    )


async def login_of(exchange: Exchange) -> Login:
    """The login that this request was admitted by."""
    principal = await exchange.get_principal()
    login: Login = principal.record
    return login


def number(fields: Mapping[str, str], name: str) -> int:
    """A whole number of a form.

    Raises:
        Malformed: it is none.
    """
    text = fields.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Malformed(where=f"/{name}", expected="a whole number")
    return int(text)


def told(refusal: InkanError) -> InkanError:
    """A refusal that the page itself can tell.

    Raises:
        InkanError: the very refusal, when it is our own fault; the toolkit logs and answers it.
    """
    if refusal.category is Category.UNAVAILABLE and refusal.code != "status_unavailable":
        raise refusal
    return refusal


def answer(
    exchange: Exchange, template: str, refusal: InkanError | None = None, **facts: Any
) -> Response:
    """The page; with the refusal's own text, its place and its status when there is one."""
    if refusal is None:
        return exchange.page(template, fault="", fault_at="", **FACTS, **facts)
    return exchange.page(
        template,
        status=HTTPStatus(status_of(refusal)),
        fault=entry(refusal.code).text(exchange.language),
        fault_at=" · ".join(
            str(refusal.public_facts[name])
            for name in ("where", "expected")
            if refusal.public_facts.get(name)
        ),
        **FACTS,
        **facts,
    )
