"""The desk's API (``/enrol/v1``) and the phone's own (``/phone/v1``), and who a phone's request comes from."""

from datetime import datetime
from typing import Any

import msgspec

from inkan.crypto import base64url, dpop, webauthn
from inkan.crypto.base64url import Base64URLMalformed
from inkan.enrolment.model import (
    ChannelKey,
    ChannelProofRefused,
    EnrolmentNotFound,
    Phone,
    PhonePrincipal,
    Request,
)
from inkan.enrolment.rules import ASSERTION_LIFE
from inkan.enrolment.service import (
    Accepted,
    Begun,
    Enrolment,
    Handed,
    Joined,
    Progress,
    Registration,
    Renewed,
    Started,
    ToSign,
)
from inkan.kernel.clock import Clock, rfc3339
from inkan.pki import PKI
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import (
    Access,
    Assurance,
    Permission,
    Principal,
    PrincipalKind,
    open_to_all,
)
from inkan.web.replay import ReplayMemory
from inkan.web.response import Response, created, no_content, ok
from inkan.web.routes import Bare, Group, Operation, Surface
from inkan.wire.binding import BackEnd

PHONE_ROLE = "phone"
CHANNEL_ROLE = "channel"
DESK_SCHEME = "Inkan-Enrol"
_CMS_LIMIT = 96 * 1024

PERMISSIONS = (
    Permission(
        use_case="enrolment.join",
        roles=frozenset({CHANNEL_ROLE, PHONE_ROLE}),
        source="design §5.2 step 1",
    ),
    Permission(
        use_case="phone.use", roles=frozenset({PHONE_ROLE}), source="design §5.1, channel key"
    ),
    Permission(
        use_case="phone.manage",
        roles=frozenset({PHONE_ROLE}),
        source="design §5.6: an assertion of the last ten minutes",
        fresh_within=ASSERTION_LIFE,
    ),
)
_JOIN, _USE, _MANAGE = (
    Access("enrolment.join"),
    Access("phone.use"),
    Access("phone.manage"),
)
_DESK = open_to_all(
    "the request's own secret, held by the page that began it, is the authentication"
)


class StartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rule set, and the version of the terms that the person accepted."""

    scheme: str
    terms_version: str


class CMSBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The card's signature: base64url of a DER SignedData."""

    cms: str


class CodeView(msgspec.Struct, frozen=True):
    """The rotating code of this second."""

    frame: str


class JoinBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The scanned code, what the person calls the phone, and where it keeps its keys."""

    frame: str
    name: str
    back_end: BackEnd


class KeysBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CSRs (base64url DER) by use, and the passkey's registration."""

    csrs: dict[str, str]
    registration: Registration


class EnrolmentView(msgspec.Struct, frozen=True):
    """Where the phone's enrolment stands."""

    state: str
    phone: str | None
    certificates: dict[str, str]
    refusal: str | None


class CertificateView(msgspec.Struct, frozen=True):
    """A certificate of the phone and its issuers, each base64url DER, without the root."""

    id: str
    profile: str
    der: str
    chain: list[str]
    not_before: str
    not_after: str


class ChallengeView(msgspec.Struct, frozen=True):
    """A challenge to assert."""

    challenge: str


class AssertionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A WebAuthn assertion, each part base64url."""

    credential_id: str
    client_data_json: str
    authenticator_data: str
    signature: str

    def decoded(self) -> webauthn.Assertion:
        """The parts as bytes.

        Raises:
            Base64URLMalformed: a part is not base64url.
        """
        return webauthn.Assertion(
            credential_id=base64url.decode(self.credential_id),
            client_data_json=base64url.decode(self.client_data_json),
            authenticator_data=base64url.decode(self.authenticator_data),
            signature=base64url.decode(self.signature),
        )


class AssertedView(msgspec.Struct, frozen=True):
    """Until when the phone counts as asserted."""

    until: str


class PhoneView(msgspec.Struct, frozen=True):
    """A phone as its person sees it."""

    id: str
    name: str
    state: str
    bound_at: str
    young_until: str
    not_after: str | None
    this: bool


class PhonesView(msgspec.Struct, frozen=True):
    """The person's phones."""

    phones: list[PhoneView]


class RevokeBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which phone to revoke."""

    phone: str


class RenewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A renewal: the old key's CMS, the new CSRs, an assertion."""

    cms: str
    csrs: dict[str, str]
    assertion: AssertionBody


def authenticator(enrolment: Enrolment, *, replay: ReplayMemory, clock: Clock) -> Authenticator:
    """From a request to the phone, or bare channel key, that proved itself in it (design §5.1).

    The proof is RFC 9449's, without an access token: the channel key opens, refuses and lists, and never
    approves by itself.
    """

    async def authenticate(exchange: Exchange) -> Principal | None:
        proof = exchange.header("dpop")
        if proof is None:
            return None
        proved = dpop.verify_proof(
            proof, method=exchange.method, url=exchange.url, now=clock.wire_now()
        )
        replay.admit(f"{proved.jkt}:{proved.jti}", now=clock.monotonic())
        record, asserted_at = await enrolment.principal_of(proved.jkt)
        return _principal(record, asserted_at)

    return authenticate


def _principal(record: PhonePrincipal | ChannelKey, asserted_at: datetime | None) -> Principal:
    bound = isinstance(record, PhonePrincipal)
    return Principal(
        kind=PrincipalKind.PHONE,
        id=record.phone if isinstance(record, PhonePrincipal) else record.jkt,
        roles=frozenset({PHONE_ROLE if bound else CHANNEL_ROLE}),
        assurance=Assurance.POSSESSION,
        verified_at=asserted_at,
        record=record,
    )


def desk_routes(enrolment: Enrolment) -> Group:
    """The routes of the enrolment page and the card client."""

    async def request_of(exchange: Exchange) -> Request:
        scheme, _, secret = (exchange.header("authorization") or "").partition(" ")
        try:
            given = base64url.decode(secret) if scheme == DESK_SCHEME else b""
        except Base64URLMalformed:
            raise EnrolmentNotFound() from None
        return await enrolment.for_desk(exchange.parameters["id"], secret=given)

    async def start(exchange: Exchange) -> Response:
        body = await exchange.json(StartBody)
        started = await enrolment.start(scheme=body.scheme, terms_version=body.terms_version)
        return created(started, location=f"/enrol/v1/requests/{started.id}")

    async def read(exchange: Exchange) -> Response:
        return ok(enrolment.progress(await request_of(exchange)))

    async def code(exchange: Exchange) -> Response:
        return ok(CodeView(frame=enrolment.code(await request_of(exchange))))

    async def content(exchange: Exchange) -> Response:
        return ok(enrolment.content(await request_of(exchange)))

    async def submit(exchange: Exchange) -> Response:
        request = await request_of(exchange)
        body = await exchange.json(CMSBody)
        return ok(await enrolment.submit(request, base64url.decode(body.cms)))

    def desk(endpoint: Any, operation: Operation, **more: Any) -> Bare:
        return Bare(endpoint=endpoint, access=_DESK, operation=operation, **more)

    base = "/enrol/v1/requests"
    return Group(
        surface=Surface.API,
        bare={
            ("POST", base): desk(
                start,
                Operation(
                    name="startEnrolment",
                    summary="Begin to bind a phone at the desk",
                    body=StartBody,
                    answer=Started,
                    status=201,
                ),
            ),
            ("GET", f"{base}/{{id}}"): desk(
                read,
                Operation(name="getEnrolment", summary="Where the request stands", answer=Progress),
            ),
            ("GET", f"{base}/{{id}}/frame"): desk(
                code,
                Operation(
                    name="getEnrolmentFrame",
                    summary="The rotating code of this second, for the phone to scan",
                    answer=CodeView,
                ),
            ),
            ("GET", f"{base}/{{id}}/content"): desk(
                content,
                Operation(
                    name="getEnrolmentContent",
                    summary="What the card has to sign, once the phone has made its keys",
                    answer=ToSign,
                ),
            ),
            ("POST", f"{base}/{{id}}/cms"): desk(
                submit,
                Operation(
                    name="submitEnrolment",
                    summary="The card's signature; the same bytes again get the same answer",
                    body=CMSBody,
                    answer=Accepted,
                ),
                body_limit=_CMS_LIMIT,
            ),
        },
    )


def phone_routes(
    enrolment: Enrolment, pki: PKI, authenticator: Authenticator, *, cors: Any = None
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
        if not await enrolment.owns_certificate(phone.person, wanted):
            raise EnrolmentNotFound()
        issued = await pki.certificate(wanted)
        return ok(
            CertificateView(
                id=issued.id,
                profile=issued.profile,
                der=base64url.encode(issued.der),
                chain=[base64url.encode(der) for der in issued.chain],
                not_before=rfc3339(issued.not_before),
                not_after=rfc3339(issued.not_after),
            )
        )

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
        await enrolment.revoke(phone, body.phone)
        return no_content()

    async def begin_renewal(exchange: Exchange) -> Response:
        return ok(await enrolment.begin_renewal(await phone_of(exchange)))

    async def renew(exchange: Exchange) -> Response:
        phone = await phone_of(exchange)
        body = await exchange.json(RenewBody)
        renewed = await enrolment.renew(
            phone,
            cms=base64url.decode(body.cms),
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
                _USE,
                "getCertificate",
                "A certificate of this person's phones",
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
                body_limit=_CMS_LIMIT,
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
