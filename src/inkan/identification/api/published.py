"""What the RP API says to everybody: errors, limits, status, webhook keys, and whether a receipt holds.

Nothing here is about anybody; ``/v1/limits`` alone looks at who asks, to say the caller's own rates.
"""

import re
from functools import lru_cache
from typing import Final

import msgspec

from inkan.crypto.workers.pool import WorkersBusy
from inkan.identification.api import described
from inkan.identification.api.bodies import (
    ErrorList,
    ErrorView,
    Limits,
    RateRow,
    ReportView,
    Status,
    VerifyBody,
    error_list,
    error_view,
    report_view,
)
from inkan.identification.api.rates import Rates
from inkan.identification.rules import DOORS, IDEMPOTENCY_LIFE, MAX_WAIT_S, READABLE
from inkan.identification.service import Identification, WebhookSender
from inkan.identification.service import webhooks as deliveries
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import NotFound
from inkan.relying_parties import ASSERTION_LIFE, TOKEN_LIFE, WEBHOOKS_LIMIT
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.input import BODY_LIMIT
from inkan.web.principal import Principal, open_to_all
from inkan.web.response import JSON, Response, ok
from inkan.web.routes import Bare, Group, Link, Operation, Surface
from inkan.wire import webhook
from inkan.wire.forms import CLAIMS_LIMIT, CONTENTS_LIMIT, MomentMalformed, parse_moment
from inkan.wire.receipt import RECEIPT_LIMIT

VERIFY_LIMIT: Final = 512 * 1024
STATUS_LIFE_S: Final = 5
WINDOWS: Final = (5, 60)
_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ERRORS_LIFE_S: Final = 3_600
_KEYS_LIFE_S: Final = 300

SIZES: Final = {
    "request_body": BODY_LIMIT,
    "verify_body": VERIFY_LIMIT,
    "receipt": RECEIPT_LIMIT,
    "webhook_body": webhook.LIMIT,
    "webhook_answer": 64 * 1024,
}
COUNTS: Final = {
    "contents_per_session": CONTENTS_LIMIT,
    "claims_per_session": CLAIMS_LIMIT,
    "webhooks_per_system": WEBHOOKS_LIMIT,
}
SECONDS: Final = {
    "long_poll": int(MAX_WAIT_S),
    "idempotency_key": int(IDEMPOTENCY_LIFE.total_seconds()),
    "session_readable": int(READABLE.total_seconds()),
    "access_token": int(TOKEN_LIFE.total_seconds()),
    "client_assertion": int(ASSERTION_LIFE.total_seconds()),
    "webhook_signature": int(webhook.LIFE.total_seconds()),
    "webhook_answer": 5,
    "webhook_tries": int(deliveries.LIFE.total_seconds()),
    "status_age": STATUS_LIFE_S,
    **{f"door_{door}": int(rule.life.total_seconds()) for door, rule in DOORS.items()},
}


class ErrorUnknown(NotFound):
    """No problem and no reason has this code."""

    code = "error_unknown"
    title = "There is no such code"


def published_routes(
    identification: Identification,
    webhooks: WebhookSender,
    authenticator: Authenticator,
    *,
    rates: Rates,
) -> Group:
    """The routes that need no account."""
    told = _Told(identification)

    async def errors(_: Exchange) -> Response:
        return _published(_encoded_list(), _ERRORS_LIFE_S)

    async def error(exchange: Exchange) -> Response:
        code = exchange.parameters["code"]
        # What cannot be a code takes no place in the memory.
        found = _encoded(code) if _CODE.fullmatch(code) else None
        if found is None:
            raise ErrorUnknown
        return _published(found, _ERRORS_LIFE_S)

    async def limits(exchange: Exchange) -> Response:
        caller = await exchange.find_principal()
        return ok(_limits(rates, caller)).with_header("cache-control", "no-store")

    async def status(exchange: Exchange) -> Response:
        return _published(told.status(exchange), STATUS_LIFE_S)

    async def jwks(_: Exchange) -> Response:
        return _published(webhooks.jwks(), _KEYS_LIFE_S)

    async def verify(exchange: Exchange) -> Response:
        shown = await exchange.json(VerifyBody)
        evidence = None if shown.evidence is None else msgspec.json.encode(shown.evidence)
        at = parse_moment(shown.at) if shown.at is not None else None
        report = await identification.desk.verify(shown.receipt, evidence=evidence, at=at)
        return ok(report_view(report)).with_header("cache-control", "no-store")

    catalogue = open_to_all("the catalogue says nothing of anybody")
    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        limit=rates.published,
        share=rates.share,
        refusals=described.AUTHENTICATION,
        bare={
            ("GET", "/v1/errors"): Bare(
                endpoint=errors,
                access=catalogue,
                operation=Operation(
                    name="listErrors",
                    summary="Every code there is",
                    answer=ErrorList,
                    refusals=(),
                    links={
                        "one": Link(
                            operation="getError", parameters={"code": "$response.body#/problems/0"}
                        )
                    },
                ),
            ),
            ("GET", "/v1/errors/{code}"): Bare(
                endpoint=error,
                access=catalogue,
                operation=Operation(
                    name="getError",
                    summary="Cause, owner, retry and texts of a code",
                    answer=ErrorView,
                    refusals=(ErrorUnknown,),
                ),
            ),
            ("GET", "/v1/limits"): Bare(
                endpoint=limits,
                access=open_to_all("figures of the instance; the caller's own if it proves itself"),
                operation=Operation(
                    name="getLimits",
                    summary="Rates, sizes, counts and lives",
                    answer=Limits,
                    refusals=(),
                ),
            ),
            ("GET", "/v1/status"): Bare(
                endpoint=status,
                access=open_to_all("counts without anybody's id"),
                operation=Operation(
                    name="getStatus",
                    summary="How sessions fared in the last 5 and 60 minutes",
                    answer=Status,
                    refusals=(),
                    example=described.STATUS,
                ),
            ),
            ("GET", "/v1/jwks.json"): Bare(
                endpoint=jwks,
                access=open_to_all("public keys"),
                operation=Operation(
                    name="getWebhookKeys",
                    summary="The keys that sign webhooks (RFC 7517)",
                    answer=KeySet,
                    refusals=(),
                ),
            ),
            ("POST", "/v1/receipts/verify"): Bare(
                endpoint=verify,
                access=open_to_all("whoever holds a receipt may have it checked"),
                body_limit=VERIFY_LIMIT,
                limit=rates.verifications,
                operation=Operation(
                    name="verifyReceipt",
                    summary="Whether a receipt holds, with or without its evidence",
                    body=VerifyBody,
                    answer=ReportView,
                    refusals=(WorkersBusy, MomentMalformed),
                    body_example=described.VERIFY,
                ),
            ),
        },
    )


class KeySet(msgspec.Struct, frozen=True):
    """A key set (RFC 7517 §5); ``kid`` is the thumbprint (RFC 7638)."""

    keys: list[dict[str, str]]


class _Told:
    """The last answer about the status, given again for some seconds."""

    def __init__(self, identification: Identification) -> None:
        self._identification = identification
        self._body = b""
        self._until = 0.0

    def status(self, exchange: Exchange) -> bytes:
        clock = exchange.site.clock
        if not self._body or clock.monotonic() >= self._until:
            tally = self._identification.tally
            self._body = msgspec.json.encode(
                Status(
                    at=rfc3339(clock.now()),
                    scope="process",
                    since=rfc3339(tally.since),
                    windows=[tally.window(minutes) for minutes in WINDOWS],
                )
            )
            self._until = clock.monotonic() + STATUS_LIFE_S
        return self._body


def _published(body: bytes, max_age_s: int) -> Response:
    response = Response(200, body, media_type=JSON)
    return response.with_header("cache-control", f"public, max-age={max_age_s}")


@lru_cache(maxsize=1)
def _encoded_list() -> bytes:
    return msgspec.json.encode(error_list())


@lru_cache(maxsize=1_024)
def _encoded(code: str) -> bytes | None:
    found = error_view(code)
    return None if found is None else msgspec.json.encode(found)


def _limits(rates: Rates, caller: Principal | None) -> Limits:
    factor = rates.share(caller) if caller is not None else 1
    rows = [("system", rate.times(factor)) for rate in rates.by_system]
    rows += [("sender", rate) for rate in rates.by_sender]
    return Limits(
        rates=[
            RateRow(
                name=rate.name,
                requests=rate.requests,
                window_s=int(rate.window_s),
                counted_by=counted_by,
            )
            for counted_by, rate in rows
        ],
        sizes=SIZES,
        counts=COUNTS,
        seconds=SECONDS,
    )
