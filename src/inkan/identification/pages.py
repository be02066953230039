"""The redirect page of the platform (TW-53 to TW-57): who asks, three ways to answer, and the way back.

A GET changes nothing: the first form that a browser sends from here claims the page for it.
"""

from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec

from inkan.crypto import base64url
from inkan.identification.rules import Opening
from inkan.identification.service import Choice, Identification, Stage
from inkan.kernel.errors import Malformed
from inkan.kernel.identifiers import NationalIDMalformed
from inkan.kernel.ids import random_bytes
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.pictures import qr_picture
from inkan.web.principal import open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.web.sse import ServerEvent, event_stream
from inkan.wire.forms import MaybePhoneName
from inkan.wire.shown import Language

FOLDER: Final = Path(__file__).parent
"""Where this package's templates and texts are."""

BROWSER_COOKIE: Final = "__Host-inkan-browser"
_PATH: Final = "/identify/{page}"
CONFIRMATION_PARAMETER: Final = "confirmation"
_BROWSER_BYTES: Final = 32

# By sender's address, behind which a whole office may sit; what begins a session is the relying party, not this page.
_PAGE_LIMIT: Final = RateLimit(name="redirect-page", requests=300, window=timedelta(minutes=1))
_WATCH_LIMIT: Final = RateLimit(name="redirect-code", requests=600, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("whoever is asked is not known yet; the cookie binds the browser")

# The order of the ways on the page and what each asks for (TW-54, TW-55).
WAYS: Final = (Opening.FRAME, Opening.PUSH, Opening.LINK)


class ChoiceForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the form of one way sends (TW-55)."""

    way: Opening
    national_id: Annotated[str, msgspec.Meta(max_length=10)] = ""
    phone_name: MaybePhoneName = ""


class ConfirmationForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What this browser brings back from the wallet's page."""

    confirmation: Annotated[str, msgspec.Meta(max_length=64)]


class EmptyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A button without fields."""


def page_routes(identification: Identification) -> Group:
    """The page and its forms."""

    async def show(exchange: Exchange) -> Response:
        return await _page(
            identification, exchange, confirmation=exchange.query(CONFIRMATION_PARAMETER) or ""
        )

    async def choose(exchange: Exchange) -> Response:
        browser = _begun(exchange)
        handle = exchange.parameters["page"]
        try:
            form = await exchange.form(ChoiceForm)
            choice = Choice(way=form.way, national_id=form.national_id, phone_name=form.phone_name)
            await identification.choose_way(handle, choice, browser=browser)
        except (NationalIDMalformed, Malformed):
            return await _page(identification, exchange, wrong_number=True)
        return see_other(f"/identify/{handle}")

    async def resend(exchange: Exchange) -> Response:
        await exchange.form(EmptyForm)
        handle = exchange.parameters["page"]
        await identification.resend(handle, browser=_browser(exchange))
        return see_other(f"/identify/{handle}")

    async def finish(exchange: Exchange) -> Response:
        await exchange.form(EmptyForm)
        browser = _begun(exchange)
        handle = exchange.parameters["page"]
        address = await identification.finish_page(handle, browser=browser)
        view = await identification.page(handle, browser=browser, lang=_language(exchange))
        # A form may lead to this site only, also by its redirects (CSP form-action); the page leads on by itself.
        return exchange.page(
            "identification/back.html", address=address, relying_party=view.relying_party
        )

    async def begin_confirmation(exchange: Exchange) -> Response:
        await exchange.form(EmptyForm)
        address = await identification.strengthening.begin(
            exchange.parameters["page"], browser=_browser(exchange)
        )
        return see_other(f"{address}?lang={exchange.language}")

    async def confirm(exchange: Exchange) -> Response:
        form = await exchange.form(ConfirmationForm)
        handle = exchange.parameters["page"]
        await identification.strengthening.confirm(
            handle, form.confirmation, browser=_browser(exchange)
        )
        return see_other(f"/identify/{handle}")

    return Group(
        surface=Surface.PAGES,
        limit=_PAGE_LIMIT,
        bare={
            ("GET", _PATH): Bare(endpoint=show, access=_OPEN),
            ("POST", _PATH): Bare(endpoint=choose, access=_OPEN),
            ("POST", f"{_PATH}/resend"): Bare(endpoint=resend, access=_OPEN),
            ("POST", f"{_PATH}/finish"): Bare(endpoint=finish, access=_OPEN),
            ("POST", f"{_PATH}/passkey"): Bare(endpoint=begin_confirmation, access=_OPEN),
            ("POST", f"{_PATH}/confirm"): Bare(endpoint=confirm, access=_OPEN),
        },
    )


def watch_routes(identification: Identification, *, camera: bool) -> Group:
    """What the page asks for while it waits: the picture of the second, and the stages as they come.

    Args:
        identification: the feature.
        camera: whether the code can be read as text by whoever has the browser's name for it, for phones
            without a camera; outside production only.
    """

    async def picture(exchange: Exchange) -> Response:
        frame = await identification.page_frame(
            exchange.parameters["page"], browser=_browser(exchange)
        )
        if frame is None:
            # The page asks once more before it hears of the answer: nothing to show, and no failure.
            return Response(204)
        return Response(200, qr_picture(frame), media_type="image/svg+xml")

    async def states(exchange: Exchange) -> Response:
        handle, browser = exchange.parameters["page"], _browser(exchange)
        await identification.page(handle, browser=browser, lang=_language(exchange))
        return event_stream(exchange, _states(identification, handle, browser))

    async def text(exchange: Exchange) -> Response:
        frame = await identification.page_frame(
            exchange.parameters["page"], browser=_browser(exchange)
        )
        if frame is None:
            return Response(404)
        return Response(200, frame.encode(), media_type="text/plain")

    bare = {
        ("GET", f"{_PATH}/picture"): Bare(endpoint=picture, access=_OPEN),
        ("GET", f"{_PATH}/states"): Bare(endpoint=states, access=_OPEN),
    }
    if camera:
        bare["GET", f"{_PATH}/camera"] = Bare(endpoint=text, access=_OPEN)
    return Group(surface=Surface.PAGES, limit=_WATCH_LIMIT, bare=bare)


async def _page(
    identification: Identification,
    exchange: Exchange,
    *,
    wrong_number: bool = False,
    confirmation: str = "",
) -> Response:
    view = await identification.page(
        exchange.parameters["page"], browser=_browser(exchange), lang=_language(exchange)
    )
    if confirmation and (view.stage is not Stage.ANSWERED or view.is_confirmed):
        # It is of no use here, or of no use any more: it does not stay in the address either.
        return see_other(f"/identify/{view.handle}")
    # The button for the passkey leads to the wallet's origin, by a redirect.
    exchange.allow_form_to(identification.strengthening.origin)
    return exchange.page(
        "identification/page.html",
        status=400 if wrong_number else 200,
        view=view,
        stages=Stage,
        ways=WAYS,
        openings=Opening,
        path=f"/identify/{view.handle}",
        wrong_number=wrong_number,
        confirmation=confirmation,
    )


def _language(exchange: Exchange) -> Language:
    return Language(exchange.language)


def _browser(exchange: Exchange) -> str:
    """The cookie of this browser; an empty one is nobody's."""
    return exchange.cookie(BROWSER_COOKIE) or ""


def _begun(exchange: Exchange) -> str:
    """The cookie of this browser, given to it when it has none: one for all pages that it opens."""
    browser = _browser(exchange)
    if len(browser) != len(base64url.encode(bytes(_BROWSER_BYTES))):
        browser = base64url.encode(random_bytes(_BROWSER_BYTES))
        # Lax: the browser comes to the page from the relying party's site.
        exchange.set_cookie(BROWSER_COOKIE, browser)
    return browser


async def _states(
    identification: Identification, handle: str, browser: str
) -> AsyncGenerator[ServerEvent, None]:
    async for stage in identification.page_stages(handle, browser=browser):
        yield ServerEvent(data=stage.value, name="state")
