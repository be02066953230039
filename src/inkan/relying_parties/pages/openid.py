"""The applicant's page for one system as a client of the OpenID provider (docs/relying-parties/openid-registration.md)."""

from typing import Final

import msgspec

from inkan.kernel.errors import InkanError
from inkan.relying_parties.model.application import (
    Application,
    ApplicationNotFound,
    WantedSystem,
)
from inkan.relying_parties.pages import forms, openid_forms
from inkan.relying_parties.pages.parts import FORM_LIMIT, answer, group, login_of, number, told
from inkan.relying_parties.service import Applications
from inkan.web.exchange import Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group
from inkan.web.uploads import read_upload

PATH: Final = "/developer/applications/{application}/systems/{code}/openid"
_APPLY: Final = Access("developer.apply")


class Pages:
    """The endpoints of this page."""

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    async def show(self, exchange: Exchange) -> Response:
        """The form."""
        application, system = await self._read(exchange)
        fields = openid_forms.openid_fields(system.openid)
        return _page(exchange, application, system, fields)

    async def keep(self, exchange: Exchange) -> Response:
        """Keep what was typed, or take the metadata away; a refusal is told beside what was typed."""
        application, system = await self._read(exchange)
        fields = (await read_upload(exchange)).fields
        try:
            wanted = None
            if not fields.get("remove"):
                wanted = openid_forms.openid(fields, approvals=_approvals(system))
            changed = msgspec.structs.replace(system, openid=wanted)
            await self._applications.edit(
                application.id,
                forms.with_system(application.draft, system.code, changed),
                by=await login_of(exchange),
                seen=number(fields, "version"),
            )
        except InkanError as refusal:
            return _page(exchange, application, system, fields, told(refusal))
        return see_other(f"/developer/applications/{application.id}/systems/{system.code}")

    async def _read(self, exchange: Exchange) -> tuple[Application, WantedSystem]:
        application = await self._applications.application(
            exchange.parameters["application"], by=await login_of(exchange)
        )
        code = exchange.parameters["code"]
        found = [each for each in application.draft.systems if each.code == code]
        if not found:
            raise ApplicationNotFound()
        return application, found[0]


def routes(applications: Applications) -> Group:
    """The page of client metadata."""
    pages = Pages(applications)
    return group(
        applications.accounts,
        {
            ("GET", PATH): Bare(endpoint=pages.show, access=_APPLY),
            ("POST", PATH): Bare(endpoint=pages.keep, access=_APPLY, body_limit=FORM_LIMIT),
        },
    )


def _page(
    exchange: Exchange,
    application: Application,
    system: WantedSystem,
    fields: openid_forms.Fields,
    refusal: InkanError | None = None,
) -> Response:
    back = f"/developer/applications/{application.id}/systems/{system.code}"
    return answer(
        exchange,
        "relying_parties/openid.html",
        refusal,
        application=application,
        system=system,
        fields=fields,
        logins=[each.code for each in system.purposes if "identify" in each.kinds],
        approvals=_approvals(system),
        profiles=openid_forms.PROFILES,
        grants=openid_forms.GRANTS,
        methods=openid_forms.METHODS,
        constraints=openid_forms.CONSTRAINTS,
        deliveries=openid_forms.DELIVERIES,
        path=f"{back}/openid",
        back=back,
    )


def _approvals(system: WantedSystem) -> list[str]:
    kinds = {"approve", "sign"}
    return [each.code for each in system.purposes if not kinds.isdisjoint(each.kinds)]
