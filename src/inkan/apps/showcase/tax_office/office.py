"""The tax office's web application: three pages over one relying-party client.

It knows the platform's URL, its own key and the published root, nothing else. The QR secret stays here in the
back end: a browser only ever sees the picture of the present second.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from inkan.client import (
    CallRefused,
    FetchedReceipt,
    PlatformUnreachable,
    RelyingParty,
    Session,
    SessionView,
    SubjectHint,
    SystemCredentials,
)
from inkan.client.session_view import FINAL_STATES
from inkan.crypto import base64url
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import NationalIDMalformed, parse_typed_national_id
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Personal, Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.exchange import Exchange
from inkan.web.pictures import qr_picture
from inkan.web.principal import open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.web.sse import ServerEvent, event_stream
from inkan.web.templates import Templates

HERE = Path(__file__).parent
VISIT_COOKIE = "__Host-tax-office"
VISITS_KEPT = 1000
PURPOSES = ("login", "file_return")
_ANYBODY = open_to_all("a public page of the showcase agency; the visit's cookie binds the rest")


class StartForm(msgspec.Struct, frozen=True):
    """The form of the first page."""

    purpose: str
    national_id: str = ""


@dataclass
class Visit:
    """One browser's try: the session that it started and what came of it.

    Attributes:
        camera: unguessable name under which a phone without a camera reads the code as text.
    """

    session: Session
    purpose: str
    camera: str
    receipt: FetchedReceipt | None = None


class Office:
    """The visits of the office and the client that asks the platform."""

    def __init__(self, agency: RelyingParty) -> None:
        self._agency = agency
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._cameras: dict[str, Visit] = {}

    async def start(self, exchange: Exchange) -> Response:
        """Open a session and bind it to this browser."""
        form = await exchange.form(StartForm)
        purpose = form.purpose if form.purpose in PURPOSES else PURPOSES[0]
        number = form.national_id.strip().upper()
        try:
            session = await self._ask(purpose, number)
        except NationalIDMalformed:
            return exchange.page("tax_office/start.html", status=400, wrong_number=True, down=False)
        except (PlatformUnreachable, CallRefused):
            return exchange.page("tax_office/start.html", status=503, wrong_number=False, down=True)
        token = base64url.encode(random_bytes(32))
        self._visits[token] = visit = Visit(session, purpose, base64url.encode(random_bytes(16)))
        self._cameras[visit.camera] = visit
        while len(self._visits) > VISITS_KEPT:
            _, oldest = self._visits.popitem(last=False)
            del self._cameras[oldest.camera]
        exchange.set_cookie(VISIT_COOKIE, token)
        return see_other("/visit")

    async def first_page(self, exchange: Exchange) -> Response:
        """What the office offers."""
        return exchange.page("tax_office/start.html", wrong_number=False, down=False)

    async def visit_page(self, exchange: Exchange) -> Response:
        """The code while the session waits, then the answer."""
        visit = self._visit(exchange)
        if visit is None:
            return see_other("/")
        view = await visit.session.refresh()
        if view.state not in FINAL_STATES:
            camera = f"{exchange.site.origin}/camera/{visit.camera}"
            return exchange.page("tax_office/scan.html", state=view.state, camera=camera)
        if view.is_ok and visit.receipt is None:
            visit.receipt = await visit.session.receipt()
        return exchange.page("tax_office/answer.html", view=view, receipt=visit.receipt)

    async def code(self, exchange: Exchange) -> Response:
        """The picture of the present second, as SVG."""
        visit = self._visit(exchange)
        if visit is None:
            return Response(404)
        if visit.session.view.state in FINAL_STATES:
            # The page asks once more before it hears of the answer: nothing to show, and no failure.
            return Response(204).with_header("cache-control", "no-store")
        return Response(
            200, qr_picture(visit.session.frame()), media_type="image/svg+xml"
        ).with_header("cache-control", "no-store")

    async def camera(self, exchange: Exchange) -> Response:
        """The address inside the present code, as text: what a camera would read off this screen."""
        visit = self._cameras.get(exchange.parameters["name"])
        if visit is None or visit.session.view.state in FINAL_STATES:
            return Response(404)
        text = visit.session.frame().encode()
        return Response(200, text, media_type="text/plain").with_header("cache-control", "no-store")

    async def states(self, exchange: Exchange) -> Response:
        """The states of this browser's session as they come."""
        visit = self._visit(exchange)
        if visit is None:
            return Response(404)
        return event_stream(exchange, _events(visit.session.events()))

    async def _ask(self, purpose: str, number: str) -> Session:
        """Open a session; with a number only its holder can finish it.

        Raises:
            NationalIDMalformed: the number is none.
        """
        if not number:
            return await self._agency.create_session("identify", purpose=purpose)
        expected = Personal(parse_typed_national_id(number).reveal())
        hint = SubjectHint(type="national_id", value=expected)
        return await self._agency.create_session("identify", purpose=purpose, subject_hint=hint)

    def _visit(self, exchange: Exchange) -> Visit | None:
        return self._visits.get(exchange.cookie(VISIT_COOKIE) or "")


async def _events(views: AsyncIterator[SessionView]) -> AsyncGenerator[ServerEvent, None]:
    try:
        async for view in views:
            yield ServerEvent(data=str(view.state), name="state")
    except InkanError:
        # The page asks again by itself; a broken stream must not look like an answer.
        await asyncio.sleep(1)


def tax_office(
    *, origin: str, credentials: SystemCredentials, anchors: Sequence[bytes], clock: Clock
) -> Application:
    """The application of the office under its own origin."""
    agency = RelyingParty(credentials, anchors=anchors)
    office = Office(agency)
    group = Group(
        surface=Surface.PAGES,
        bare={
            ("GET", "/"): Bare(endpoint=office.first_page, access=_ANYBODY),
            ("POST", "/"): Bare(endpoint=office.start, access=_ANYBODY),
            ("GET", "/visit"): Bare(endpoint=office.visit_page, access=_ANYBODY),
            ("GET", "/visit/code"): Bare(endpoint=office.code, access=_ANYBODY),
            ("GET", "/camera/{name}"): Bare(endpoint=office.camera, access=_ANYBODY),
            ("GET", "/visit/states"): Bare(endpoint=office.states, access=_ANYBODY),
        },
    )
    equipment = Equipment(
        clock=clock,
        csrf_key=Secret(random_bytes(32)),
        templates=Templates({"tax_office": HERE}),
    )

    @asynccontextmanager
    async def client() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await agency.aclose()

    site = Site(name="測試國稅局", origin=origin, groups=[group])
    return build_app([site], equipment, lifespan=[client])
