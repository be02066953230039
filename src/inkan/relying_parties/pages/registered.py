"""The pages of officers and operators about registered systems: suspension, keys, export, import."""

from collections.abc import Mapping
from typing import Any, Final

from inkan.accounts import Login, actor_of
from inkan.kernel.errors import InkanError
from inkan.relying_parties.pages.parts import FORM_LIMIT, answer, group, login_of, told
from inkan.relying_parties.rules import (
    EXPORT_LIMIT,
    EXPORT_SYSTEM,
    IMPORT_SYSTEM,
    PERMISSIONS,
    SUSPEND_SYSTEM,
)
from inkan.relying_parties.service import Applications, RelyingParties
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Endpoint, Group
from inkan.web.uploads import Upload, read_upload

SYSTEMS: Final = "/console/systems"
_ONE: Final = f"{SYSTEMS}/{{code}}"
_EXPORT_BODY: Final = EXPORT_LIMIT + 4096
"""Bytes of a form that holds an export."""
_ROLES: Final = {row.use_case: row.roles for row in PERMISSIONS}


class Pages:
    """The endpoints of these pages."""

    def __init__(self, applications: Applications, relying_parties: RelyingParties) -> None:
        self._applications = applications
        self._parties = relying_parties

    async def systems(self, exchange: Exchange) -> Response:
        """Every system and its state."""
        return await self._list(exchange)

    async def system(self, exchange: Exchange) -> Response:
        """One system: what is registered, its keys, its load tests."""
        return await self._page(exchange)

    def acts(self, act: Any) -> Endpoint:
        """The target of a form about one system; a refusal is told on its page."""

        async def endpoint(exchange: Exchange) -> Response:
            code = exchange.parameters["code"]
            await self._parties.registered(code)
            upload = await read_upload(exchange)
            try:
                done = await act(code, upload, await login_of(exchange))
            except InkanError as refusal:
                return await self._page(exchange, told(refusal), upload.fields)
            return done if isinstance(done, Response) else see_other(f"{SYSTEMS}/{code}")

        return endpoint

    async def suspend(self, code: str, _: Upload, login: Login) -> None:
        """Refuse every request of a system from now on."""
        await self._parties.suspend(code, actor=actor_of(login))

    async def resume(self, code: str, _: Upload, login: Login) -> None:
        """End a suspension."""
        await self._parties.resume(code, actor=actor_of(login))

    async def end_key(self, code: str, upload: Upload, login: Login) -> None:
        """Let a key prove nothing any more: it may be in wrong hands."""
        await self._parties.end_key(
            code,
            upload.fields.get("thumbprint", ""),
            at=self._applications.now(),
            actor=actor_of(login),
        )

    async def export(self, code: str, upload: Upload, login: Login) -> Response:
        """The signed export, as a file."""
        jws = await self._applications.export(
            code,
            report=text_of(upload.files.get("report", b"")),
            audience=upload.fields.get("audience", "").strip(),
            actor=actor_of(login),
        )
        response = Response(200, f"{jws}\n".encode(), media_type="application/jose")
        return response.with_header("content-disposition", f'attachment; filename="{code}.jws"')

    async def take_in(self, exchange: Exchange) -> Response:
        """Import an export; a refusal is told on the list."""
        upload, login = await read_upload(exchange), await login_of(exchange)
        try:
            system = await self._applications.take_in(
                text_of(upload.files.get("export", b"")), actor=actor_of(login)
            )
        except InkanError as refusal:
            return await self._list(exchange, told(refusal))
        return see_other(f"{SYSTEMS}/{system.code}")

    async def _list(self, exchange: Exchange, refusal: InkanError | None = None) -> Response:
        login = await login_of(exchange)
        return answer(
            exchange,
            "relying_parties/systems.html",
            refusal,
            systems=await self._parties.systems(),
            is_sandbox=self._applications.is_sandbox,
            may_import=_may(login, IMPORT_SYSTEM) and self._applications.takes_exports,
            path=SYSTEMS,
        )

    async def _page(
        self,
        exchange: Exchange,
        refusal: InkanError | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        login, code = await login_of(exchange), exchange.parameters["code"]
        system, state, keys = await self._parties.registered(code)
        return answer(
            exchange,
            "relying_parties/registered.html",
            refusal,
            system=system,
            state=state,
            keys=keys,
            windows=await self._applications.windows_of(system),
            may_suspend=_may(login, SUSPEND_SYSTEM),
            may_export=_may(login, EXPORT_SYSTEM) and self._applications.is_sandbox,
            typed=typed or {},
            path=f"{SYSTEMS}/{code}",
            back=SYSTEMS,
        )


def _may(login: Login, use_case: str) -> bool:
    """Whether the page shows the form; the route itself decides."""
    return bool(_ROLES[use_case] & {str(role) for role in login.roles})


def text_of(file: bytes) -> str:
    """A compact JWS of a file; empty when it is no such text, which no signature survives."""
    return file.decode("ascii").strip() if file.isascii() else ""


def routes(applications: Applications, relying_parties: RelyingParties) -> Group:
    """The pages of registered systems."""
    pages = Pages(applications, relying_parties)
    read, suspend = Access("console.windows"), Access(SUSPEND_SYSTEM)

    def post(act: Any, access: Access) -> Bare:
        return Bare(endpoint=pages.acts(act), access=access, body_limit=FORM_LIMIT)

    return group(
        applications.accounts,
        {
            ("GET", SYSTEMS): Bare(endpoint=pages.systems, access=read),
            ("POST", f"{SYSTEMS}/import"): Bare(
                endpoint=pages.take_in, access=Access(IMPORT_SYSTEM), body_limit=_EXPORT_BODY
            ),
            ("GET", _ONE): Bare(endpoint=pages.system, access=read),
            ("POST", f"{_ONE}/suspend"): post(pages.suspend, suspend),
            ("POST", f"{_ONE}/resume"): post(pages.resume, suspend),
            ("POST", f"{_ONE}/keys/end"): post(pages.end_key, suspend),
            ("POST", f"{_ONE}/export"): post(pages.export, Access(EXPORT_SYSTEM)),
        },
    )
