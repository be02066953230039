"""The phone's own API (``/phone/v1``), as far as phones are bound, kept and ended."""

from functools import partial
from typing import Any

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.enrolment.api.bodies import (
    CMS_LIMIT,
    AssertedView,
    AssertionBody,
    ChallengeView,
    EnrolmentView,
    FrozenView,
    JoinBody,
    KeysBody,
    PhonesView,
    PhoneView,
    RenewBody,
    RevokeBody,
)
from inkan.enrolment.api.certificates import CertificateView, certificate_view
from inkan.enrolment.model import (
    ChannelKey,
    ChannelProofRefused,
    EnrolmentNotFound,
    Phone,
    PhonePrincipal,
)
from inkan.enrolment.service import (
    Begun,
    Brought,
    Enrolment,
    Handed,
    Joined,
    Renewed,
)
from inkan.kernel.clock import rfc3339
from inkan.pki import PKI, Showing
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import (
    Access,
)
from inkan.web.response import Response, created, no_content, ok
from inkan.web.routes import Bare, Group, Operation, Surface

_JOIN, _USE, _MANAGE = (
    Access("enrolment.join"),
    Access("phone.use"),
    Access("phone.manage"),
)


def phone_routes(
    enrolment: Enrolment,
    pki: PKI,
    authenticator: Authenticator,
    *,
    showing: Showing,
    cors: Any = None,
) -> Group:
    """The routes of phones."""

    async def jkt_of(exchange: Exchange) -> str:
        principal = await exchange.get_principal()
        if not isinstance(principal.record, ChannelKey):
            raise ChannelProofRefused("this key belongs to a bound phone; make a fresh one")
        return principal.record.jkt

    async def phone_of(exchange: Exchange) -> PhonePrincipal:
        principal = await exchange.get_principal()
        record: PhonePrincipal = principal.record
        return record

    async def join(exchange: Exchange) -> Response:
        arrived = exchange.now
        jkt = await jkt_of(exchange)
        body = await exchange.json(JoinBody)
        joined = await enrolment.join(
            jkt=jkt,
            frame=body.frame,
            name=body.name,
            back_end=body.back_end,
            arrived=arrived,
            address=exchange.address,
        )
        return created(joined)

    async def keys(exchange: Exchange) -> Response:
        jkt = await jkt_of(exchange)
        body = await exchange.json(KeysBody)
        return ok(
            await enrolment.prepare(
                exchange.parameters["id"],
                jkt=jkt,
                csrs=body.csrs,
                registration=body.registration,
            )
        )

    async def enrolment_view(exchange: Exchange) -> Response:
        principal = await exchange.get_principal()
        request = await enrolment.for_phone(exchange.parameters["id"], jkt=principal.record.jkt)
        seen = enrolment.progress(request)
        return ok(
            EnrolmentView(
                state=seen.state,
                phone=seen.phone,
                certificates=await enrolment.certificates_of(request),
                refusal=seen.refusal,
            )
        )

    async def certificate(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        wanted = exchange.parameters["id"]
        holder = await enrolment.find_holder(phone.person, wanted)
        if holder is None:
            raise EnrolmentNotFound()
        view = await certificate_view(
            await pki.certificate(wanted),
            back_end=holder.back_end,
            showing=showing,
            translate=partial(exchange.site.templates.languages.gettext, exchange.language),
        )
        return ok(view)

    async def begin_assertion(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        return ok(ChallengeView(challenge=await enrolment.begin_assertion(phone)))

    async def prove_presence(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        body = await exchange.json(AssertionBody)
        return ok(
            AssertedView(until=rfc3339(await enrolment.prove_presence(phone, body.decoded())))
        )

    async def phones(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        mine = await enrolment.phones(phone.person)
        return ok(PhonesView(phones=[_phone_view(each, phone) for each in mine]))

    async def revoke(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        body = await exchange.json(RevokeBody)
        await enrolment.revoke(phone, body.phone, cause=body.reason)
        return no_content()

    async def freeze(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        actor = Actor(ActorKind.PHONE, phone.phone)
        return ok(FrozenView(stopped=await enrolment.freeze(phone.person, actor=actor)))

    async def begin_renewal(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        return ok(await enrolment.begin_renewal(phone, address=exchange.address))

    async def renew(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        body = await exchange.json(RenewBody)
        renewed = await enrolment.renew(
            phone,
            brought=Brought(
                cms=base64url.decode(body.cms or ""),
                content=base64url.decode(body.content or ""),
                address=exchange.address,
            ),
            csrs=body.csrs,
            assertion=body.assertion.decoded(),
        )
        return ok(renewed)

    async def confirm(exchange: Exchange) -> Response:
        return ok(await enrolment.confirm_renewal(await phone_of(exchange)))

    def route(endpoint: Any, access: Access, name: str, summary: str, **more: Any) -> Bare:
        limit = more.pop("body_limit", 32 * 1024)
        operation = Operation(name=name, summary=summary, **more)
        return Bare(endpoint=endpoint, access=access, operation=operation, body_limit=limit)

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        cors=cors,
        bare={
            ("POST", "/phone/v1/enrolments"): route(
                join,
                _JOIN,
                "joinEnrolment",
                "Join the request behind a scanned code",
                body=JoinBody,
                answer=Joined,
                status=201,
            ),
            ("POST", "/phone/v1/enrolments/{id}/csr"): route(
                keys,
                _JOIN,
                "handInKeys",
                "Hand in CSRs and registration; then the card can sign",
                body=KeysBody,
                answer=Handed,
            ),
            ("GET", "/phone/v1/enrolments/{id}"): route(
                enrolment_view,
                _JOIN,
                "getOwnEnrolment",
                "Where this phone's enrolment stands",
                answer=EnrolmentView,
            ),
            ("GET", "/phone/v1/certificates/{id}"): route(
                certificate,
                _MANAGE,
                "getCertificate",
                "A certificate of this person's phones, and its fields for people",
                answer=CertificateView,
            ),
            ("POST", "/phone/v1/assertions/begin"): route(
                begin_assertion,
                _USE,
                "beginAssertion",
                "A challenge to assert",
                answer=ChallengeView,
            ),
            ("POST", "/phone/v1/assertions"): route(
                prove_presence,
                _USE,
                "assert",
                "Prove that the person is there; holds for ten minutes",
                body=AssertionBody,
                answer=AssertedView,
            ),
            ("GET", "/phone/v1/phones"): route(
                phones, _MANAGE, "listPhones", "The person's phones", answer=PhonesView
            ),
            ("POST", "/phone/v1/revoke"): route(
                revoke,
                _MANAGE,
                "revokePhone",
                "End one of the person's phones",
                body=RevokeBody,
                status=204,
            ),
            ("POST", "/phone/v1/freeze"): route(
                freeze,
                _MANAGE,
                "freezePhones",
                "Stop every phone of the person at once, this one too; the card brings them back",
                answer=FrozenView,
            ),
            ("POST", "/phone/v1/renew/begin"): route(
                begin_renewal,
                _USE,
                "beginRenewal",
                "A nonce for the renewal, if it is open",
                answer=Begun,
            ),
            ("POST", "/phone/v1/renew"): route(
                renew,
                _USE,
                "renew",
                "New keys, signed for by the old one",
                body=RenewBody,
                answer=Renewed,
                body_limit=CMS_LIMIT,
            ),
            ("POST", "/phone/v1/renew/confirm"): route(
                confirm,
                _USE,
                "confirmRenewal",
                "The new certificates arrived; the old ones are superseded",
                answer=Renewed,
            ),
        },
    )


def _phone_view(phone: Phone, sender: PhonePrincipal) -> PhoneView:
    certificate = next(iter(phone.certificates.values()), None)
    return PhoneView(
        id=phone.id,
        name=phone.name,
        state=phone.state,
        bound_at=rfc3339(phone.bound_at),
        young_until=rfc3339(phone.young_until),
        not_after=rfc3339(certificate.not_after) if certificate else None,
        this=phone.id == sender.phone,
    )
