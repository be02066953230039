"""The desk's API (``/enrol/v1``): the enrolment page and the card client."""

from typing import Any

from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.enrolment.api.bodies import CMS_LIMIT, CMSBody, CodeView, StartBody
from inkan.enrolment.model import (
    EnrolmentNotFound,
    Request,
)
from inkan.enrolment.service import (
    Accepted,
    Enrolment,
    Progress,
    Started,
    ToSign,
)
from inkan.web.exchange import Exchange
from inkan.web.principal import (
    open_to_all,
)
from inkan.web.response import Response, created, ok
from inkan.web.routes import Bare, Group, Operation, Surface

DESK_SCHEME = "Inkan-Enrol"


_DESK = open_to_all(
    "the request's own secret, held by the page that began it, is the authentication"
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
                body_limit=CMS_LIMIT,
            ),
        },
    )
