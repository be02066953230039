"""One case from step to step: what its page shows, and the clerk's acts that need no card (JPKI-21, JPKI-25, JPKI-31)."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, Final

import msgspec

from inkan.counter.model import (
    Case,
    CaseState,
    Clerk,
    DocumentKind,
    PhotoDocument,
    ReportCause,
)
from inkan.counter.pages.papers import links
from inkan.counter.pages.parts import (
    CASE_PATH,
    CASES_PATH,
    accepted_at,
    answer,
    card_policy,
    case_facts,
    clerk_of,
    group,
    on_duty,
)
from inkan.counter.pages.words import STEPS
from inkan.counter.rules import FEE, TERMS
from inkan.counter.service import Counter
from inkan.kernel.errors import InkanError, Malformed
from inkan.kernel.sensitive import Personal
from inkan.web.catalogue import card_texts
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Endpoint, Group

_ENTER: Final = Access("counter.enter")
_ACT: Final = Access("counter.act")

Act = Callable[[Exchange, Clerk, str], Awaitable[object]]


class EmptyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A button without fields."""


class DocumentForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The photo document that was shown, and what the person accepted."""

    document: DocumentKind
    number: str
    expires_on: str
    chip_read: str = ""
    terms: str = ""


class RevokeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the certificates end."""

    cause: ReportCause


class Pages:
    """The endpoints of these pages."""

    def __init__(self, counter: Counter, *, loopback: str) -> None:
        self._counter = counter
        self._loopback = loopback

    # --- pages -------------------------------------------------------------------------------------

    async def show(self, exchange: Exchange) -> Response:
        """The case, and what is to be done now."""
        return await self.page(exchange)

    async def show_facts(self, exchange: Exchange) -> Response:
        """The same with what the registers say of the person; the audit keeps who looked."""
        await exchange.form(EmptyForm)
        return await self.page(exchange, with_facts=True)

    async def page(
        self, exchange: Exchange, refusal: InkanError | None = None, *, with_facts: bool = False
    ) -> Response:
        """The page of a case, for its office's clerks; another clerk may be the second pair of eyes.

        Raises:
            ClerkNotOnDuty: the shift has not begun, or has ended.
            CaseUnknown: not a case of this office.
        """
        clerk = await on_duty(self._counter, exchange)
        case = await self._counter.cases.get(clerk, exchange.parameters["id"])
        shown = case_facts(case)
        return answer(
            exchange,
            "counter/case.html",
            refusal,
            case=shown | {"can_confirm": shown["waits_for_second"] and case.clerk != clerk.account},
            holder=await self._holder(clerk, case) if with_facts else None,
            name=(await self._counter.parts.people.masked(case.person)).name,
            office=await self._counter.offices.office(clerk.office),
            certificates=await self._certificates(case),
            accepted_at=await accepted_at(self._counter, case),
            step_names=STEPS[case.kind],
            fee=FEE,
            terms=TERMS,
            fault_code=refusal.code if refusal else "",
            papers=links(case),
            card_texts=card_texts(exchange.language),
            loopback=self._loopback,
        )

    async def _holder(self, clerk: Clerk, case: Case) -> dict[str, Any]:
        identity = await self._counter.cases.holder(clerk, case.id)
        resident = await self._counter.residents.of(case.person)
        return {
            "name": identity.name.reveal(),
            "birth_date": identity.birth_date,
            "sex": resident.sex,
            "address": resident.address.reveal(),
        }

    async def _certificates(self, case: Case) -> list[dict[str, Any]]:
        if case.state not in {CaseState.ORDERED, CaseState.WRITTEN, CaseState.DONE}:
            return []
        found = [
            (key, await self._counter.parts.pki.certificate(certificate))
            for key, certificate in sorted(case.certificates.items(), reverse=True)
        ]
        return [{"key": key, "serial": one.serial, "until": one.not_after} for key, one in found]

    # --- acts --------------------------------------------------------------------------------------

    def acts(self, act: Act) -> Endpoint:
        """The target of a form; a refusal is told on the page of the case."""

        async def endpoint(exchange: Exchange) -> Response:
            clerk, case_id = await clerk_of(self._counter, exchange), exchange.parameters["id"]
            try:
                await act(exchange, clerk, case_id)
            except InkanError as refusal:
                return await self.page(exchange, refusal)
            return see_other(f"{CASES_PATH}/{case_id}")

        return endpoint

    async def identify(self, exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        """Record the document that was shown (JPKI-20) and the terms (JPKI-07)."""
        form = await exchange.form(DocumentForm)
        document = PhotoDocument(
            kind=form.document,
            number=Personal(form.number.strip()),
            expires_on=_day(form.expires_on),
            chip_read=form.chip_read == "yes",
        )
        return await self._counter.cases.identify(clerk, case_id, document, form.terms or None)

    async def confirm(self, exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        """The second pair of eyes, whose card was used within ten minutes."""
        await exchange.form(EmptyForm)
        await exchange.authorize("counter.confirm")
        return await self._counter.cases.confirm(clerk, case_id)

    async def order(self, exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        """Issue the certificates, where that was interrupted after the keys were made."""
        await exchange.form(EmptyForm)
        return await self._counter.cases.order(clerk, case_id)

    async def pay(self, exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        """The fee was paid (JPKI-19)."""
        await exchange.form(EmptyForm)
        return await self._counter.cases.pay(clerk, case_id, FEE)

    async def hand_over(self, exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        """Card, copy and handbook are in the person's hands."""
        await exchange.form(EmptyForm)
        return await self._counter.cases.hand_over(clerk, case_id)

    async def withdraw(self, exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        """The person goes away without."""
        await exchange.form(EmptyForm)
        return await self._counter.cases.withdraw(clerk, case_id)

    async def revoke(self, exchange: Exchange, clerk: Clerk, case_id: str) -> object:
        """End the certificates (JPKI-25)."""
        form = await exchange.form(RevokeForm)
        return await self._counter.cases.revoke(clerk, case_id, form.cause)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed(where="/expires_on", expected="a day: YYYY-MM-DD") from None


def routes(counter: Counter, *, loopback: str) -> Group:
    """The pages of a case."""
    pages = Pages(counter, loopback=loopback)
    policy = card_policy(loopback)

    def row(endpoint: Endpoint, access: Access = _ACT) -> Bare:
        return Bare(endpoint=endpoint, access=access, policy=policy)

    return group(
        counter.parts.accounts,
        {
            ("GET", CASE_PATH): row(pages.show, _ENTER),
            ("POST", f"{CASE_PATH}/facts"): row(pages.show_facts),
            **{
                ("POST", f"{CASE_PATH}/{name}"): row(pages.acts(act))
                for name, act in (
                    ("identify", pages.identify),
                    ("confirm", pages.confirm),
                    ("order", pages.order),
                    ("pay", pages.pay),
                    ("hand-over", pages.hand_over),
                    ("withdraw", pages.withdraw),
                    ("revoke", pages.revoke),
                )
            },
        },
    )
