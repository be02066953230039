"""The pages of the reading room, over its visits; and its address for logouts that begin elsewhere."""

from datetime import datetime
from http import HTTPStatus
from typing import Final

import msgspec

from inkan.apps.showcase.reading_room.refusals import DOWN, Refusal, refusal_of
from inkan.apps.showcase.reading_room.visits import Reader, Visits, draw
from inkan.client import AnswerMalformed, PlatformUnreachable
from inkan.client.exchange import origin_of
from inkan.kernel.clock import from_seconds
from inkan.web.exchange import Exchange
from inkan.web.response import Response, json_response, see_other

VISIT_COOKIE: Final = "__Host-reading-room"
ROOM_PATH: Final = "/room"
GOODBYE_PATH: Final = "/goodbye"

BOOKS: Final = (
    ("枕草子", "清少納言"),
    ("陶庵夢憶", "張岱"),
    ("The Art of Travel", "Francis Galton"),
)
"""What lies ready for a reader: author and title in their own language."""


class EmptyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A button without fields."""


class LogoutForm(msgspec.Struct, frozen=True):
    """Back-Channel Logout §2.5; further parameters are ignored."""

    logout_token: str = ""


class Room:
    """The pages of the room."""

    def __init__(self, visits: Visits) -> None:
        self._visits = visits

    async def first_page(self, exchange: Exchange) -> Response:
        """What the room offers."""
        if self._reader(exchange) is not None:
            return see_other(ROOM_PATH)
        # The form ends at the provider, by the redirect that answers it (CSP form-action).
        exchange.allow_form_to(origin_of(self._visits.provider.registration.issuer))
        return exchange.page("reading_room/start.html")

    async def log_in(self, exchange: Exchange) -> Response:
        """Open a visit in this browser and lead it to the provider."""
        await exchange.form(EmptyForm)
        try:
            token, address = await self._visits.begin(exchange.language)
        except (PlatformUnreachable, AnswerMalformed):
            return _refused(exchange, DOWN)
        self._visits.end(exchange.cookie(VISIT_COOKIE))
        exchange.set_cookie(VISIT_COOKIE, token)
        return see_other(address)

    async def come_back(self, exchange: Exchange) -> Response:
        """The provider sent the browser back."""
        query = (exchange.scope.get("query_string") or b"").decode("latin-1")
        try:
            token, cause = await self._visits.come_back(exchange.cookie(VISIT_COOKIE), query)
        except (PlatformUnreachable, AnswerMalformed):
            return _refused(exchange, DOWN)
        if not token:
            return _refused(exchange, refusal_of(cause))
        exchange.set_cookie(VISIT_COOKIE, token)
        exchange.renew_csrf()
        return see_other(ROOM_PATH)

    async def room(self, exchange: Exchange) -> Response:
        """The reader's place."""
        reader = self._reader(exchange)
        if reader is None:
            return see_other("/")
        exchange.allow_form_to(origin_of(self._visits.provider.registration.issuer))
        return exchange.page(
            "reading_room/room.html", claims=reader.claims, at=_login_time(reader), books=BOOKS
        )

    async def log_out(self, exchange: Exchange) -> Response:
        """Forget the reader here, then lead the browser to where the provider logs out, too."""
        await exchange.form(EmptyForm)
        visit = self._visits.end(exchange.cookie(VISIT_COOKIE))
        exchange.set_cookie(VISIT_COOKIE, "", max_age_s=0)
        exchange.renew_csrf()
        if visit is None or visit.reader is None:
            return see_other("/")
        try:
            leave = self._visits.provider.leave_address
            return see_other(await leave(visit.reader.id_token, state=draw()) or GOODBYE_PATH)
        except (PlatformUnreachable, AnswerMalformed):
            return see_other(GOODBYE_PATH)

    async def goodbye(self, exchange: Exchange) -> Response:
        """Where the provider leads back to after a logout."""
        return exchange.page("reading_room/goodbye.html")

    async def back_channel(self, exchange: Exchange) -> Response:
        """A logout token comes from the provider itself (Back-Channel Logout §2.5, §2.8)."""
        form = await exchange.form(LogoutForm)
        try:
            holds = await self._visits.hear(form.logout_token)
        except (PlatformUnreachable, AnswerMalformed):
            return Response(HTTPStatus.SERVICE_UNAVAILABLE)
        if not holds:
            return _unheard(json_response(HTTPStatus.BAD_REQUEST, {"error": "invalid_request"}))
        return _unheard(Response(HTTPStatus.OK))

    def _reader(self, exchange: Exchange) -> Reader | None:
        visit = self._visits.find(exchange.cookie(VISIT_COOKIE))
        return visit.reader if visit else None


def _refused(exchange: Exchange, refusal: Refusal) -> Response:
    """Nobody is let in: what happened, and what to do."""
    return exchange.page("reading_room/refused.html", status=refusal.status, refusal=refusal)


def _login_time(reader: Reader) -> datetime | None:
    at = reader.claims.auth_time
    return None if at is None else from_seconds(at)


def _unheard(response: Response) -> Response:
    return response.with_header("cache-control", "no-store")
