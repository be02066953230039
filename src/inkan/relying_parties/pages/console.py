"""The officers' pages: applications and their review, announced load tests."""

from collections.abc import Awaitable, Callable
from typing import Final

from inkan.accounts import Login, Proposal, ProposalState
from inkan.kernel.errors import InkanError
from inkan.relying_parties.model.application import Application, ApplicationChanged
from inkan.relying_parties.model.window import WindowNotFound, WindowStep
from inkan.relying_parties.pages.parts import answer, group, login_of, number, told
from inkan.relying_parties.service import Applications, documents
from inkan.relying_parties.service.reviewing import reason_of
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Endpoint, Group

APPLICATIONS: Final = "/console/applications"
WINDOWS: Final = "/console/windows"
_ONE: Final = f"{APPLICATIONS}/{{application}}"

Fields = dict[str, str]
Act = Callable[[Application, Proposal | None, Fields, Login], Awaitable[object]]


class Pages:
    """The endpoints of these pages."""

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    # --- applications ------------------------------------------------------------------------------

    async def applications(self, exchange: Exchange) -> Response:
        """What was handed over."""
        return answer(
            exchange,
            "relying_parties/applications.html",
            applications=await self._applications.submitted(),
            path=APPLICATIONS,
        )

    async def review(self, exchange: Exchange) -> Response:
        """Both documents side by side, the seal, and what can be done."""
        return await self._review_page(exchange)

    def acts(self, act: Act) -> Endpoint:
        """The target of a form; a refusal is told on the page of the review."""

        async def endpoint(exchange: Exchange) -> Response:
            login, fields = await login_of(exchange), await exchange.form(Fields)
            found = await self._applications.submitted_one(exchange.parameters["application"])
            try:
                await act(*found, fields, login)
            except InkanError as refusal:
                return await self._review_page(exchange, told(refusal))
            return see_other(f"{APPLICATIONS}/{found[0].id}")

        return endpoint

    async def propose(
        self, application: Application, _: Proposal | None, fields: Fields, login: Login
    ) -> object:
        """The first officer's act."""
        return await self._applications.propose(
            application.id,
            reason=fields.get("reason", "").strip(),
            by=login,
            seen=number(fields, "version"),
        )

    async def approve(
        self, application: Application, proposal: Proposal | None, fields: Fields, login: Login
    ) -> object:
        """The second officer's act."""
        if proposal is None:
            raise ApplicationChanged(state=application.state.value)
        return await self._applications.approve(
            proposal.id, by=login, seen=number(fields, "proposal_version")
        )

    async def give_back(
        self, application: Application, _: Proposal | None, fields: Fields, login: Login
    ) -> object:
        """Return it for correction, or refuse it."""
        return await self._applications.give_back(
            application.id,
            reason=fields.get("reason", "").strip(),
            final=fields.get("final") == "yes",
            by=login,
            seen=number(fields, "version"),
        )

    async def _review_page(self, exchange: Exchange, refusal: InkanError | None = None) -> Response:
        login = await login_of(exchange)
        application, proposal = await self._applications.submitted_one(
            exchange.parameters["application"]
        )
        is_open = proposal is not None and proposal.state is ProposalState.OPEN
        issuer = self._applications.issuer
        return answer(
            exchange,
            "relying_parties/review.html",
            refusal,
            application=application,
            form=documents.form(application, issuer=issuer),
            consent=documents.consent(application, issuer=issuer),
            proposal=proposal if is_open else None,
            proposal_reason=reason_of(proposal) if proposal is not None and is_open else "",
            is_own_proposal=proposal is not None and proposal.proposer == login.account,
            may_decide="rp_officer" in login.roles,
            path=f"{APPLICATIONS}/{application.id}",
            back=APPLICATIONS,
        )

    # --- load tests --------------------------------------------------------------------------------

    async def windows(self, exchange: Exchange) -> Response:
        """What is announced."""
        return await self._windows_page(exchange)

    async def decide_window(self, exchange: Exchange) -> Response:
        """Confirm, refuse or take back an announcement."""
        login, fields = await login_of(exchange), await exchange.form(Fields)
        if exchange.parameters["step"] not in set(WindowStep):
            raise WindowNotFound()
        try:
            await self._applications.decide_window(
                exchange.parameters["window"],
                WindowStep(exchange.parameters["step"]),
                by=login,
                seen=number(fields, "version"),
            )
        except InkanError as refusal:
            return await self._windows_page(exchange, told(refusal))
        return see_other(WINDOWS)

    async def _windows_page(
        self, exchange: Exchange, refusal: InkanError | None = None
    ) -> Response:
        return answer(
            exchange,
            "relying_parties/windows.html",
            refusal,
            windows=await self._applications.coming_windows(),
            path=WINDOWS,
        )


def routes(applications: Applications) -> Group:
    """The officers' pages."""
    pages = Pages(applications)
    read, decide = Access("console.relying_parties"), Access("console.decide_application")
    return group(
        applications.accounts,
        {
            ("GET", APPLICATIONS): Bare(endpoint=pages.applications, access=read),
            ("GET", _ONE): Bare(endpoint=pages.review, access=read),
            ("POST", f"{_ONE}/propose"): Bare(endpoint=pages.acts(pages.propose), access=decide),
            ("POST", f"{_ONE}/approve"): Bare(endpoint=pages.acts(pages.approve), access=decide),
            ("POST", f"{_ONE}/back"): Bare(endpoint=pages.acts(pages.give_back), access=decide),
            ("GET", WINDOWS): Bare(endpoint=pages.windows, access=Access("console.windows")),
            ("POST", f"{WINDOWS}/{{window}}/{{step}}"): Bare(
                endpoint=pages.decide_window, access=Access("console.decide_window")
            ),
        },
    )
