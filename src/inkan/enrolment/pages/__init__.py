"""The enrolment page (design §5.2 steps 1 to 5): scheme, terms, the code that the phone scans, the card, the end.

The secret of the request stays in a cookie of the browser that began it; whoever has another browser sees nothing.
The 8 digits are never on these pages: the phone shows them and the card program asks for them. The page leads to the
card program by a plain link with request and secret behind the ``#``, which no server sees and no log keeps; where the
computer has a card agent (``card_agent.js``) the card in its reader signs without leaving the page.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.enrolment.model import (
    CardClient,
    EnrolmentExpired,
    EnrolmentNotFound,
    EnrolmentOutOfOrder,
    Request,
    RequestState,
    TermsOutdated,
)
from inkan.enrolment.model.kiosk import PlaceRefused
from inkan.enrolment.service import Enrolment, camera_name
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import Residence
from inkan.schemes import PlaceName, Scheme, all_schemes, get_scheme
from inkan.web.catalogue import card_texts, entries, entry
from inkan.web.cors import CORS
from inkan.web.exchange import Exchange
from inkan.web.headers import PAGES
from inkan.web.limits import RateLimit
from inkan.web.pictures import qr_picture
from inkan.web.principal import open_to_all
from inkan.web.problems import status_of
from inkan.web.response import Response, ok, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.web.sse import ServerEvent, event_stream

FOLDER: Final = Path(__file__).parent.parent
"""Where this package's templates and texts are."""

ENROL_COOKIE: Final = "__Host-inkan-enrol"
START_PATH: Final = "/enrol"
REQUEST_PATH: Final = "/enrol/request"

_BEGIN_LIMIT: Final = RateLimit(name="enrol-begin", requests=30, window=timedelta(minutes=1))
_SIGN_LIMIT: Final = RateLimit(name="enrol-sign", requests=30, window=timedelta(minutes=1))
_WATCH_LIMIT: Final = RateLimit(name="enrol-watch", requests=600, window=timedelta(minutes=1))
_CMS_LIMIT: Final = 96 * 1024
_OPEN: Final = open_to_all("whoever binds a phone is not known yet; the cookie holds the secret")
_CAMERA_OPEN: Final = open_to_all("who knows the camera's name may see the code, as on the screen")

RESIDENCES: Final[Mapping[Residence, str]] = {
    Residence.NATIONAL: "nationals with household registration",
    Residence.RESIDENT: "holders of a residence certificate",
}
"""Who may bind a phone (TW-08), as English msgids."""

STEPS: Final[Mapping[RequestState, int]] = {
    RequestState.STARTED: 0,
    RequestState.JOINED: 1,
    RequestState.PREPARED: 2,
    RequestState.SIGNED: 3,
    RequestState.ACCEPTED: 3,
    RequestState.ISSUED: 4,
    RequestState.REFUSED: 2,
    RequestState.EXPIRED: 0,
}
"""How many of the four steps are done."""

WORDS: Final = frozenset(RESIDENCES.values())


class StartForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rule set, which version of its terms, and the two ticks."""

    scheme: str
    terms_version: str
    terms: Literal["", "yes"] = ""
    risk: Literal["", "yes"] = ""


class CardForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the card in the reader signed: base64url of a DER SignedData."""

    cms: str


class EmptyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A button without fields."""


def page_routes(enrolment: Enrolment) -> Group:
    """Scheme, terms, and the start."""

    async def start_page(exchange: Exchange) -> Response:
        found = await _own(enrolment, exchange)
        progress = None if found is None else enrolment.progress(found[0])
        return exchange.page(
            "enrolment/start.html",
            schemes=[_scheme_facts(each, exchange) for each in _bound_at("desk")],
            at_kiosks=[each.title.in_language(exchange.language) for each in _bound_at("kiosk")],
            under_way=progress is not None and progress.state not in _OVER,
            request_path=REQUEST_PATH,
        )

    async def terms_page(exchange: Exchange) -> Response:
        scheme = get_scheme(exchange.parameters["scheme"])
        if "desk" not in scheme.places:
            raise PlaceRefused(places=list(scheme.places))
        return _terms(exchange, scheme)

    async def begin(exchange: Exchange) -> Response:
        form = await exchange.form(StartForm)
        scheme = get_scheme(form.scheme)
        faults = [name for name in ("terms", "risk") if not getattr(form, name)]
        if faults:
            return _terms(exchange, scheme, faults=faults, ticked=form)
        try:
            started = await enrolment.start(scheme=form.scheme, terms_version=form.terms_version)
        except TermsOutdated:
            return _terms(exchange, scheme, faults=["version"])
        # Lax: the browser comes back from the card program, which is another site.
        exchange.set_cookie(ENROL_COOKIE, f"{started.id}.{started.secret}")
        return see_other(REQUEST_PATH)

    return Group(
        surface=Surface.PAGES,
        limit=_BEGIN_LIMIT,
        bare={
            ("GET", START_PATH): Bare(endpoint=start_page, access=_OPEN),
            ("GET", "/enrol/terms/{scheme}"): Bare(endpoint=terms_page, access=_OPEN),
            ("POST", START_PATH): Bare(endpoint=begin, access=_OPEN),
        },
    )


def request_routes(
    enrolment: Enrolment, *, card_clients: Sequence[CardClient], camera: bool, loopback: str = ""
) -> Group:
    """The page of a request that was begun, and what it asks for every second.

    Args:
        enrolment: the feature.
        card_clients: the programs that the page leads to.
        camera: whether the page names the address of :func:`camera_routes`.
        loopback: where a card agent may listen on the reader's own computer; the page may connect there.
    """

    async def request_page(exchange: Exchange) -> Response:
        found = await _own(enrolment, exchange)
        return see_other(START_PATH) if found is None else drawn(exchange, *found)

    def drawn(
        exchange: Exchange, request: Request, key: str, refused: InkanError | None = None
    ) -> Response:
        progress = enrolment.progress(request)
        name = f"/enrol/camera/{camera_name(request)}" if camera else ""
        scheme = get_scheme(request.scheme)
        return exchange.page(
            "enrolment/request.html",
            status=HTTPStatus.OK if refused is None else status_of(refused),
            state=progress.state,
            states=RequestState,
            step=STEPS[progress.state],
            request=request,
            scheme=scheme,
            title=scheme.title.in_language(exchange.language),
            reason=_reason(progress.refusal, exchange),
            refusal="" if refused is None else entry(refused.code).text(exchange.language),
            card_texts=card_texts(exchange.language),
            loopback=loopback,
            clients=[_client(each, key, exchange) for each in card_clients],
            key=key,
            camera=f"{exchange.site.origin}{name}" if name else "",
            origin=exchange.site.origin,
            start_path=START_PATH,
        )

    async def picture(exchange: Exchange) -> Response:
        found = await _own(enrolment, exchange)
        frame = None if found is None else _frame(enrolment, found[0])
        if frame is None:
            # The page asks once more before it hears of the next state: nothing to show, and no failure.
            return Response(204)
        return Response(200, qr_picture(frame), media_type="image/svg+xml")

    async def states(exchange: Exchange) -> Response:
        found = await _own(enrolment, exchange)
        if found is None:
            return Response(404)
        request_id, secret = _parts_of(found[1])
        return event_stream(exchange, _states(enrolment, request_id, secret))

    async def content(exchange: Exchange) -> Response:
        found = await _own(enrolment, exchange)
        if found is None:
            raise EnrolmentNotFound
        return ok(enrolment.content(found[0]))

    async def sign(exchange: Exchange) -> Response:
        form = await exchange.form(CardForm)
        found = await _own(enrolment, exchange)
        if found is None:
            return see_other(START_PATH)
        try:
            await enrolment.submit(found[0], base64url.decode(form.cms))
        except InkanError as refused:
            return drawn(exchange, *found, refused)
        return see_other(REQUEST_PATH)

    async def leave(exchange: Exchange) -> Response:
        await exchange.form(EmptyForm)
        exchange.set_cookie(ENROL_COOKIE, "", max_age_s=0)
        return see_other(START_PATH)

    bare = {
        ("GET", REQUEST_PATH): Bare(endpoint=request_page, access=_OPEN),
        ("GET", f"{REQUEST_PATH}/picture"): Bare(endpoint=picture, access=_OPEN),
        ("GET", f"{REQUEST_PATH}/states"): Bare(endpoint=states, access=_OPEN),
        ("GET", f"{REQUEST_PATH}/content"): Bare(endpoint=content, access=_OPEN),
        ("POST", f"{REQUEST_PATH}/sign"): Bare(
            endpoint=sign, access=_OPEN, body_limit=_CMS_LIMIT, limit=_SIGN_LIMIT
        ),
        ("POST", f"{REQUEST_PATH}/leave"): Bare(endpoint=leave, access=_OPEN),
    }
    policy = PAGES.allowing("connect-src", loopback) if loopback else None
    return Group(surface=Surface.PAGES, limit=_WATCH_LIMIT, bare=bare, policy=policy)


def camera_routes(enrolment: Enrolment, *, cors: CORS) -> Group:
    """The code as text, for phones without a camera and for the wallets of ``cors``; outside production only."""

    async def camera_text(exchange: Exchange) -> Response:
        frame = _frame(enrolment, await enrolment.seen_by_camera(exchange.parameters["name"]))
        if frame is None:
            return Response(404)
        return Response(200, frame.encode(), media_type="text/plain")

    row = Bare(endpoint=camera_text, access=_CAMERA_OPEN)
    bare = {("GET", "/enrol/camera/{name}"): row}
    return Group(surface=Surface.PAGES, limit=_WATCH_LIMIT, cors=cors, bare=bare)


_OVER: Final = frozenset({RequestState.ISSUED, RequestState.REFUSED, RequestState.EXPIRED})


async def _own(enrolment: Enrolment, exchange: Exchange) -> tuple[Request, str] | None:
    """The request of this browser and its key (``id.secret``); None when it began none, or long ago."""
    key = exchange.cookie(ENROL_COOKIE) or ""
    try:
        request_id, secret = _parts_of(key)
        return await enrolment.for_desk(request_id, secret=secret), key
    except (Base64URLMalformed, EnrolmentNotFound):
        return None


def _parts_of(key: str) -> tuple[str, bytes]:
    """Id and secret of a request.

    Raises:
        Base64URLMalformed: not such a key.
    """
    request_id, _, secret = key.partition(".")
    return request_id, base64url.decode(secret)


def _frame(enrolment: Enrolment, request: Request) -> str | None:
    try:
        return enrolment.code(request)
    except (EnrolmentExpired, EnrolmentOutOfOrder):
        return None


async def _states(
    enrolment: Enrolment, request_id: str, secret: bytes
) -> AsyncGenerator[ServerEvent, None]:
    try:
        async for state in enrolment.states(request_id, secret=secret):
            yield ServerEvent(data=state.value, name="state")
    except InkanError:
        # The page asks again by itself; a broken stream must not look like an answer.
        return


def _terms(
    exchange: Exchange,
    scheme: Scheme,
    *,
    faults: Sequence[str] = (),
    ticked: StartForm | None = None,
) -> Response:
    text = scheme.terms.text.in_language(exchange.language)
    return exchange.page(
        "enrolment/terms.html",
        status=400 if faults else 200,
        scheme=scheme,
        title=scheme.title.in_language(exchange.language),
        clauses=[_clause(line) for line in text.split("\n") if line.strip()],
        assurance=scheme.assurance.wording.in_language(exchange.language),
        faults=faults,
        ticked=ticked,
        start_path=START_PATH,
    )


def _clause(line: str) -> tuple[str, str, str]:
    """What stands before the first colon of a line of the terms, the colon, and the rest."""
    sign = "：" if "：" in line else ":"
    name, found, text = line.strip().partition(sign)
    return name, found, text.strip()


def _bound_at(place: PlaceName) -> list[Scheme]:
    return [each for each in all_schemes().values() if place in each.places]


def _scheme_facts(scheme: Scheme, exchange: Exchange) -> dict[str, Any]:
    return {
        "scheme": scheme,
        "title": scheme.title.in_language(exchange.language),
        "path": f"/enrol/terms/{scheme.name}",
        "residences": [RESIDENCES[each] for each in scheme.eligibility.residences],
    }


def _client(client: CardClient, key: str, exchange: Exchange) -> dict[str, str]:
    return {
        "name": client.name.in_language(exchange.language),
        "address": f"{client.url}#{key}",
    }


def _reason(refusal: str | None, exchange: Exchange) -> str:
    """Why a request was refused, in the words of the error catalogue."""
    described = entries().get(refusal or "")
    return described.text(exchange.language) if described else ""


__all__ = [
    "ENROL_COOKIE",
    "FOLDER",
    "REQUEST_PATH",
    "RESIDENCES",
    "START_PATH",
    "STEPS",
    "WORDS",
    "camera_routes",
    "page_routes",
    "request_routes",
]
