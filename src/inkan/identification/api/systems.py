"""The RP API's sessions (``/v1/sessions``): what relying parties' systems open, read and keep."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Final

import msgspec

from inkan.approvals import ApprovalEnded, ApprovalMoved, ApprovalNotFound
from inkan.attributes import AttributeUnknown
from inkan.identification.api import described
from inkan.identification.api.rates import Rates
from inkan.identification.api.waits import WAIT, long_poll
from inkan.identification.model import (
    DOOR_VIEWS,
    ClaimNotRegistered,
    Created,
    DoorNotRegistered,
    EvidenceSealed,
    LevelTooLow,
    NotDecided,
    PurposeNotRegistered,
    PushUnderWay,
    ReceiptNotReady,
    Redemption,
    ReturnNotRegistered,
    ReturnRefused,
    SessionNotFound,
    SessionOrder,
    SessionPurged,
    SessionView,
    WebhookNotRegistered,
)
from inkan.identification.service import Identification
from inkan.kernel.idempotency import (
    IdempotencyConflict,
    IdempotencyKeyMissing,
    verify_idempotency_key,
)
from inkan.kernel.identifiers import NationalIDMalformed
from inkan.people import MyNumberRefused
from inkan.relying_parties import System
from inkan.signing import BatchNotFound, DocumentNotFound
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access, Permission
from inkan.web.response import Response, created, ok
from inkan.web.routes import IDEMPOTENCY_KEY, Bare, Group, Operation, Surface
from inkan.web.sse import ServerEvent, event_stream
from inkan.wire.binding import Door

# A hundred contents with the longest names.
CREATE_LIMIT: Final = 128 * 1024

PERMISSIONS = (
    Permission(use_case="session.use", roles=frozenset({"system"}), source="design §5.5"),
)
_SESSION = Access("session.use")
_UNKNOWN = (SessionNotFound, ApprovalNotFound, SessionPurged)
_END_REFUSALS = (*_UNKNOWN, ApprovalEnded, ApprovalMoved)
_REDEEM_REFUSALS = (*_END_REFUSALS, NotDecided, ReturnRefused)
_DOOR_REFUSALS = (*_END_REFUSALS, LevelTooLow, DoorNotRegistered, PushUnderWay)
_ORDER_REFUSALS = (
    *(IdempotencyKeyMissing, IdempotencyConflict, NationalIDMalformed, AttributeUnknown),
    *(PurposeNotRegistered, DoorNotRegistered, ReturnNotRegistered, WebhookNotRegistered),
    *(ClaimNotRegistered, LevelTooLow, ApprovalNotFound, DocumentNotFound, BatchNotFound),
    *(MyNumberRefused,),
)


def rp_routes(
    identification: Identification, authenticator: Authenticator, *, rates: Rates
) -> Group:
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
        seconds = long_poll(exchange)
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

        said = described.DOORS[door]
        operation = Operation(
            name=said.operation,
            summary=said.summary,
            answer=DOOR_VIEWS[door],
            refusals=_DOOR_REFUSALS,
            links=said.links,
            example=said.example,
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

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        limit=rates.calls,
        share=rates.share,
        refusals=described.AUTHENTICATION,
        bare={
            ("POST", "/v1/sessions"): Bare(
                endpoint=create,
                access=_SESSION,
                body_limit=CREATE_LIMIT,
                limit=rates.sessions,
                operation=Operation(
                    name="createSession",
                    summary="Open a session; repeat with the same Idempotency-Key to read it again",
                    body=SessionOrder,
                    answer=Created,
                    status=201,
                    headers=(IDEMPOTENCY_KEY,),
                    refusals=_ORDER_REFUSALS,
                    links=described.LINKS_OF_CREATED,
                    body_example=described.ORDER,
                    example=described.CREATED,
                ),
            ),
            ("GET", "/v1/sessions/{id}"): Bare(
                endpoint=read,
                access=_SESSION,
                operation=Operation(
                    name="getSession",
                    summary="The session now, or as soon as it changes (long poll)",
                    answer=SessionView,
                    query=(WAIT,),
                    refusals=_UNKNOWN,
                    links=described.LINKS_OF_SESSION,
                    example=described.CLOSED,
                ),
            ),
            ("GET", "/v1/sessions/{id}/events"): Bare(
                endpoint=events,
                access=_SESSION,
                operation=Operation(
                    name="followSession",
                    summary="Every state of the session as server-sent events",
                    media_type="text/event-stream",
                    refusals=_UNKNOWN,
                    example='event: state\ndata: {"id":"ses_6vq3vb3m2c7g4kq1h8d0y5tzja"}\n\n',
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
                    refusals=_REDEEM_REFUSALS,
                    links=described.LINKS_OF_SESSION,
                    body_example=described.REDEMPTION,
                    example=described.CLOSED,
                ),
            ),
            ("GET", "/v1/sessions/{id}/doors/qr/stream"): Bare(
                endpoint=qr_stream,
                access=_SESSION,
                operation=Operation(
                    name="streamQRFrames",
                    summary="One frame a second as server-sent events, drawn by the platform",
                    media_type="text/event-stream",
                    refusals=_DOOR_REFUSALS,
                    example='event: frame\ndata: {"frame":"https://wallet.example/q#1.qr_x.1.x"}\n\n',
                ),
            ),
            ("POST", "/v1/sessions/{id}/cancel"): Bare(
                endpoint=cancel,
                access=_SESSION,
                operation=Operation(
                    name="cancelSession",
                    summary="Take the question back",
                    answer=SessionView,
                    refusals=_END_REFUSALS,
                    links=described.LINKS_OF_CANCELLED,
                    example=described.CANCELLED,
                ),
            ),
            ("GET", "/v1/sessions/{id}/receipt"): Bare(
                endpoint=receipt,
                access=_SESSION,
                operation=Operation(
                    name="getReceipt",
                    summary="The signed receipt of a closed session",
                    media_type="application/jose",
                    refusals=(*_UNKNOWN, ReceiptNotReady),
                    example="eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
                ),
            ),
            ("GET", "/v1/sessions/{id}/evidence"): Bare(
                endpoint=evidence,
                access=_SESSION,
                operation=Operation(
                    name="getEvidence",
                    summary="All that is needed to check the receipt offline (full evidence only)",
                    answer=dict[str, Any],
                    refusals=(*_UNKNOWN, ReceiptNotReady, EvidenceSealed),
                ),
            ),
        },
    )


async def _system(exchange: Exchange) -> System:
    principal = await exchange.get_principal()
    system: System = principal.record.system
    return system


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
