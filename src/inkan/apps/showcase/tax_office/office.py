"""The pages of the tax office, over its logins.

The QR secret stays here in the back end: a browser only ever sees the picture of the present second. The verifier of a
return stays in the browser, in a cookie of its own.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

import msgspec

from inkan.apps.showcase.tax_office.logins import Logins, Visit
from inkan.client import CallRefused, PlatformUnreachable, SessionView
from inkan.client.session_view import FINAL_STATES
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import NationalIDMalformed
from inkan.web.exchange import Exchange
from inkan.web.pictures import qr_picture
from inkan.web.response import Response, see_other
from inkan.web.sse import ServerEvent, event_stream
from inkan.wire.binding import Door

VISIT_COOKIE: Final = "__Host-tax-office"
VERIFIER_COOKIE: Final = "__Host-tax-office-return"
VERIFIER_AGE_S: Final = 300
PURPOSES: Final = ("login", "file_return")


class StartForm(msgspec.Struct, frozen=True):
    """The form of the first page."""

    purpose: str
    national_id: str = ""


class Office:
    """The pages of the office over its logins."""

    def __init__(self, logins: Logins) -> None:
        self.logins = logins

    async def start(self, exchange: Exchange) -> Response:
        """Open a session and bind it to this browser."""
        form = await exchange.form(StartForm)
        purpose = form.purpose if form.purpose in PURPOSES else PURPOSES[0]
        number = form.national_id.strip().upper()
        try:
            return await self.open_visit(exchange, purpose, Door.QR, number)
        except NationalIDMalformed:
            return exchange.page("tax_office/start.html", status=400, wrong_number=True, down=False)
        except (PlatformUnreachable, CallRefused):
            return exchange.page("tax_office/start.html", status=503, wrong_number=False, down=True)

    async def open_visit(
        self, exchange: Exchange, purpose: str, door: Door, number: str
    ) -> Response:
        """Open a session by this door; the browser always gets a new cookie, whatever it brought.

        Raises:
            NationalIDMalformed, PlatformUnreachable, CallRefused: see :meth:`Logins.begin`.
        """
        token, verifier = await self.logins.begin(purpose, door, number=number)
        exchange.set_cookie(VISIT_COOKIE, token)
        if verifier is not None:
            exchange.set_cookie(VERIFIER_COOKIE, verifier.reveal(), max_age_s=VERIFIER_AGE_S)
        return see_other("/visit")

    async def first_page(self, exchange: Exchange) -> Response:
        """What the office offers."""
        return exchange.page("tax_office/start.html", wrong_number=False, down=False)

    async def visit_page(self, exchange: Exchange) -> Response:
        """The code or the link while the session waits, then the answer."""
        visit = self.visit(exchange)
        if visit is None:
            return see_other("/")
        await self.logins.look(visit)
        if not visit.is_waiting:
            return _answer(exchange, visit)
        camera = f"{exchange.site.origin}/camera/{visit.camera}"
        link = visit.session.doors.web_link
        return exchange.page(
            "tax_office/scan.html",
            state=visit.session.view.state,
            camera=camera,
            link=link.url if link else "",
        )

    async def come_back(self, exchange: Exchange) -> Response:
        """The phone sent the browser back: finish what this very browser began."""
        visit = self.visit(exchange)
        verifier = exchange.cookie(VERIFIER_COOKIE)
        is_in = await self.logins.come_back(
            visit,
            verifier=verifier,
            return_code=exchange.query("return_code") or "",
            session=exchange.query("session") or "",
        )
        if is_in:
            exchange.set_cookie(VERIFIER_COOKIE, "", max_age_s=0)
            return see_other("/visit")
        return exchange.page("tax_office/answer.html", status=403, welcome=False, view=None)

    async def code(self, exchange: Exchange) -> Response:
        """The picture of the present second, as SVG."""
        visit = self.visit(exchange)
        if visit is None:
            return Response(404)
        if _is_over(visit):
            # The page asks once more before it hears of the answer: nothing to show, and no failure.
            return Response(204).with_header("cache-control", "no-store")
        return Response(
            200, qr_picture(visit.session.frame()), media_type="image/svg+xml"
        ).with_header("cache-control", "no-store")

    async def camera(self, exchange: Exchange) -> Response:
        """The address inside the present code, as text: what a camera would read off this screen."""
        return self.frame_of(self.logins.seen_by_camera(exchange.parameters["name"]))

    def frame_of(self, visit: Visit | None) -> Response:
        """The address inside the code of a visit, as text."""
        if visit is None or _is_over(visit):
            return Response(404)
        text = visit.session.frame().encode()
        return Response(200, text, media_type="text/plain").with_header("cache-control", "no-store")

    async def states(self, exchange: Exchange) -> Response:
        """The states of this browser's session as they come."""
        visit = self.visit(exchange)
        if visit is None:
            return Response(404)
        return event_stream(exchange, _events(visit.session.events()))

    def visit(self, exchange: Exchange) -> Visit | None:
        """The visit of this browser."""
        return self.logins.find(exchange.cookie(VISIT_COOKIE))


def _is_over(visit: Visit) -> bool:
    waits = visit.is_waiting and visit.session.doors.qr is not None
    return not waits or visit.session.view.state in FINAL_STATES


def _answer(exchange: Exchange, visit: Visit) -> Response:
    """What was decided; a session that never ended has nothing to tell."""
    view = visit.session.view
    told = view if view.state in FINAL_STATES else None
    return exchange.page(
        "tax_office/answer.html", welcome=visit.is_in, view=told, receipt=visit.receipt
    )


async def _events(views: AsyncIterator[SessionView]) -> AsyncGenerator[ServerEvent, None]:
    try:
        async for view in views:
            yield ServerEvent(data=str(view.state), name="state")
    except InkanError:
        # The page asks again by itself; a broken stream must not look like an answer.
        await asyncio.sleep(1)
