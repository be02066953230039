"""The pages of a developer's own systems: keys, their rotation, and announced load tests."""

from typing import Any, Final

from inkan.accounts import Login, actor_of
from inkan.kernel.errors import InkanError
from inkan.relying_parties.model.application import ApplicationIncomplete
from inkan.relying_parties.pages import forms
from inkan.relying_parties.pages.parts import answer, group, login_of, number, told
from inkan.relying_parties.service import Applications, RelyingParties
from inkan.relying_parties.service.client_secrets import BY_SECRET
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Endpoint, Group

ONE: Final = "/developer/systems/{code}"


class Pages:
    """The endpoints of these pages."""

    def __init__(self, applications: Applications, relying_parties: RelyingParties) -> None:
        self._applications = applications
        self._parties = relying_parties

    async def show(self, exchange: Exchange) -> Response:
        """One system with its keys and announcements."""
        return await self._page(exchange)

    def acts(self, act: Any) -> Endpoint:
        """The target of a form; only the system's own organisation gets as far as the act."""

        async def endpoint(exchange: Exchange) -> Response:
            login = await login_of(exchange)
            code = exchange.parameters["code"]
            await self._applications.own_system(code, by=login)
            try:
                await act(code, await exchange.form(dict[str, str]), login)
            except InkanError as refusal:
                return await self._page(exchange, told(refusal))
            return see_other(f"/developer/systems/{code}")

        return endpoint

    async def add_key(self, code: str, fields: dict[str, str], login: Login) -> None:
        """Give the system its next key."""
        keys = forms.public_keys(fields.get("key", ""), where="/key")
        if len(keys) != 1:
            raise ApplicationIncomplete(where="/key", expected="one public P-256 key as JWK")
        await self._parties.add_key(code, keys[0], actor=actor_of(login))

    async def end_key(self, code: str, fields: dict[str, str], login: Login) -> None:
        """Let a key prove nothing any more."""
        thumbprint = fields.get("thumbprint", "")
        await self._parties.end_key(
            code, thumbprint, at=self._applications.now(), actor=actor_of(login)
        )

    async def draw_secret(self, exchange: Exchange) -> Response:
        """Draw a client secret and show it, this once: the answer of the form is the only page that has it."""
        login, code = await login_of(exchange), exchange.parameters["code"]
        await self._applications.own_system(code, by=login)
        await exchange.form(dict[str, str])
        try:
            secret = await self._parties.draw_secret(code, actor=actor_of(login))
        except InkanError as refusal:
            return await self._page(exchange, told(refusal))
        return await self._page(exchange, secret=secret)

    async def announce(self, code: str, fields: dict[str, str], login: Login) -> None:
        """Announce a load test."""
        await self._applications.announce(
            code,
            begins_at=forms.moment(fields, "from"),
            ends_at=forms.moment(fields, "to"),
            rate=number(fields, "rate"),
            by=login,
        )

    async def withdraw(self, _: str, fields: dict[str, str], login: Login) -> None:
        """Take an announcement back."""
        await self._applications.withdraw_window(
            fields.get("window", ""), by=login, seen=number(fields, "version")
        )

    async def _page(
        self, exchange: Exchange, refusal: InkanError | None = None, *, secret: str = ""
    ) -> Response:
        login = await login_of(exchange)
        code = exchange.parameters["code"]
        system, state, keys = await self._applications.own_system(code, by=login)
        return answer(
            exchange,
            "relying_parties/system.html",
            refusal,
            system=system,
            state=state,
            keys=keys,
            windows=await self._applications.windows_of(system),
            path=f"/developer/systems/{code}",
            now=exchange.now,
            secret=secret,
            by_secret=BY_SECRET,
        )


def routes(applications: Applications, relying_parties: RelyingParties) -> Group:
    """The pages of one's own systems."""
    pages = Pages(applications, relying_parties)
    keys, windows = Access("developer.keys"), Access("developer.windows")
    return group(
        applications.accounts,
        {
            ("GET", ONE): Bare(endpoint=pages.show, access=Access("developer.enter")),
            ("POST", f"{ONE}/keys"): Bare(endpoint=pages.acts(pages.add_key), access=keys),
            ("POST", f"{ONE}/keys/end"): Bare(endpoint=pages.acts(pages.end_key), access=keys),
            ("POST", f"{ONE}/secret"): Bare(endpoint=pages.draw_secret, access=keys),
            ("POST", f"{ONE}/windows"): Bare(endpoint=pages.acts(pages.announce), access=windows),
            ("POST", f"{ONE}/windows/withdraw"): Bare(
                endpoint=pages.acts(pages.withdraw), access=windows
            ),
        },
    )
