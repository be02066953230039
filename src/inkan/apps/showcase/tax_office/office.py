"""The pages of the tax office, over its logins.

The QR secret stays here in the back end: a browser only ever sees the picture of the present second. The verifier of a
return stays in the browser, in a cookie of its own.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

import msgspec

from inkan.apps.showcase.tax_office import doors
from inkan.apps.showcase.tax_office.doors import DOORS
from inkan.apps.showcase.tax_office.logins import Logins, Standing, Visit, Wish
from inkan.apps.showcase.tax_office.refusals import (
    BEGINNING,
    DOWN,
    FOREIGN,
    TOO_SOON,
    Refusal,
    refusal_of,
)
from inkan.client import CallRefused, PlatformUnreachable, Session, SessionView
from inkan.client.session_view import FINAL_STATES
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import NationalIDMalformed
from inkan.web.exchange import Exchange
from inkan.web.pictures import qr_picture
from inkan.web.response import Response, binary, see_other
from inkan.web.sse import ServerEvent, event_stream
from inkan.wire.binding import Door
from inkan.wire.evidence import evidence_bytes
from inkan.wire.session import EvidenceMode

VISIT_COOKIE: Final = "__Host-tax-office"
VERIFIER_COOKIE: Final = "__Host-tax-office-return"
REDEEM_S: Final = 60
PURPOSES: Final = ("login", "file_return")


class StartForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of the first page."""

    purpose: str = PURPOSES[0]
    door: Door = Door.QR
    national_id: str = ""
    phone_name: str = ""


class EmptyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A button without fields."""


class Office:
    """The pages of the office over its logins."""

    def __init__(self, logins: Logins) -> None:
        self.logins = logins

    async def first_page(self, exchange: Exchange) -> Response:
        """What the office offers."""
        return self._first_page(exchange)

    async def start(self, exchange: Exchange) -> Response:
        """Open a session and bind it to this browser."""
        form = await exchange.form(StartForm)
        purpose = form.purpose if form.purpose in PURPOSES else PURPOSES[0]
        number, name = form.national_id.strip(), form.phone_name.strip()
        try:
            return await self.open_visit(exchange, Wish(purpose, form.door, number, name))
        except NationalIDMalformed:
            fault = "wrong" if number else "missing"
            return self._first_page(exchange, purpose=purpose, fault=fault, status=400)
        except (PlatformUnreachable, CallRefused) as refused:
            said = BEGINNING.get(type(refused), DOWN)
            return self._first_page(exchange, purpose=purpose, refusal=said, status=said.status)

    async def open_visit(self, exchange: Exchange, wish: Wish) -> Response:
        """Open a session by this door; the browser always gets a new cookie, whatever it brought.

        Raises:
            NationalIDMalformed, PlatformUnreachable, CallRefused: see :meth:`Logins.begin`.
        """
        visit, token, verifier = await self.logins.begin(wish)
        exchange.set_cookie(VISIT_COOKIE, token)
        if verifier is not None:
            age_s = visit.row.life_s + REDEEM_S
            exchange.set_cookie(VERIFIER_COOKIE, verifier.reveal(), max_age_s=age_s)
        return see_other(visit.address if visit.row.leads_away else "/visit")

    async def visit_page(self, exchange: Exchange) -> Response:
        """The code, the digits or the link while the session waits, then the answer."""
        visit = self.visit(exchange)
        if visit is None:
            return see_other("/")
        try:
            await self.logins.look(visit)
        except (PlatformUnreachable, CallRefused):
            return _refused(exchange, DOWN)
        return _visit_page(exchange, visit, TOO_SOON if exchange.query("resent") else None)

    async def come_back(self, exchange: Exchange) -> Response:
        """The phone or the platform sent the browser back: finish what this very browser began."""
        visit = self.visit(exchange)
        try:
            standing = await self.logins.come_back(
                visit,
                verifier=exchange.cookie(VERIFIER_COOKIE),
                return_code=exchange.query("return_code") or "",
                session=exchange.query("session") or "",
            )
        except (PlatformUnreachable, CallRefused):
            return _refused(exchange, DOWN)
        if visit is None or standing is None:
            return _refused(exchange, FOREIGN)
        if standing is not Standing.WAITING:
            exchange.set_cookie(VERIFIER_COOKIE, "", max_age_s=0)
        if standing is Standing.REFUSED:
            return _refused(exchange, refusal_of(visit.refusal), status=FOREIGN.status)
        return see_other("/visit")

    async def resend(self, exchange: Exchange) -> Response:
        """Send the message once more."""
        await exchange.form(EmptyForm)
        visit = self.visit(exchange)
        if visit is None:
            return see_other("/")
        try:
            is_sent = await self.logins.resend(visit)
        except (PlatformUnreachable, CallRefused):
            return _refused(exchange, DOWN)
        # Never a page of its own: the waiting page reads itself again, and a form would be sent again.
        return see_other("/visit" if is_sent or not visit.is_waiting else "/visit?resent=no")

    async def cancel(self, exchange: Exchange) -> Response:
        """End the try of this browser."""
        await exchange.form(EmptyForm)
        visit = self.visit(exchange)
        if visit is not None:
            try:
                await self.logins.cancel(visit)
            except (PlatformUnreachable, CallRefused):
                return _refused(exchange, DOWN)
        return see_other("/visit")

    async def receipt(self, exchange: Exchange) -> Response:
        """The receipt of who is logged in, as the office keeps it."""
        visit = self.visit(exchange)
        if visit is None or visit.receipt is None:
            return Response(404)
        name = f"{visit.session.id}.jws"
        return binary(visit.receipt.jws.encode(), "application/jose", file_name=name)

    async def evidence(self, exchange: Exchange) -> Response:
        """The evidence beside the receipt, where the purpose has it; verified before it is given out."""
        visit = self.visit(exchange)
        if visit is None or not _has_evidence(visit):
            return Response(404)
        try:
            bundle, _ = await visit.session.evidence()
        except (PlatformUnreachable, CallRefused):
            return _refused(exchange, DOWN)
        name = f"{visit.session.id}.evidence.json"
        return binary(evidence_bytes(bundle), "application/json", file_name=name)

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
        return event_stream(exchange, _events(visit.session))

    def visit(self, exchange: Exchange) -> Visit | None:
        """The visit of this browser."""
        return self.logins.find(exchange.cookie(VISIT_COOKIE))

    def _first_page(
        self,
        exchange: Exchange,
        *,
        purpose: str = PURPOSES[0],
        fault: str = "",
        refusal: Refusal | None = None,
        status: int = 200,
    ) -> Response:
        """The first page; what was typed is not given back."""
        # The form may end at the platform's page, by the redirect that answers it (CSP form-action).
        exchange.allow_form_to(self.logins.issuer)
        return exchange.page(
            "tax_office/start.html",
            status=status,
            doors=DOORS,
            purpose=purpose,
            fault=fault,
            refusal=refusal,
        )


def _visit_page(exchange: Exchange, visit: Visit, refusal: Refusal | None = None) -> Response:
    """How a try stands: waiting by its door, answered, or ended."""
    if visit.is_in:
        return exchange.page(
            "tax_office/answer.html", visit=visit, texts=doors, has_evidence=_has_evidence(visit)
        )
    if not visit.is_waiting:
        return _refused(exchange, refusal_of(visit.refusal))
    return exchange.page(
        visit.row.template,
        visit=visit,
        state=visit.session.view.state,
        refusal=refusal,
        camera=f"{exchange.site.origin}/camera/{visit.camera}",
    )


def _refused(exchange: Exchange, refusal: Refusal, *, status: int = 0) -> Response:
    """Nobody is logged in: what happened, and what to do."""
    return exchange.page(
        "tax_office/refused.html", status=status or refusal.status, refusal=refusal
    )


def _has_evidence(visit: Visit) -> bool:
    receipt = visit.receipt.receipt if visit.receipt else None
    return receipt is not None and receipt.evidence is EvidenceMode.FULL


def _is_over(visit: Visit) -> bool:
    waits = visit.is_waiting and visit.session.doors.qr is not None
    return not waits or visit.session.view.state in FINAL_STATES


async def _events(session: Session) -> AsyncGenerator[ServerEvent, None]:
    if session.view.is_final:
        # What waits to be redeemed tells nothing new; the browser asks again, and so hears of the end.
        yield _event(session.view)
        return
    try:
        async for view in session.events():
            yield _event(view)
    except InkanError:
        # The page asks again by itself; a broken stream must not look like an answer.
        await asyncio.sleep(1)


def _event(view: SessionView) -> ServerEvent:
    return ServerEvent(data=str(view.state), name="state")
