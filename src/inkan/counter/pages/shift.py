"""The clerk's desk: the shift, the office's open cases, and a new one."""

from typing import Any, Final

import msgspec

from inkan.counter.model import Case, CaseKind, Clerk
from inkan.counter.pages.parts import (
    CASES_PATH,
    HOME_PATH,
    NEW_PATH,
    SHIFT_PATH,
    answer,
    case_facts,
    clerk_of,
    group,
    login_of,
    waits_for_second,
)
from inkan.counter.service import Counter
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import parse_national_id
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group

_ENTER: Final = Access("counter.enter")
_ACT: Final = Access("counter.act")


class ShiftForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the shift begins or ends."""

    act: str


class OpenForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who came, and what for."""

    kind: CaseKind
    national_id: str


def routes(counter: Counter) -> Group:
    """The desk and the form that opens a case."""

    async def row(case: Case, clerk: Clerk) -> dict[str, Any]:
        masked = await counter.parts.people.masked(case.person)
        return case_facts(case) | {
            "name": masked.name,
            "is_own": case.clerk == clerk.account,
            "may_confirm": waits_for_second(case) and case.clerk != clerk.account,
        }

    async def desk(exchange: Exchange) -> Response:
        clerk = await clerk_of(counter, exchange)
        cases = await counter.cases.list(clerk) if clerk.shift else []
        return answer(
            exchange,
            "counter/desk.html",
            clerk=clerk,
            office=await counter.offices.office(clerk.office),
            cases=[await row(case, clerk) for case in cases],
        )

    async def shift(exchange: Exchange) -> Response:
        login, form = await login_of(exchange), await exchange.form(ShiftForm)
        if form.act == "begin":
            await counter.offices.begin_shift(login.account)
        else:
            await counter.offices.end_shift(login.account)
        return see_other(HOME_PATH)

    def new_page(exchange: Exchange, kind: str, refusal: InkanError | None = None) -> Response:
        return answer(exchange, "counter/open.html", refusal, kind=kind)

    async def new(exchange: Exchange) -> Response:
        await clerk_of(counter, exchange)
        return new_page(exchange, exchange.query("kind") or CaseKind.ISSUE.value)

    async def open_case(exchange: Exchange) -> Response:
        clerk, form = await clerk_of(counter, exchange), await exchange.form(OpenForm)
        try:
            number = parse_national_id(form.national_id.strip().upper())
            case = await counter.cases.open(clerk, form.kind, number)
        except InkanError as refusal:
            return new_page(exchange, form.kind.value, refusal)
        return see_other(f"{CASES_PATH}/{case.id}")

    return group(
        counter.parts.accounts,
        {
            ("GET", HOME_PATH): Bare(endpoint=desk, access=_ENTER),
            ("POST", SHIFT_PATH): Bare(endpoint=shift, access=_ENTER),
            ("GET", NEW_PATH): Bare(endpoint=new, access=_ACT),
            ("POST", CASES_PATH): Bare(endpoint=open_case, access=_ACT),
        },
    )
