"""Usage records: the list, one of them with its place in the log, the report, and all of them for taking away (TW-38).

Each page shows records of the person of the login. A record of somebody else and one that does not exist have the
same answer.
"""

from collections.abc import AsyncGenerator
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from inkan.accounts import Accounts, authenticator
from inkan.approvals import RECORDS_PAGE, UsageFilter, UsageRecord, UsageResult
from inkan.audit import Actor, ActorKind
from inkan.kernel.errors import Malformed
from inkan.portal.pages import export
from inkan.portal.pages.places import (
    CSV_PATH,
    HOME_PATH,
    JSON_PATH,
    LOGIN_PATH,
    RECORDS_PATH,
    who,
    with_query,
)
from inkan.portal.pages.words import DOORS, KINDS, LEVELS, OUTCOMES, RESULTS
from inkan.portal.service import Portal
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.binding import BindingLevel, StatementDoor
from inkan.wire.claims import Claim, claim_names
from inkan.wire.reasons import Reason, text
from inkan.wire.session import Kind, Outcome
from inkan.wire.shown import Language

_LIMIT: Final = RateLimit(name="person-records", requests=120, window=timedelta(minutes=1))
_EXPORT_LIMIT: Final = RateLimit(name="person-export", requests=6, window=timedelta(minutes=1))
_READ: Final = Access("portal.records")
_REPORT: Final = Access("portal.report")


def use_routes(portal: Portal, accounts: Accounts) -> Group:
    """The pages of the person's uses."""

    async def list_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        below, only = exchange.query("below"), _filter(exchange)
        records = await portal.records(person, below=below, only=only)
        picked = {"system": only.system or "", "result": str(only.result or "")}
        is_full = len(records) == RECORDS_PAGE
        return exchange.page(
            "portal/records.html",
            days=_by_day(records, exchange),
            askers=await portal.askers(person),
            results=RESULTS,
            picked=picked,
            is_picked=any(picked.values()),
            older=with_query(RECORDS_PATH, below=records[-1].id, **picked) if is_full else "",
            newest=with_query(RECORDS_PATH, **picked) if below is not None else "",
            records_path=RECORDS_PATH,
            json_path=JSON_PATH,
            csv_path=CSV_PATH,
            home_path=HOME_PATH,
        )

    async def record_page(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        use = await portal.use(person, exchange.parameters["id"])
        path = f"{RECORDS_PATH}/{use.record.id}"
        return exchange.page(
            "portal/record.html",
            use=_facts(use.record, exchange) | {"phone": use.phone_name},
            log=use.log,
            proof_path=f"{path}/proof",
            report_path=f"{path}/report",
            records_path=RECORDS_PATH,
        )

    async def proof(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        record = exchange.parameters["id"]
        body = await portal.use_proof(person, record)
        # The id is known to be one of the platform's own: the proof was found by it.
        return _download(body, f"inkan-use-{record}.json", "application/json")

    async def report(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        actor = Actor(ActorKind.PERSON, person)
        record = await portal.report_use(person, exchange.parameters["id"], actor=actor)
        return see_other(f"{RECORDS_PATH}/{record.id}")

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_LIMIT,
        bare={
            ("GET", RECORDS_PATH): Bare(endpoint=list_page, access=_READ),
            ("GET", f"{RECORDS_PATH}/{{id}}"): Bare(endpoint=record_page, access=_READ),
            ("GET", f"{RECORDS_PATH}/{{id}}/proof"): Bare(endpoint=proof, access=_READ),
            ("POST", f"{RECORDS_PATH}/{{id}}/report"): Bare(endpoint=report, access=_REPORT),
        },
    )


def export_routes(portal: Portal, accounts: Accounts) -> Group:
    """All of the person's records as a file; streamed, and asked for sparingly."""

    async def as_json(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        phones = await portal.phone_names(person)
        pieces = export.json_pieces(
            portal.every_record(person),
            issuer=exchange.site.origin,
            at=exchange.site.clock.now(),
            phones=phones,
        )
        return _download(pieces, "inkan-records.json", "application/json")

    async def as_csv(exchange: Exchange) -> Response:
        person, _ = await who(exchange)
        phones = await portal.phone_names(person)
        pieces = export.csv_pieces(
            portal.every_record(person), phones=phones, language=exchange.language
        )
        return _download(pieces, "inkan-records.csv", "text/csv; charset=utf-8")

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=LOGIN_PATH,
        limit=_EXPORT_LIMIT,
        bare={
            ("GET", JSON_PATH): Bare(endpoint=as_json, access=_READ),
            ("GET", CSV_PATH): Bare(endpoint=as_csv, access=_READ),
        },
    )


def row(record: UsageRecord, exchange: Exchange) -> dict[str, Any]:
    """One use as its reader's language has it in a list; the detail is None once it was erased."""
    detail = record.detail or {}
    return {
        "path": f"{RECORDS_PATH}/{record.id}",
        "at": record.at,
        "asker": detail.get("relying_party", ""),
        "domain": detail.get("domain", ""),
        "purpose": detail.get("purpose", {}).get(exchange.language.value, ""),
        "contents": detail.get("contents", []),
        "outcome": OUTCOMES[Outcome(record.outcome)],
        "reported_at": record.reported_at,
        "is_delivered": detail.get("is_delivered", True),
    }


def _facts(record: UsageRecord, exchange: Exchange) -> dict[str, Any]:
    """All that a person reads of one use."""
    detail = record.detail or {}
    binding = (detail.get("binding") or {}).get("level")
    kind, door, reason = detail.get("kind"), detail.get("door"), detail.get("reason")
    lang = exchange.language.value
    return row(record, exchange) | {
        "is_erased": record.detail is None,
        "is_ok": record.outcome == Outcome.OK,
        "kind": KINDS[Kind(kind)] if kind else "",
        "door": DOORS[StatementDoor(door)] if door else "",
        "reason": text(Reason(reason), Language(lang)) if reason else "",
        "binding": LEVELS[BindingLevel(binding)] if binding else "",
        "claims": [claim_names()[Claim(code)][lang] for code in detail.get("claims", [])],
        "full_evidence": detail.get("full_evidence", False),
    }


def _by_day(records: list[UsageRecord], exchange: Exchange) -> list[tuple[str, list[Any]]]:
    """The records under the days of the reader's language, newest first."""
    formats = exchange.site.templates.formats[exchange.language]
    days = groupby(records, key=lambda record: formats.day(record.at))
    return [(day, [row(record, exchange) for record in of_day]) for day, of_day in days]


def _filter(exchange: Exchange) -> UsageFilter:
    """What the reader picks.

    Raises:
        Malformed: another result than there are.
    """
    result = exchange.query("result") or None
    try:
        wanted = UsageResult(result) if result else None
    except ValueError:
        raise Malformed(where="result", expected=", ".join(UsageResult)) from None
    return UsageFilter(system=exchange.query("system") or None, result=wanted)


def _download(
    body: bytes | AsyncGenerator[bytes, None], file_name: str, media_type: str
) -> Response:
    """A file for the person alone."""
    response = Response(200, body, media_type=media_type)
    return response.with_header("content-disposition", f'attachment; filename="{file_name}"')
