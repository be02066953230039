"""The Phone API's approvals and records (``/phone/v1``)."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from inkan.approvals import UsageFilter, UsageRecord, UsageResult
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.enrolment import PhonePrincipal
from inkan.identification.api.waits import WAIT, long_poll
from inkan.identification.service import (
    AssertionParts,
    Decided,
    Identification,
    Opened,
    Unsigned,
    Waiting,
)
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import Malformed
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access, Permission
from inkan.web.response import Response, json_response, no_content, ok
from inkan.web.routes import Bare, Group, Operation, QueryParameter, Surface
from inkan.wire.forms import parse_moment
from inkan.wire.shown import Language

_DECIDE_LIMIT = 400_000

PERMISSIONS = (
    Permission(
        use_case="records.read",
        roles=frozenset({"phone"}),
        source="design §5.6: an assertion of the last ten minutes",
        fresh_within=timedelta(minutes=10),
    ),
    Permission(use_case="approval.decide", roles=frozenset({"phone"}), source="design §5.6"),
)
_RECORDS = Access("records.read")
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
    """The body of ``POST approvals/{id}/decide``: both proofs, or the statement and the assertion that releases the key.

    Attributes:
        jws: the statement, signed by the phone.
        statement: base64url of the statement's bytes, for a phone whose keys lie with the platform (back end B).
    """

    assertion: AssertionParts
    jws: str | None = None
    statement: str | None = None


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
        seconds = long_poll(exchange)
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
            phone, exchange.parameters["id"], jws=_proof(exchange, body), assertion=body.assertion
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
                    query=(WAIT,),
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


def _proof(exchange: Exchange, body: DecideBody) -> str | Unsigned:
    if body.jws is not None and body.statement is None:
        return body.jws
    if body.statement is not None and body.jws is None:
        statement = base64url.decode(body.statement)
        return Unsigned(statement=statement, address=exchange.address)
    raise Malformed(where="/", expected="either jws or statement")


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
