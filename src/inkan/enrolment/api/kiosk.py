"""The phone's own API (``/phone/v1``), as far as it begins a registration that a kiosk finishes (WAT-09)."""

from datetime import timedelta
from typing import Any, Final

import msgspec

from inkan.enrolment.api.bodies import AssertionBody
from inkan.enrolment.model import ChannelKey, ChannelProofRefused
from inkan.enrolment.service import Accepted, Enrolment
from inkan.enrolment.service.joining import Joined
from inkan.schemes import all_schemes
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access
from inkan.web.response import Response, created, ok
from inkan.web.routes import Bare, Group, Operation, Surface
from inkan.wire.binding import BackEnd

_JOIN: Final = Access("enrolment.join")
_LIMIT: Final = RateLimit(name="registrations", requests=30, window=timedelta(minutes=1))


class RegistrationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rule set, the terms that the person accepted, the phone's name, and where it keeps its keys."""

    scheme: str
    terms_version: str
    name: str
    back_end: BackEnd


class NumberBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The six digits that the kiosk shows, and the passkey's assertion over them."""

    number: str
    assertion: AssertionBody


class KioskScheme(msgspec.Struct, frozen=True):
    """A rule set whose phones are bound at a kiosk; title and terms in the language of the request."""

    name: str
    title: str
    terms_version: str
    terms: str


class KioskSchemes(msgspec.Struct, frozen=True):
    """Every rule set whose phones are bound at a kiosk."""

    schemes: list[KioskScheme]


def kiosk_phone_routes(
    enrolment: Enrolment, authenticator: Authenticator, *, cors: Any = None
) -> Group:
    """The routes of phones that are bound at a kiosk."""

    async def jkt_of(exchange: Exchange) -> str:
        principal = await exchange.get_principal()
        if not isinstance(principal.record, ChannelKey):
            raise ChannelProofRefused("this key belongs to a bound phone; make a fresh one")
        return principal.record.jkt

    async def schemes(exchange: Exchange) -> Response:
        found = [each for each in all_schemes().values() if "kiosk" in each.places]
        tag = exchange.language
        return ok(
            KioskSchemes(
                schemes=[
                    KioskScheme(
                        name=each.name,
                        title=each.title.in_language(tag),
                        terms_version=each.terms.version,
                        terms=each.terms.text.in_language(tag),
                    )
                    for each in found
                ]
            )
        )

    async def begin(exchange: Exchange) -> Response:
        jkt = await jkt_of(exchange)
        body = await exchange.json(RegistrationBody)
        joined = await enrolment.at_kiosk.begin(
            jkt=jkt,
            scheme=body.scheme,
            terms_version=body.terms_version,
            name=body.name,
            back_end=body.back_end,
            address=exchange.address,
        )
        return created(joined)

    async def number(exchange: Exchange) -> Response:
        # A repeated call comes from the phone that is bound by then; it is told so by its enrolment, not here.
        jkt = await jkt_of(exchange)
        body = await exchange.json(NumberBody)
        accepted = await enrolment.at_kiosk.hand_in_number(
            exchange.parameters["id"],
            jkt=jkt,
            number=body.number,
            assertion=body.assertion.decoded(),
        )
        return ok(accepted)

    def route(endpoint: Any, name: str, summary: str, **more: Any) -> Bare:
        operation = Operation(name=name, summary=summary, **more)
        return Bare(endpoint=endpoint, access=_JOIN, operation=operation)

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        cors=cors,
        limit=_LIMIT,
        bare={
            ("GET", "/phone/v1/kiosk-schemes"): route(
                schemes,
                "listKioskSchemes",
                "The rule sets whose phones are bound at a kiosk, with their terms",
                answer=KioskSchemes,
            ),
            ("POST", "/phone/v1/registrations"): route(
                begin,
                "beginRegistration",
                "Begin a registration that is finished at a kiosk; keys are handed in as of an enrolment",
                body=RegistrationBody,
                answer=Joined,
                status=201,
            ),
            ("POST", "/phone/v1/enrolments/{id}/number"): route(
                number,
                "sayDeviceNumber",
                "Say the number that the kiosk shows, confirmed with the passkey",
                body=NumberBody,
                answer=Accepted,
            ),
        },
    )
