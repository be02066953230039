"""The pages of the login by phone.

A GET never logs anybody in: the code is begun and the login finished by forms of this site, so that another site
can neither start a login here nor plant its own. The browser that began carries the verifier in a cookie; see
:mod:`inkan.portal.service.home`.
"""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Final

import msgspec

from inkan.accounts import give_login, login_token
from inkan.kernel.errors import InkanError
from inkan.portal.model import LoginStage
from inkan.portal.pages.places import (
    CODE_PATH,
    FINISH_PATH,
    HOME_PATH,
    LOGIN_PATH,
    local,
    with_query,
)
from inkan.portal.service import Portal, camera_name
from inkan.web.cookies import SameSite
from inkan.web.cors import CORS
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.pictures import qr_picture
from inkan.web.principal import open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.web.sse import ServerEvent, event_stream

PROOF_COOKIE: Final = "__Host-inkan-proof"

_BEGIN_LIMIT: Final = RateLimit(name="person-login", requests=30, window=timedelta(minutes=1))
_WATCH_LIMIT: Final = RateLimit(name="person-code", requests=600, window=timedelta(minutes=1))
_LOGIN_OPEN: Final = open_to_all("whoever logs in is not known yet; the verifier binds the browser")
_CAMERA_OPEN: Final = open_to_all("who knows the camera's name may see the code, as on the screen")


class NextForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The forms of the login: where the browser wanted to go."""

    next: str = ""


def login_routes(portal: Portal) -> Group:
    """The forms of the login: they make sessions and logins, so they are asked for sparingly."""

    async def login_page(exchange: Exchange) -> Response:
        wish = local(exchange.query("next"))
        return exchange.page("portal/login.html", action=LOGIN_PATH, next_path=wish)

    async def begin(exchange: Exchange) -> Response:
        form = await exchange.form(NextForm)
        verifier = await portal.begin()
        exchange.set_cookie(PROOF_COOKIE, verifier.reveal(), same_site=SameSite.STRICT)
        return see_other(with_query(CODE_PATH, next=local(form.next)))

    async def finish(exchange: Exchange) -> Response:
        form = await exchange.form(NextForm)
        # Whatever comes of it, this try is over for this browser.
        exchange.set_cookie(PROOF_COOKIE, "", max_age_s=0, same_site=SameSite.STRICT)
        login = await portal.finish(_verifier(exchange), replaces=login_token(exchange))
        give_login(exchange, login)
        return see_other(local(form.next) or HOME_PATH)

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
        camera: whether the page names the address of :func:`camera_routes`.
    """

    async def code_page(exchange: Exchange) -> Response:
        wish, verifier = local(exchange.query("next")), _verifier(exchange)
        found = await portal.find_try(verifier) if verifier else None
        if found is None:
            return see_other(with_query(LOGIN_PATH, next=wish))
        return exchange.page(
            "portal/code.html",
            found=found,
            stages=LoginStage,
            action=FINISH_PATH,
            next_path=wish,
            again=with_query(LOGIN_PATH, next=wish),
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

    bare = {
        ("GET", CODE_PATH): Bare(endpoint=code_page, access=_LOGIN_OPEN),
        ("GET", "/login/picture"): Bare(endpoint=picture, access=_LOGIN_OPEN),
        ("GET", "/login/states"): Bare(endpoint=states, access=_LOGIN_OPEN),
    }
    return Group(surface=Surface.PAGES, limit=_WATCH_LIMIT, bare=bare)


def camera_routes(portal: Portal, *, cors: CORS) -> Group:
    """The code as text, for phones without a camera and for the wallets of ``cors``; outside production only."""

    async def camera_text(exchange: Exchange) -> Response:
        frame = await portal.frame(exchange.parameters["name"])
        if frame is None:
            return Response(404)
        return Response(200, frame.encode(), media_type="text/plain")

    row = Bare(endpoint=camera_text, access=_CAMERA_OPEN)
    bare = {("GET", "/login/camera/{name}"): row}
    return Group(surface=Surface.PAGES, limit=_WATCH_LIMIT, cors=cors, bare=bare)


async def _states(portal: Portal, verifier: str) -> AsyncGenerator[ServerEvent, None]:
    try:
        async for state in portal.states(verifier):
            yield ServerEvent(data=str(state), name="state")
    except InkanError:
        # The page asks again by itself; a broken stream must not look like an answer.
        return


def _verifier(exchange: Exchange) -> str:
    return exchange.cookie(PROOF_COOKIE) or ""
