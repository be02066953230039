"""The kiosk's page (WAT-09 to WAT-11): one page that takes a registration key, has the card sign, shows the number.

The browser of a kiosk is known by a cookie that is set when the terminal is set up; no other browser is shown a visit
(WAT-51). A visit's secret is a second cookie, which ends with the visit. What a person is shown stands in the page
while they stand there, and nowhere else: every answer is given once and kept by nobody.
"""

from datetime import timedelta
from typing import Annotated, Final

import msgspec

from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.enrolment.model.kiosk import Kiosk, KioskUnknown, KioskVisitOver
from inkan.enrolment.rules import KIOSK_IDLE, NUMBER_LIFE, NUMBER_TRIES
from inkan.enrolment.service import Enrolment
from inkan.schemes import get_scheme
from inkan.web.cookies import SameSite
from inkan.web.exchange import Exchange
from inkan.web.headers import PAGES
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, no_content, ok, see_other
from inkan.web.routes import Bare, Group, Surface

KIOSK_PATH: Final = "/kiosk"
KIOSK_COOKIE: Final = "__Host-inkan-kiosk"
VISIT_COOKIE: Final = "__Host-inkan-kiosk-visit"
# The longest that browsers keep a cookie (RFC 6265bis §5.5); a terminal is set up anew afterwards.
_KIOSK_LIFE_S: Final = 400 * 24 * 3600

_CMS_LIMIT: Final = 96 * 1024
_LIMIT: Final = RateLimit(name="kiosk", requests=120, window=timedelta(minutes=1))
_OPEN_LIMIT: Final = RateLimit(name="kiosk-open", requests=10, window=timedelta(minutes=1))
_OPEN: Final = open_to_all(
    "the kiosk's own cookie is the authentication; the card says who stands there"
)


class OpenForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The kiosk's name and secret, typed by whoever sets it up."""

    name: str
    secret: str


class KeyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The registration key, typed or scanned."""

    key: str


class SignedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card's signature: base64url of a DER SignedData; and of the photo's SHA-256, if the kiosk registers it."""

    cms: str
    photo_sha256: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}\Z")] | None = None


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call without members."""


class TakenView(msgspec.Struct, frozen=True):
    """What the page needs for the card; the visit's secret is in a cookie."""

    title: str
    phone_name: str
    content: str
    content_type: str


class StateView(msgspec.Struct, frozen=True):
    """Where the registration of this visit stands."""

    state: str


def kiosk_routes(enrolment: Enrolment, *, agent: str = "") -> tuple[Group, ...]:
    """The page of the kiosk and what it asks for.

    Args:
        enrolment: the feature.
        agent: origin of a card agent on the same machine, beside the one of the browser's extension.
    """
    at = enrolment.at_kiosk

    def kiosk_of(exchange: Exchange) -> Kiosk:
        return at.kiosk_of(exchange.cookie(KIOSK_COOKIE) or "")

    async def page(exchange: Exchange) -> Response:
        try:
            kiosk = kiosk_of(exchange)
        except KioskUnknown:
            return _setup(exchange, wrong=False)
        return exchange.page(
            "enrolment/kiosk.html",
            place=kiosk.place.in_language(exchange.language),
            idle_s=int(KIOSK_IDLE.total_seconds()),
            minutes=int(NUMBER_LIFE.total_seconds()) // 60,
            tries=NUMBER_TRIES,
            agent=agent,
            photo=kiosk.photo,
        )

    async def set_up(exchange: Exchange) -> Response:
        form = await exchange.form(OpenForm)
        key = f"{form.name.strip()}.{form.secret.strip()}"
        try:
            at.kiosk_of(key)
        except KioskUnknown:
            return _setup(exchange, wrong=True)
        exchange.set_cookie(KIOSK_COOKIE, key, max_age_s=_KIOSK_LIFE_S, same_site=SameSite.STRICT)
        return see_other(KIOSK_PATH)

    async def take(exchange: Exchange) -> Response:
        body = await exchange.json(KeyBody)
        taken = await at.take(kiosk_of(exchange), body.key)
        exchange.set_cookie(VISIT_COOKIE, taken.visit, same_site=SameSite.STRICT)
        title = get_scheme(taken.scheme).title.in_language(exchange.language)
        return ok(
            TakenView(
                title=title,
                phone_name=taken.phone_name,
                content=taken.content,
                content_type=taken.content_type,
            )
        )

    async def sign(exchange: Exchange) -> Response:
        body = await exchange.json(SignedBody)
        cms = base64url.decode(body.cms)
        photo = None if body.photo_sha256 is None else base64url.decode(body.photo_sha256, size=32)
        kiosk = kiosk_of(exchange)
        return ok(await at.sign(kiosk, _visit(exchange), cms, photo_sha256=photo))

    async def number(exchange: Exchange) -> Response:
        await exchange.json(Nothing)
        return ok(await at.show_number(kiosk_of(exchange), _visit(exchange)))

    async def leave(exchange: Exchange) -> Response:
        await exchange.json(Nothing)
        kiosk = kiosk_of(exchange)
        exchange.set_cookie(VISIT_COOKIE, "", max_age_s=0, same_site=SameSite.STRICT)
        if exchange.cookie(VISIT_COOKIE):
            await at.leave(kiosk, _visit(exchange))
        return no_content()

    async def state(exchange: Exchange) -> Response:
        return ok(StateView(state=await at.state(kiosk_of(exchange), _visit(exchange))))

    policy = PAGES.allowing("connect-src", agent) if agent else PAGES
    calls = {
        ("GET", KIOSK_PATH): Bare(endpoint=page, access=_OPEN, policy=policy),
        ("POST", f"{KIOSK_PATH}/take"): Bare(endpoint=take, access=_OPEN),
        ("POST", f"{KIOSK_PATH}/sign"): Bare(endpoint=sign, access=_OPEN, body_limit=_CMS_LIMIT),
        ("POST", f"{KIOSK_PATH}/number"): Bare(endpoint=number, access=_OPEN),
        ("POST", f"{KIOSK_PATH}/leave"): Bare(endpoint=leave, access=_OPEN),
        ("GET", f"{KIOSK_PATH}/state"): Bare(endpoint=state, access=_OPEN),
    }
    setting_up = {("POST", f"{KIOSK_PATH}/open"): Bare(endpoint=set_up, access=_OPEN)}
    return (
        Group(surface=Surface.PAGES, limit=_LIMIT, bare=calls),
        Group(surface=Surface.PAGES, limit=_OPEN_LIMIT, bare=setting_up),
    )


def _setup(exchange: Exchange, *, wrong: bool) -> Response:
    status = 403 if wrong else 200
    return exchange.page("enrolment/kiosk_setup.html", status=status, wrong=wrong)


def _visit(exchange: Exchange) -> bytes:
    """The secret of this browser's visit.

    Raises:
        KioskVisitOver: there is none.
    """
    try:
        return base64url.decode(exchange.cookie(VISIT_COOKIE) or "")
    except Base64URLMalformed:
        raise KioskVisitOver() from None
