"""``/console``: what an operator looks after, each page by its own row of the matrix.

The first page leads to everything that this reader's roles allow and says what needs somebody. What features bring
themselves (applications, systems, load tests, announcements) is linked, not repeated.
"""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import msgspec

from inkan.accounts import Accounts, Login, actor_of, authenticator
from inkan.kernel.errors import Category, InkanError
from inkan.notices import CarrierName, EndReason
from inkan.portal.pages.home import HOME_LIMIT
from inkan.portal.pages.places import CONSOLE_PATH, STAFF_LOGIN_PATH
from inkan.portal.pages.words import DOORS
from inkan.portal.service import Console, Reported, Standing
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.problems import status_of
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.binding import StatementDoor

WORK_PATH: Final = f"{CONSOLE_PATH}/jobs"
LOG_PATH: Final = f"{CONSOLE_PATH}/log"
CARRIERS_PATH: Final = f"{CONSOLE_PATH}/carriers"
REPORTS_PATH: Final = f"{CONSOLE_PATH}/reports"


class Entry(NamedTuple):
    """One way on from the first page: shown to whoever may do the use case."""

    title: str
    about: str
    path: str
    use_case: str


ENTRIES: Final = (
    Entry("Work", "What waits, and what was given up", WORK_PATH, "console.status"),
    Entry("Audit log", "The newest head, events without a place", LOG_PATH, "console.status"),
    Entry("Carriers", "By which ways phones are woken", CARRIERS_PATH, "console.status"),
    Entry("Reports", "Uses that persons did not start", REPORTS_PATH, "console.reports"),
    Entry("Announcements", "Write, publish, withdraw", "/console/news", "console.news"),
    Entry(
        "Applications",
        "Relying parties that want to join",
        "/console/applications",
        "console.relying_parties",
    ),
    Entry("Systems", "Registered systems and their state", "/console/systems", "console.windows"),
    Entry("Load tests", "Announced and confirmed ones", "/console/windows", "console.windows"),
)
CARRIERS: Final[Mapping[CarrierName, str]] = {
    CarrierName.WEBPUSH: "Push service of the browser",
    CarrierName.UNIFIEDPUSH: "Push service that the person chose",
    CarrierName.POLL_ONLY: "None: the wallet asks when it is opened",
}
END_REASONS: Final[Mapping[EndReason, str]] = {
    EndReason.REPLACED: "replaced by a newer one",
    EndReason.UNSUBSCRIBED: "ended by the phone",
    EndReason.GONE: "gone, as the push service said",
    EndReason.UNCALLABLE: "at an address that is not called",
    EndReason.PHONE_ENDED: "the phone was revoked",
}
WORDS: Final = frozenset(
    [
        *(word for row in ENTRIES for word in (row.title, row.about)),
        *CARRIERS.values(),
        *END_REASONS.values(),
    ]
)


class RevealForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why somebody wants to see whose a use is."""

    reason: str = ""


def console_routes(console: Console, standing: Standing, accounts: Accounts) -> Group:
    """The first page, work, the log, the carriers, the reports."""

    async def start(exchange: Exchange) -> Response:
        components, at = await standing.components()
        principal = await exchange.get_principal()
        rows = exchange.site.matrix.rows
        entries = [
            each
            for each in ENTRIES
            if each.use_case in rows and rows[each.use_case].roles & principal.roles
        ]
        return exchange.page("portal/console.html", entries=entries, components=components, at=at)

    async def work(exchange: Exchange) -> Response:
        return exchange.page(
            "portal/console_work.html",
            queues=await console.queues(),
            dead=await console.dead(),
            may_retry=await _may(exchange, "console.retry_job"),
            path=WORK_PATH,
            back=CONSOLE_PATH,
        )

    async def retry(exchange: Exchange) -> Response:
        login = await _login(exchange)
        await console.retry(exchange.parameters["job"], actor=actor_of(login))
        return see_other(WORK_PATH)

    async def log(exchange: Exchange) -> Response:
        return exchange.page(
            "portal/console_log.html", state=await console.log_state(), back=CONSOLE_PATH
        )

    async def carriers(exchange: Exchange) -> Response:
        return exchange.page(
            "portal/console_carriers.html",
            states=await console.carriers(),
            names=CARRIERS,
            reasons=END_REASONS,
            back=CONSOLE_PATH,
        )

    async def reports(exchange: Exchange) -> Response:
        return await _reports_page(console, exchange)

    async def reveal(exchange: Exchange) -> Response:
        form = await exchange.form(RevealForm)
        login = await _login(exchange)
        record = exchange.parameters["record"]
        try:
            revealed = await console.reveal(record, actor=actor_of(login), reason=form.reason)
        except InkanError as refusal:
            if refusal.category is not Category.MALFORMED:
                raise
            return await _reports_page(console, exchange, refusal, at=record)
        return exchange.page(
            "portal/console_revealed.html",
            use=_use(Reported(revealed.use, revealed.identity.masked), exchange),
            name=revealed.identity.name.reveal(),
            national_id=revealed.identity.national_id.reveal(),
            birth_date=revealed.identity.birth_date,
            back=REPORTS_PATH,
        )

    read, reported = Access("console.status"), Access("console.reports")
    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator(accounts),
        login_path=STAFF_LOGIN_PATH,
        limit=HOME_LIMIT,
        bare={
            ("GET", CONSOLE_PATH): Bare(endpoint=start, access=Access("console.enter")),
            ("GET", WORK_PATH): Bare(endpoint=work, access=read),
            ("POST", f"{WORK_PATH}/{{job}}/retry"): Bare(
                endpoint=retry, access=Access("console.retry_job")
            ),
            ("GET", LOG_PATH): Bare(endpoint=log, access=Access("console.status")),
            ("GET", CARRIERS_PATH): Bare(endpoint=carriers, access=read),
            ("GET", REPORTS_PATH): Bare(endpoint=reports, access=reported),
            ("POST", f"{REPORTS_PATH}/{{record}}/reveal"): Bare(
                endpoint=reveal, access=Access("console.reveal_report")
            ),
        },
    )


async def _login(exchange: Exchange) -> Login:
    principal = await exchange.get_principal()
    login: Login = principal.record
    return login


async def _may(exchange: Exchange, use_case: str) -> bool:
    """Whether the reader's roles allow it; whether their proof is fresh enough is asked when they do it."""
    principal = await exchange.get_principal()
    return bool(exchange.site.matrix.rows[use_case].roles & principal.roles)


async def _reports_page(
    console: Console, exchange: Exchange, refusal: InkanError | None = None, *, at: str = ""
) -> Response:
    uses = [_use(each, exchange) for each in await console.reports()]
    return exchange.page(
        "portal/console_reports.html",
        status=HTTPStatus.OK if refusal is None else HTTPStatus(status_of(refusal)),
        systems=_by_system(uses),
        may_reveal=await _may(exchange, "console.reveal_report"),
        fault=entry(refusal.code).text(exchange.language) if refusal is not None else "",
        fault_at=at,
        path=REPORTS_PATH,
        back=CONSOLE_PATH,
    )


def _use(reported: Reported, exchange: Exchange) -> dict[str, Any]:
    record = reported.use.record
    detail = record.detail or {}
    door = detail.get("door")
    return {
        "id": record.id,
        "at": record.at,
        "reported_at": record.reported_at,
        "system": detail.get("system") or "",
        "asker": detail.get("relying_party") or "",
        "domain": detail.get("domain") or "",
        "purpose": (detail.get("purpose") or {}).get(exchange.language.value) or "",
        "door": DOORS[StatementDoor(door)] if door else "",
        "session": detail.get("session") or "",
        "person": reported.person.name,
        "number": reported.person.national_id,
    }


def _by_system(uses: Iterable[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The uses by system, the system of the latest report first; within one the latest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for use in uses:
        found.setdefault(use["system"], []).append(use)
    return list(found.items())
