"""The pages of the card desk: take a request over, show what is given, ask for card, digits and PIN, tell the outcome."""

import unicodedata
from http import HTTPStatus
from typing import Any, Final

import msgspec

from inkan.apps.showcase.card_desk.signing import Signing, Standing, Visit
from inkan.client import CallRefused, PlatformUnreachable, WrongPIN
from inkan.client.card import CardRequestRefused
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.problems import status_of
from inkan.web.response import Response, see_other
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import PAIRING_DIGITS, BindContent, KeyUse

VISIT_COOKIE: Final = "__Host-card-desk"
SIGN_PATH: Final = "/sign"
_BACK_PATH: Final = "/enrol/request"

USES: Final = {
    KeyUse.AUTH: "say who you are, and approve",
    KeyUse.SIGN: "sign in your name",
    KeyUse.SINGLE: "say who you are, approve, and sign in your name",
}
"""What each key is for."""

PLACES: Final = {
    BackEnd.A: "in the phone, locked by its passkey",
    BackEnd.B: "in a key store of the institution, released by the phone",
    BackEnd.C: "in the phone's own key store",
    BackEnd.PLAIN: "in the phone, without a lock of their own; in test instances only",
}
"""Where the phone says that it keeps the keys."""

WORDS: Final = frozenset({*USES.values(), *PLACES.values()})


class TakeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The code of the enrolment page."""

    key: str = ""


class SignForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose card, what the phone shows, and the PIN."""

    card: str = ""
    digits: str = ""
    pin: str = ""


class EmptyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A button without fields."""


class Desk:
    """The pages over the desk's requests."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

    async def first_page(self, exchange: Exchange) -> Response:
        """Where the enrolment page leads to; a module takes the code from behind the ``#``."""
        return self._first(exchange)

    async def take(self, exchange: Exchange) -> Response:
        """Take the request over that the code names."""
        form = await exchange.form(TakeForm)
        token = self._signing.take(form.key)
        if token is None:
            return self._first(exchange, is_wrong=True)
        exchange.set_cookie(VISIT_COOKIE, token)
        return see_other(SIGN_PATH)

    async def sign_page(self, exchange: Exchange) -> Response:
        """What would be signed, or what came of it."""
        visit = self._visit(exchange)
        if visit is None:
            return see_other("/")
        try:
            await self._signing.look(visit, exchange.language)
        except (CallRefused, PlatformUnreachable) as refused:
            return self._told(exchange, visit, refused)
        except InkanError:
            # What the platform gave is nothing that a card signs here.
            return self._told(exchange, visit, CardRequestRefused())
        return self._page(exchange, visit)

    async def sign(self, exchange: Exchange) -> Response:
        """Have the card sign."""
        form = await exchange.form(SignForm)
        visit = self._visit(exchange)
        if visit is None or visit.standing is not Standing.READY:
            return see_other(SIGN_PATH)
        digits = "".join(unicodedata.normalize("NFKC", form.digits).split())
        card = self._signing.cards.get(form.card)
        faults = set()
        if card is None:
            faults.add("card")
        if not (len(digits) == PAIRING_DIGITS and digits.isascii() and digits.isdigit()):
            faults.add("digits")
        if not form.pin:
            faults.add("pin")
        if card is None or faults:
            return self._page(exchange, visit, chosen=form.card, faults=faults)
        try:
            await self._signing.sign(
                visit, card, pin=Secret(form.pin), digits=digits, language=exchange.language
            )
        except InkanError as refused:
            return self._told(exchange, visit, refused, chosen=form.card)
        return see_other(SIGN_PATH)

    async def leave(self, exchange: Exchange) -> Response:
        """Put the request away; nothing was signed."""
        await exchange.form(EmptyForm)
        self._signing.forget(exchange.cookie(VISIT_COOKIE))
        exchange.set_cookie(VISIT_COOKIE, "", max_age_s=0)
        return see_other("/")

    def _visit(self, exchange: Exchange) -> Visit | None:
        return self._signing.find(exchange.cookie(VISIT_COOKIE))

    def _first(self, exchange: Exchange, *, is_wrong: bool = False) -> Response:
        status = HTTPStatus.BAD_REQUEST if is_wrong else HTTPStatus.OK
        return exchange.page(
            "card_desk/start.html",
            status=status,
            is_wrong=is_wrong,
            enrol=f"{self._signing.platform}/enrol",
        )

    def _told(
        self, exchange: Exchange, visit: Visit, refused: InkanError, *, chosen: str = ""
    ) -> Response:
        """The page with what was wrong, in the words of the catalogue or of the platform itself."""
        return self._page(
            exchange,
            visit,
            chosen=chosen,
            refusal=_text(refused, exchange),
            tries_left=refused.tries_left if isinstance(refused, WrongPIN) else None,
            status=_status(refused),
        )

    def _page(
        self,
        exchange: Exchange,
        visit: Visit,
        *,
        chosen: str = "",
        faults: set[str] | frozenset[str] = frozenset(),
        refusal: str = "",
        tries_left: int | None = None,
        status: int = HTTPStatus.OK,
    ) -> Response:
        return exchange.page(
            "card_desk/sign.html",
            status=HTTPStatus.BAD_REQUEST if faults else status,
            standing=visit.standing,
            standings=Standing,
            given=_given(visit.content) if visit.content else None,
            cards=list(self._signing.cards.values()),
            chosen=chosen,
            faults=faults,
            refusal=refusal,
            tries_left=tries_left,
            back=self._signing.platform + _BACK_PATH,
        )


def _given(content: BindContent) -> dict[str, Any]:
    """What the very content says, as the page shows it; the digits are not among it."""
    return {
        "phone": content.phone_name,
        "platform": content.aud,
        "scheme": content.scheme,
        "uses": [USES[key.use] for key in content.keys],
        "place": PLACES[content.back_end],
        "wallet": content.rp_id,
        "scope": content.scope,
        "terms": content.terms_version,
        "keys": [key.spki_sha256 for key in content.keys],
    }


def _text(refused: InkanError, exchange: Exchange) -> str:
    said = refused.problem.text if isinstance(refused, CallRefused) else None
    return said or entry(refused.code).text(exchange.language)


def _status(refused: InkanError) -> int:
    if isinstance(refused, CallRefused):
        return refused.problem.status
    return int(status_of(refused))
