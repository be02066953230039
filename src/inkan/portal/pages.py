"""Pages for persons on the platform's host: the start page, the login by phone, and the person's home.

A GET never logs anybody in: the code is begun and the login finished by forms of this site, so that another site
can neither start a login here nor plant its own. The browser that began carries the verifier in a cookie; see
:mod:`inkan.portal.service`.
"""

from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from inkan.accounts import (
    Accounts,
    Login,
    authenticator,
    end_browser_login,
    give_login,
    login_token,
)
from inkan.approvals import UsageRecord
from inkan.enrolment import Phone, PhoneState
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PersonID
from inkan.portal.model import LoginStage
from inkan.portal.rules import HOME_NOTICES, HOME_RECORDS, PAGE_OF_RECORDS
from inkan.portal.service import Portal, camera_name
from inkan.web.cookies import SameSite
from inkan.web.exchange import Exchange
from inkan.web.input import is_local_path
from inkan.web.limits import RateLimit
from inkan.web.pictures import qr_picture
from inkan.web.principal import Access, open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.web.sse import ServerEvent, event_stream
from inkan.wire.session import Outcome

FOLDER: Final = Path(__file__).parent
"""Where this package's templates and texts are: ``Templates({"portal": FOLDER})``."""

START_PATH: Final = "/"
HOME_PATH: Final = "/my"
RECORDS_PATH: Final = "/my/records"
NOTICES_PATH: Final = "/my/notices"
LOGOUT_PATH: Final = "/my/logout"
LOGIN_PATH: Final = "/login"
CODE_PATH: Final = "/login/code"
FINISH_PATH: Final = "/login/finish"
PROOF_COOKIE: Final = "__Host-inkan-proof"

PHONE_STATES: Final[Mapping[PhoneState, str]] = {
    PhoneState.ISSUING: "being bound",
    PhoneState.ACTIVE: "in use",
    PhoneState.SUSPENDED: "on hold",
    PhoneState.REVOKED: "revoked",
}
"""What people read for the state of a phone: English, the key of its translations."""

OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.OK: "You agreed",
    Outcome.REFUSED: "You refused",
    Outcome.FAILED: "Did not succeed",
    Outcome.BLOCKED: "Blocked",
}
"""What people read for the result of a use."""

_BEGIN_LIMIT: Final = RateLimit(name="person-login", requests=30, window=timedelta(minutes=1))
_WATCH_LIMIT: Final = RateLimit(name="person-code", requests=600, window=timedelta(minutes=1))
_HOME_LIMIT: Final = RateLimit(name="person-home", requests=120, window=timedelta(minutes=1))
_ANYBODY: Final = open_to_all("the start page holds nothing of anybody")
_LOGIN_OPEN: Final = open_to_all("whoever logs in is not known yet; the verifier binds the browser")
_CAMERA_OPEN: Final = open_to_all("who knows the camera's name may see the code, as on the screen")
_LEAVING_OPEN: Final = open_to_all("whoever leaves needs no right; without a login nothing happens")
_ENTER: Final = Access("portal.enter")


class NextForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The forms of the login: where the browser wanted to go."""

    next: str = ""


def login_routes(portal: Portal) -> Group:
    """The forms of the login: they make sessions and logins, so they are asked for sparingly."""

    async def login_page(exchange: Exchange) -> Response:
        wish = _local(exchange.query("next"))
        return exchange.page("portal/login.html", action=LOGIN_PATH, next_path=wish)

    async def begin(exchange: Exchange) -> Response:
        form = await exchange.form(NextForm)
        verifier = await portal.begin()
        exchange.set_cookie(PROOF_COOKIE, verifier.reveal(), same_site=SameSite.STRICT)
        return see_other(_with_next(CODE_PATH, _local(form.next)))

    async def finish(exchange: Exchange) -> Response:
        form = await exchange.form(NextForm)
        # Whatever comes of it, this try is over for this browser.
        exchange.set_cookie(PROOF_COOKIE, "", max_age_s=0, same_site=SameSite.STRICT)
        login = await portal.finish(_verifier(exchange), replaces=login_token(exchange))
        give_login(exchange, login)
        return see_other(_local(form.next) or HOME_PATH)

    return Group(
        surface=Surface.PAGES,
        limit=_BEGIN_LIMIT,
        bare={
            ("GET", LOGIN_PATH): Bare(endpoint=login_page, access=_LOGIN_OPEN),
            ("POST", LOGIN_PATH): Bare(endpoint=begin, access=_LOGIN_OPEN),
            ("POST", FINISH_PATH): Bare(endpoint=finish, access=_LOGIN_OPEN),
        },
    )


def code_routes(portal: Portal, *, camera: bool) -> Group:
    """The page with the code and what it asks for every second.

    Args:
        portal: the service.
        camera: whether the code can be read as text, for phones without a camera; outside production only.
    """

    async def code_page(exchange: Exchange) -> Response:
        wish, verifier = _local(exchange.query("next")), _verifier(exchange)
        found = await portal.find_try(verifier) if verifier else None
        if found is None:
            return see_other(_with_next(LOGIN_PATH, wish))
        return exchange.page(
            "portal/code.html",
            found=found,
            stages=LoginStage,
            action=FINISH_PATH,
            next_path=wish,
            again=_with_next(LOGIN_PATH, wish),
            camera=f"{exchange.site.origin}/login/camera/{camera_name(verifier)}" if camera else "",
        )

    async def picture(exchange: Exchange) -> Response:
        verifier = _verifier(exchange)
        frame = await portal.frame(camera_name(verifier)) if verifier else None
        if frame is None:
            # The page asks once more before it hears of the answer: nothing to show, and no failure.
            return Response(204)
        return Response(200, qr_picture(frame), media_type="image/svg+xml")

    async def states(exchange: Exchange) -> Response:
        verifier = _verifier(exchange)
        if not verifier or await portal.find_try(verifier) is None:
            # Another tab finished or began anew: the page looks again and is led on.
            return Response(404)
        return event_stream(exchange, _states(portal, verifier))

    async def camera_text(exchange: Exchange) -> Response:
        frame = await portal.frame(exchange.parameters["name"])
        if frame is None:
            return Response(404)
        return Response(200, frame.encode(), media_type="text/plain")

    bare = {
        ("GET", CODE_PATH): Bare(endpoint=code_page, access=_LOGIN_OPEN),
        ("GET", "/login/picture"): Bare(endpoint=picture, access=_LOGIN_OPEN),
        ("GET", "/login/states"): Bare(endpoint=states, access=_LOGIN_OPEN),
    }
    if camera:
        bare["GET", "/login/camera/{name}"] = Bare(endpoint=camera_text, access=_CAMERA_OPEN)
    return Group(surface=Surface.PAGES, limit=_WATCH_LIMIT, bare=bare)


def home_routes(portal: Portal, accounts: Accounts) -> Group:
    """The start page and the pages of a person who is logged in; each shows the person of the login, nobody else."""

    async def start_page(exchange: Exchange) -> Response:
        return exchange.page("portal/start.html", home_path=HOME_PATH)

    async def home_page(exchange: Exchange) -> Response:
        person, login = await _who(exchange)
        home = await portal.home(person, exchange.language)
        return exchange.page(
            "portal/home.html",
            home=home,
            login=login,
            phones=[_phone_facts(phone) for phone in home.phones],
            records=[_row(each, exchange) for each in home.records[:HOME_RECORDS]],
            messages=home.notices[:HOME_NOTICES],
            news=home.news[:HOME_NOTICES],
            records_path=RECORDS_PATH,
            notices_path=NOTICES_PATH,
            logout_path=LOGOUT_PATH,
        )

    async def records_page(exchange: Exchange) -> Response:
        person, _ = await _who(exchange)
        below = exchange.query("below")
        records = await portal.records(person, below=below)
        is_full = len(records) == PAGE_OF_RECORDS
        older = f"{RECORDS_PATH}?{urlencode({'below': records[-1].id})}" if is_full else ""
        return exchange.page(
            "portal/records.html",
            records=[_row(each, exchange) for each in records],
            older=older,
            newest=RECORDS_PATH if below is not None else "",
            home_path=HOME_PATH,
        )

    async def notices_page(exchange: Exchange) -> Response:
        person, _ = await _who(exchange)
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
        limit=_HOME_LIMIT,
        bare={
            ("GET", START_PATH): Bare(endpoint=start_page, access=_ANYBODY),
            ("GET", HOME_PATH): Bare(endpoint=home_page, access=_ENTER),
            ("GET", RECORDS_PATH): Bare(endpoint=records_page, access=Access("portal.records")),
            ("GET", NOTICES_PATH): Bare(endpoint=notices_page, access=Access("notices.read")),
            ("POST", LOGOUT_PATH): Bare(endpoint=log_out, access=_LEAVING_OPEN),
        },
    )


async def _who(exchange: Exchange) -> tuple[PersonID, Login]:
    """Whose page this is: the person of the login, whatever the request says."""
    principal = await exchange.get_principal()
    login: Login = principal.record
    assert login.person is not None, "the matrix lets persons in, nobody else"
    return login.person, login


async def _states(portal: Portal, verifier: str) -> AsyncGenerator[ServerEvent, None]:
    try:
        async for state in portal.states(verifier):
            yield ServerEvent(data=str(state), name="state")
    except InkanError:
        # The page asks again by itself; a broken stream must not look like an answer.
        return


def _row(record: UsageRecord, exchange: Exchange) -> dict[str, Any]:
    """One use as its reader's language has it; the detail is None once it was erased."""
    detail = record.detail or {}
    return {
        "at": record.at,
        "asker": detail.get("relying_party", ""),
        "domain": detail.get("domain", ""),
        "purpose": detail.get("purpose", {}).get(exchange.language.value, ""),
        "contents": detail.get("contents", []),
        "outcome": OUTCOMES[Outcome(record.outcome)],
    }


def _phone_facts(phone: Phone) -> dict[str, Any]:
    ends = [each.not_after for each in phone.certificates.values()]
    return {
        "name": phone.name,
        "state": PHONE_STATES[phone.state],
        "bound_at": phone.bound_at,
        "until": min(ends) if ends else None,
    }


def _verifier(exchange: Exchange) -> str:
    return exchange.cookie(PROOF_COOKIE) or ""


def _local(path: str | None) -> str:
    """A path of this site, or nothing: a login leads on within this site only."""
    return path if path and is_local_path(path) else ""


def _with_next(path: str, wish: str) -> str:
    return f"{path}?{urlencode({'next': wish})}" if wish else path
