"""The RP API's sessions (``/v1``) and the Phone API's approvals (``/phone/v1``)."""

from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from inkan.approvals import UsageFilter, UsageRecord, UsageResult
from inkan.audit import Actor, ActorKind
from inkan.enrolment import PhonePrincipal
from inkan.identification.model import (
    DOOR_VIEWS,
    Created,
    Redemption,
    SessionOrder,
    SessionView,
)
from inkan.identification.rules import MAX_WAIT_S
from inkan.identification.service import AssertionParts, Decided, Identification, Opened, Waiting
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import Malformed
from inkan.kernel.idempotency import verify_idempotency_key
from inkan.relying_parties import System
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access, Permission
from inkan.web.response import Response, created, json_response, no_content, ok
from inkan.web.routes import Bare, Group, Operation, QueryParameter, Surface
from inkan.web.sse import ServerEvent, event_stream
from inkan.wire.binding import Door
from inkan.wire.forms import parse_moment
from inkan.wire.shown import Language

_DECIDE_LIMIT = 400_000
# A hundred contents with the longest names.
_CREATE_LIMIT = 128 * 1024

PERMISSIONS = (
    Permission(use_case="session.use", roles=frozenset({"system"}), source="design §5.5"),
    Permission(
        use_case="records.read",
        roles=frozenset({"phone"}),
        source="design §5.6: an assertion of the last ten minutes",
        fresh_within=timedelta(minutes=10),
    ),
    Permission(use_case="approval.decide", roles=frozenset({"phone"}), source="design §5.6"),
)
_DOOR_OPERATIONS = {
    Door.QR: "openQRDoor",
    Door.PUSH: "openPushDoor",
    Door.WEB_LINK: "openWebLinkDoor",
    Door.REDIRECT: "openRedirectDoor",
    Door.APP_LINK: "openAppLinkDoor",
}
_DOOR_SUMMARIES = {
    Door.QR: "The handle and secret that the system's back end draws frames with",
    Door.PUSH: "Send the question to the person's phones, or send it again; the code for the page",
    Door.WEB_LINK: "The wallet's address for the browser of the phone",
    Door.REDIRECT: "The address of the page that offers QR, push and open app",
    Door.APP_LINK: "The wallet's address for an app on the phone",
}
_RECORDS = Access("records.read")
_SESSION = Access("session.use")
_PHONE = Access("approval.decide")


class OpenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST approvals/open``: a scanned frame, an address, or a pushed approval and its code.

    Attributes:
        code: six digits that the asking page shows; only with ``approval``.
    """

    lang: Language
    frame: str | None = None
    link: str | None = None
    approval: str | None = None
    code: str | None = None


class DecideBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST approvals/{id}/decide``: both proofs."""

    jws: str
    assertion: AssertionParts


class RecordView(msgspec.Struct, frozen=True):
    """One use as the person reads it; ``detail`` is null once it was erased."""

    id: str
    at: str
    phone: str
    outcome: str
    detail: dict[str, Any] | None
    reported_at: str | None


class RecordList(msgspec.Struct, frozen=True):
    """Records of use, newest first, at most 50; ask again with ``before``."""

    records: list[RecordView]


class OpenedList(msgspec.Struct, frozen=True):
    """What the phone has open, and what was pushed to it and waits."""

    approvals: list[Opened]
    waiting: list[Waiting]


class BrowserView(msgspec.Struct, frozen=True):
    """A browser that a relying party knows as this person's."""

    id: str
    relying_party: str
    domain: str
    paired_at: str


class BrowserList(msgspec.Struct, frozen=True):
    """The person's known browsers, newest first."""

    browsers: list[BrowserView]


def rp_routes(identification: Identification, authenticator: Authenticator) -> Group:
    """The routes of relying parties' systems."""

    async def create(exchange: Exchange) -> Response:
        system = await _system(exchange)
        key = verify_idempotency_key(exchange.header("idempotency-key"))
        order = await exchange.json(SessionOrder)
        made = await identification.create(
            system, order, body=await exchange.body(), idempotency_key=key
        )
        return created(made, location=f"/v1/sessions/{made.session.id}")

    async def read(exchange: Exchange) -> Response:
        system = await _system(exchange)
        seconds = _wait(exchange.query("wait"))
        known = exchange.header("if-none-match")
        seen, etag = await identification.wait(
            exchange.parameters["id"], system=system.id, seconds=seconds, known=known
        )
        return ok(seen).with_header("etag", etag).with_header("cache-control", "no-store")

    async def events(exchange: Exchange) -> Response:
        system = await _system(exchange)
        states = identification.follow(exchange.parameters["id"], system=system.id)
        first = await anext(states)
        return event_stream(exchange, _states(first, states))

    def making(door: Door) -> Bare:
        async def make(exchange: Exchange) -> Response:
            system = await _system(exchange)
            session = exchange.parameters["id"]
            return ok(await identification.make_door(session, door, system=system))

        operation = Operation(
            name=_DOOR_OPERATIONS[door],
            summary=_DOOR_SUMMARIES[door],
            answer=DOOR_VIEWS[door],
        )
        return Bare(endpoint=make, access=_SESSION, operation=operation)

    async def redeem(exchange: Exchange) -> Response:
        system = await _system(exchange)
        body = await exchange.json(Redemption)
        return ok(await identification.redeem(exchange.parameters["id"], body, system=system.id))

    async def qr_stream(exchange: Exchange) -> Response:
        system = await _system(exchange)
        await identification.get(exchange.parameters["id"], system=system.id)
        frames = identification.frames(exchange.parameters["id"], system=system.id)
        return event_stream(exchange, _frames(frames))

    async def cancel(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(await identification.cancel(exchange.parameters["id"], system=system.id))

    async def receipt(exchange: Exchange) -> Response:
        system = await _system(exchange)
        jws = await identification.receipt(exchange.parameters["id"], system=system.id)
        return Response(200, jws.encode(), media_type="application/jose")

    async def evidence(exchange: Exchange) -> Response:
        system = await _system(exchange)
        bundle = await identification.evidence(exchange.parameters["id"], system=system.id)
        return Response(200, bundle, media_type="application/json")

    wait = QueryParameter(name="wait", type=int, description="Seconds to wait, 0 to 120.")
    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        bare={
            ("POST", "/v1/sessions"): Bare(
                endpoint=create,
                access=_SESSION,
                body_limit=_CREATE_LIMIT,
                operation=Operation(
                    name="createSession",
                    summary="Open a session; repeat with the same Idempotency-Key to read it again",
                    body=SessionOrder,
                    answer=Created,
                    status=201,
                ),
            ),
            ("GET", "/v1/sessions/{id}"): Bare(
                endpoint=read,
                access=_SESSION,
                operation=Operation(
                    name="getSession",
                    summary="The session now, or as soon as it changes (long poll)",
                    answer=SessionView,
                    query=(wait,),
                ),
            ),
            ("GET", "/v1/sessions/{id}/events"): Bare(
                endpoint=events,
                access=_SESSION,
                operation=Operation(
                    name="followSession",
                    summary="Every state of the session as server-sent events",
                    media_type="text/event-stream",
                ),
            ),
            **{("POST", f"/v1/sessions/{{id}}/doors/{door}"): making(door) for door in Door},
            ("POST", "/v1/sessions/{id}/redeem"): Bare(
                endpoint=redeem,
                access=_SESSION,
                operation=Operation(
                    name="redeemSession",
                    summary="Get the answer for the browser or app that began, once",
                    body=Redemption,
                    answer=SessionView,
                ),
            ),
            ("GET", "/v1/sessions/{id}/doors/qr/stream"): Bare(
                endpoint=qr_stream,
                access=_SESSION,
                operation=Operation(
                    name="streamQRFrames",
                    summary="One frame a second as server-sent events, drawn by the platform",
                    media_type="text/event-stream",
                ),
            ),
            ("POST", "/v1/sessions/{id}/cancel"): Bare(
                endpoint=cancel,
                access=_SESSION,
                operation=Operation(
                    name="cancelSession", summary="Take the question back", answer=SessionView
                ),
            ),
            ("GET", "/v1/sessions/{id}/receipt"): Bare(
                endpoint=receipt,
                access=_SESSION,
                operation=Operation(
                    name="getReceipt",
                    summary="The signed receipt of a closed session",
                    media_type="application/jose",
                ),
            ),
            ("GET", "/v1/sessions/{id}/evidence"): Bare(
                endpoint=evidence,
                access=_SESSION,
                operation=Operation(
                    name="getEvidence",
                    summary="All that is needed to check the receipt offline (full evidence only)",
                ),
            ),
        },
    )


def phone_routes(
    identification: Identification, authenticator: Authenticator, *, cors: Any
) -> Group:
    """The routes of phones."""

    async def open_(exchange: Exchange) -> Response:
        arrived = exchange.now
        phone = await _phone(exchange)
        body = await exchange.json(OpenBody)
        return ok(await _open(identification, phone, body, arrived))

    async def listed(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        seconds = _wait(exchange.query("wait"))
        waiting = await identification.waiting_on(
            phone, lang=Language(exchange.language), seconds=seconds
        )
        return ok(OpenedList(approvals=await identification.opened_on(phone), waiting=waiting))

    async def browsers(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        known = await identification.browsers(phone.person)
        return ok(
            BrowserList(
                browsers=[
                    BrowserView(
                        id=each.id,
                        relying_party=each.relying_party,
                        domain=each.domain,
                        paired_at=rfc3339(each.paired_at),
                    )
                    for each in known
                ]
            )
        )

    async def unpair(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        actor = Actor(ActorKind.PHONE, phone.phone)
        await identification.unpair(phone.person, exchange.parameters["id"], actor=actor)
        return no_content()

    async def decide(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        body = await exchange.json(DecideBody)
        decided = await identification.approve(
            phone, exchange.parameters["id"], jws=body.jws, assertion=body.assertion
        )
        return json_response(200, decided)

    async def refuse(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        return ok(await identification.refuse(phone, exchange.parameters["id"]))

    async def report(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        return ok(await identification.refuse(phone, exchange.parameters["id"], report=True))

    async def records(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        before, below, only = exchange.query("before"), exchange.query("below"), _filter(exchange)
        if below is not None:
            listed = await identification.records_below(phone.person, below, only=only)
        else:
            until = parse_moment(before) if before else None
            listed = await identification.records(phone.person, before=until, only=only)
        return ok(RecordList(records=[_record(record) for record in listed]))

    async def release(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        await identification.give_back(phone, exchange.parameters["id"])
        return no_content()

    def decision(endpoint: Any, name: str, summary: str) -> Bare:
        operation = Operation(name=name, summary=summary, answer=Decided)
        return Bare(endpoint=endpoint, access=_PHONE, operation=operation)

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        cors=cors,
        bare={
            ("POST", "/phone/v1/approvals/open"): Bare(
                endpoint=open_,
                access=_PHONE,
                operation=Operation(
                    name="openApproval",
                    summary="Open the request behind a scanned frame, an address or a pushed code",
                    body=OpenBody,
                    answer=Opened,
                ),
            ),
            ("GET", "/phone/v1/approvals"): Bare(
                endpoint=listed,
                access=_PHONE,
                operation=Operation(
                    name="listApprovals",
                    summary="What this phone has open, and what was pushed to it (long poll)",
                    answer=OpenedList,
                    query=(
                        QueryParameter(
                            name="wait", type=int, description="Seconds to wait, 0 to 120."
                        ),
                    ),
                ),
            ),
            ("GET", "/phone/v1/browsers"): Bare(
                endpoint=browsers,
                access=_RECORDS,
                operation=Operation(
                    name="listBrowsers",
                    summary="Browsers that relying parties know as this person's",
                    answer=BrowserList,
                ),
            ),
            ("DELETE", "/phone/v1/browsers/{id}"): Bare(
                endpoint=unpair,
                access=_RECORDS,
                operation=Operation(
                    name="unpairBrowser", summary="Forget a known browser", status=204
                ),
            ),
            ("POST", "/phone/v1/approvals/{id}/decide"): Bare(
                endpoint=decide,
                access=_PHONE,
                body_limit=_DECIDE_LIMIT,
                operation=Operation(
                    name="decideApproval",
                    summary="Approve with both proofs",
                    body=DecideBody,
                    answer=Decided,
                ),
            ),
            ("POST", "/phone/v1/approvals/{id}/refuse"): decision(
                refuse, "refuseApproval", "Say no"
            ),
            ("POST", "/phone/v1/approvals/{id}/report"): decision(
                report, "reportApproval", "Say that somebody else started this"
            ),
            ("GET", "/phone/v1/records"): Bare(
                endpoint=records,
                access=_RECORDS,
                operation=Operation(
                    name="listRecords",
                    summary="The person's records of use, newest first",
                    answer=RecordList,
                    query=(
                        QueryParameter(
                            name="before", type=str, description="Only what is older (RFC 3339)."
                        ),
                        QueryParameter(
                            name="below", type=str, description="Only what follows this record."
                        ),
                        QueryParameter(
                            name="system", type=str, description="Only uses that it asked for."
                        ),
                        QueryParameter(
                            name="result",
                            type=str,
                            description="ok, refused, failed, blocked or reported.",
                        ),
                    ),
                ),
            ),
            ("POST", "/phone/v1/approvals/{id}/release"): Bare(
                endpoint=release,
                access=_PHONE,
                operation=Operation(
                    name="releaseApproval",
                    summary="Let go without deciding; the code may be scanned again",
                    status=204,
                ),
            ),
        },
    )


async def _system(exchange: Exchange) -> System:
    principal = await exchange.get_principal()
    system: System = principal.record.system
    return system


async def _phone(exchange: Exchange) -> PhonePrincipal:
    principal = await exchange.get_principal()
    phone: PhonePrincipal = principal.record
    return phone


async def _open(
    identification: Identification, phone: PhonePrincipal, body: OpenBody, arrived: datetime
) -> Opened:
    brought = (body.frame, body.link, body.approval)
    if sum(each is not None for each in brought) != 1 or (body.code and not body.approval):
        raise Malformed(where="/", expected="one of frame, link, or approval with its code")
    if body.frame is not None:
        return await identification.open(phone, frame=body.frame, lang=body.lang, arrived=arrived)
    if body.link is not None:
        return await identification.open_link(phone, address=body.link, lang=body.lang)
    return await identification.open_push(
        phone, approval_id=body.approval or "", code=body.code, lang=body.lang
    )


def _wait(text: str | None) -> float:
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or int(text) > MAX_WAIT_S:
        raise Malformed(where="wait", expected=f"whole seconds from 0 to {MAX_WAIT_S}")
    return float(text)


async def _states(
    first: tuple[SessionView, str], rest: AsyncIterator[tuple[SessionView, str]]
) -> AsyncGenerator[ServerEvent, None]:
    yield _event("state", first[0])
    async for seen, _ in rest:
        yield _event("state", seen)


async def _frames(frames: AsyncIterator[str | None]) -> AsyncGenerator[ServerEvent, None]:
    async for frame in frames:
        yield _event("frame", {"frame": frame})


def _event(name: str, value: Any) -> ServerEvent:
    return ServerEvent(data=msgspec.json.encode(value).decode(), name=name)


def _filter(exchange: Exchange) -> UsageFilter:
    result = exchange.query("result")
    try:
        wanted = UsageResult(result) if result is not None else None
    except ValueError:
        raise Malformed(where="result", expected=", ".join(UsageResult)) from None
    return UsageFilter(system=exchange.query("system"), result=wanted)


def _record(record: UsageRecord) -> RecordView:
    return RecordView(
        id=record.id,
        at=rfc3339(record.at),
        phone=record.phone,
        outcome=record.outcome,
        detail=record.detail,
        reported_at=rfc3339(record.reported_at) if record.reported_at else None,
    )
