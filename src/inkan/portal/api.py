"""The Phone API's records and consents (``/phone/v1``): one use and its place in the log, the report, what was given.

The list of uses and the known browsers are routes of ``identification``.
"""

from typing import Any, Final

import msgspec

from inkan.approvals import UsageRecord
from inkan.audit import Actor, ActorKind
from inkan.enrolment import PhonePrincipal
from inkan.identification import LogEntry
from inkan.kernel.clock import rfc3339
from inkan.portal.service import Portal
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, no_content, ok
from inkan.web.routes import Bare, Group, Operation, Surface

_READ: Final = Access("records.read")
# Refusing and reporting need only the channel key (design §5.3).
_REPORT: Final = Access("approval.decide")


class LogView(msgspec.Struct, frozen=True):
    """Where a use stands in the audit log; index, size and head are null for a minute at most.

    Attributes:
        provable: whether ``GET records/{id}/proof`` gives a proof that others can check.
    """

    event: str
    index: int | None
    tree_size: int | None
    head_at: str | None
    provable: bool


class UseView(msgspec.Struct, frozen=True):
    """One use with everything that is known of it; ``detail`` is null once it was erased."""

    id: str
    at: str
    phone: str
    phone_name: str
    outcome: str
    detail: dict[str, Any] | None
    reported_at: str | None
    log: LogView


class ReportView(msgspec.Struct, frozen=True):
    """The report as it stands; a second one changes nothing."""

    id: str
    reported_at: str


class ConsentRow(msgspec.Struct, frozen=True):
    """What the person gave to whom by which signed statement; names and codes are empty once erased."""

    id: str
    at: str
    relying_party: str
    domain: str
    claims: list[str]
    statement_sha256: str
    withdrawn_at: str | None


class ConsentList(msgspec.Struct, frozen=True):
    """The person's consents, newest first, at most 100."""

    consents: list[ConsentRow]


def phone_routes(portal: Portal, authenticator: Authenticator, *, cors: Any) -> Group:
    """The routes of phones."""

    async def use(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        found = await portal.use(phone.person, exchange.parameters["id"])
        return ok(_use(found.record, found.phone_name, found.log))

    async def proof(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        body = await portal.use_proof(phone.person, exchange.parameters["id"])
        return Response(200, body, media_type="application/json")

    async def report(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        actor = Actor(ActorKind.PHONE, phone.phone)
        record = await portal.report_use(phone.person, exchange.parameters["id"], actor=actor)
        return ok(ReportView(id=record.id, reported_at=_time(record.reported_at) or ""))

    async def consents(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        rows = [
            ConsentRow(
                id=each.id,
                at=rfc3339(each.at),
                relying_party=each.relying_party,
                domain=each.domain,
                claims=list(each.codes),
                statement_sha256=each.statement_sha256,
                withdrawn_at=_time(each.withdrawn_at),
            )
            for each in await portal.consents(phone.person)
        ]
        return ok(ConsentList(consents=rows))

    async def withdraw(exchange: Exchange) -> Response:
        phone = await _phone(exchange)
        actor = Actor(ActorKind.PHONE, phone.phone)
        await portal.withdraw_consent(phone.person, exchange.parameters["id"], actor=actor)
        return no_content()

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        cors=cors,
        bare={
            ("GET", "/phone/v1/records/{id}"): Bare(
                endpoint=use,
                access=_READ,
                operation=Operation(
                    name="getRecord",
                    summary="One use and its place in the audit log",
                    answer=UseView,
                ),
            ),
            ("GET", "/phone/v1/records/{id}/proof"): Bare(
                endpoint=proof,
                access=_READ,
                operation=Operation(
                    name="getUseProof",
                    summary="The proof that the use stands in the audit log, to be checked offline",
                ),
            ),
            ("POST", "/phone/v1/records/{id}/report"): Bare(
                endpoint=report,
                access=_REPORT,
                operation=Operation(
                    name="reportUse",
                    summary="Say that the person did not start this use; once",
                    answer=ReportView,
                ),
            ),
            ("GET", "/phone/v1/consents"): Bare(
                endpoint=consents,
                access=_READ,
                operation=Operation(
                    name="listConsents",
                    summary="What the person gave to whom, newest first",
                    answer=ConsentList,
                ),
            ),
            ("POST", "/phone/v1/consents/{id}/withdraw"): Bare(
                endpoint=withdraw,
                access=_READ,
                operation=Operation(
                    name="withdrawConsent",
                    summary="Take a consent back: the platform gives nothing more out under it",
                    status=204,
                ),
            ),
        },
    )


async def _phone(exchange: Exchange) -> PhonePrincipal:
    principal = await exchange.get_principal()
    phone: PhonePrincipal = principal.record
    return phone


def _use(record: UsageRecord, phone_name: str, log: LogEntry) -> UseView:
    return UseView(
        id=record.id,
        at=rfc3339(record.at),
        phone=record.phone,
        phone_name=phone_name,
        outcome=record.outcome,
        detail=record.detail,
        reported_at=_time(record.reported_at),
        log=LogView(
            event=log.event,
            index=log.index,
            tree_size=log.tree_size,
            head_at=_time(log.head_at),
            provable=log.is_provable,
        ),
    )


def _time(moment: Any) -> str | None:
    return rfc3339(moment) if moment is not None else None
