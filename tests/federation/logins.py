"""Logins of a client from request to claims, answered by a person's phone, without the endpoints.

The steps between are taken here by the services themselves: request → session, session → grant, grant → tokens.
``http_logins`` has the same over HTTP.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from federation import asking
from identification.answers import frame_of
from identification.doorways import RETURN, VERIFIER, all_doors, brought, hint_of
from inkan.attributes import Source, SourceKind
from inkan.client import Phone
from inkan.client.phone_state import OpenApproval
from inkan.crypto import base64url
from inkan.federation.model.grant import Answered, Grant
from inkan.federation.model.request import Asked
from inkan.federation.service import Parts, grants
from inkan.federation.service.claims import (
    claims_for,
    details_for,
    essential_acr,
    order_members,
    parse_authorization_details,
    parse_claims,
)
from inkan.federation.service.levels import acr_of, amr_of
from inkan.federation.store import grants as store
from inkan.identification import Created, Redemption, SessionOrder, SessionView
from inkan.relying_parties import System
from inkan.schemes import LevelOfAssurance
from portal.browsers import Browser
from support.world import CLERK, PURPOSES, World

ADDRESS = asking.ADDRESS
NAME = "陳怡君"
CLAIMS = ["name", "birth_date", "age_over_18", "address"]
CLIENT = {
    **all_doors(
        purposes=[
            {**PURPOSES[0], "claims": CLAIMS},
            {**PURPOSES[2], "claims": ["name"]},
            {**PURPOSES[2], "code": "not_for_clients"},
        ]
    ),
    "openid": {
        "purpose": "login",
        "approval_purposes": ["approve_payment"],
        "redirect_uris": ["https://tax.example/callback"],
    },
}


@dataclass
class LoggedIn:
    """What came of a login.

    Attributes:
        shown: what the person read on the phone.
        id_token: its claims of the person and of the answer.
    """

    client: "Client"
    key: str
    shown: OpenApproval
    id_token: dict[str, Any]
    details: list[dict[str, Any]] | None

    async def userinfo(self) -> dict[str, Any]:
        """The claims of the userinfo endpoint now."""
        grant, answered = await self.client.read(self.key)
        return claims_for(grant, answered, "userinfo")

    async def refreshed(self) -> "LoggedIn":
        """What a refresh gives now."""
        return await self.client.told(self.key, self.shown)


@dataclass
class Client:
    """A client of the provider, and the phone of the person who logs in."""

    world: World
    parts: Parts
    system: System
    phone: Phone
    shown: Any = None

    @classmethod
    async def registered(cls, world: World, phone: Phone, code: str = "shop") -> "Client":
        await world.agency(code, **CLIENT)
        system, _, _ = await world.platform.relying_parties.registered(code)
        parts = world.platform.openid.parts
        return cls(world, parts, system, phone)

    async def log_in(
        self,
        scope: str = "openid",
        *,
        claims: Any = None,
        details: Any = None,
        door: str = "qr",
    ) -> LoggedIn:
        """A whole login: the parameters of the request as a client sends them, the tokens as it gets them."""
        asked = self.asked(scope, claims=claims, details=details)
        made, key = await self.begun(asked, door=door)
        view = await self.agreed(made, door=door)
        receipt = await self.parts.identification.receipt(made.session.id, system=self.system.id)
        await self.answer(key, view, receipt=receipt)
        return await self.told(key, self.shown)

    async def begun(self, asked: Asked, *, door: str = "qr") -> tuple[Created, str]:
        """The session of a request, and the key of its grant."""
        members: dict[str, Any] = {
            **order_members(asked, self.system),
            "challenge": base64url.encode(secrets.token_bytes(32)),
            "doors": [door],
            **({"subject_hint": hint_of("chen")} if door == "push" else {}),
            **({"return": RETURN} if door == "web_link" else {}),
        }
        made = await self.parts.identification.create(
            self.system,
            msgspec.convert(msgspec.to_builtins(members), SessionOrder),
            body=secrets.token_bytes(16),
            idempotency_key=secrets.token_urlsafe(16),
            omit_missing=True,
        )
        key = f"grt_{secrets.token_hex(16)}"
        await self._begin(key, asked, made.session.id)
        return made, key

    async def agreed(self, made: Created, *, door: str = "qr") -> SessionView:
        """The session after the person said yes."""
        [shown] = msgspec.to_builtins(made.doors).values()
        self.shown = await getattr(self, f"_by_{door}")(shown, made.session.id)
        view, _ = await self.parts.identification.get(made.session.id, system=self.system.id)
        assert view.outcome == "ok", view.reason
        return view

    async def answer(self, key: str, view: SessionView, *, receipt: str) -> None:
        """The grant takes the session's answer."""
        await self.parts.db.transact(self._answer, key, view, receipt)

    def asked(self, scope: str, *, claims: Any = None, details: Any = None) -> Asked:
        """The request as it passes the parsers."""
        text = claims if isinstance(claims, str) else msgspec.json.encode(claims or {}).decode()
        id_token, userinfo = parse_claims(text)
        return Asked(
            scope=scope.split(),
            id_token_claims=id_token,
            userinfo_claims=userinfo,
            essential_acr=essential_acr(id_token),
            authorization_details=parse_authorization_details(
                msgspec.json.encode(details).decode(), self.system
            )
            if details is not None
            else [],
        )

    async def read(self, key: str) -> tuple[Grant, Answered]:
        def body():
            grant = yield from grants.find(store.BY_ID, key)
            assert grant is not None
            return grant, (yield from grants.answered_of(self.parts, grant))

        return await self.parts.db.read(body)

    async def told(self, key: str, shown: OpenApproval) -> LoggedIn:
        grant, answered = await self.read(key)
        id_token = {"acr": grant.acr, "amr": grant.amr, "sub": grant.sub}
        return LoggedIn(
            client=self,
            key=key,
            shown=shown,
            id_token=id_token | claims_for(grant, answered, "id_token"),
            details=details_for(grant, answered),
        )

    async def _begin(self, key: str, asked: Asked, session: str) -> None:
        now = self.parts.db.now()
        begun = asking.grant(
            asked,
            id=key,
            state="pending",
            system=self.system.id,
            client=self.system.code,
            session=session,
            sub=None,
            handle_expires_at=now + timedelta(minutes=10),
            created_at=now,
            auth_time=None,
            expires_at=now + timedelta(days=30),
        )
        await self.parts.db.transact(
            grants.begin, self.parts, msgspec.convert(begun, Grant, from_attributes=True)
        )

    def _answer(self, key: str, view: SessionView, receipt: str):
        grant = yield from grants.find(store.BY_ID, key)
        assert view.subject is not None
        kept = {name: each for name, each in msgspec.to_builtins(view).items() if name != "claims"}
        asks = bool(grant.asked.authorization_details)
        yield from grants.answer(
            self.parts,
            grant,
            answered=Answered(claims=view.claims, view=kept, receipt=receipt if asks else None),
            sub=view.subject.person_ref,
            acr=acr_of(view),
            amr=amr_of(view),
            auth_time=datetime.fromisoformat(view.decided_at or ""),
            login=None,
            sid=None,
            scope=grant.asked.scope,
        )

    async def _by_qr(self, door: dict[str, Any], session: str) -> OpenApproval:
        held = await self.phone.open_frame(frame_of(door))
        await self.phone.approve()
        return held

    async def _by_push(self, door: dict[str, Any], session: str) -> OpenApproval:
        await self.world.instance.catch_up()
        [first, *_] = await self.phone.waiting()
        held = await self.phone.open_push(first.approval, door["code"])
        await self.phone.approve()
        return held

    async def _by_web_link(self, door: dict[str, Any], session: str) -> OpenApproval:
        held = await self.phone.open_link(door["url"])
        back = brought((await self.phone.approve()).return_url)
        redemption = Redemption(verifier=VERIFIER, return_code=back["return_code"])
        await self.parts.identification.redeem(session, redemption, system=self.system.id)
        return held


async def record_address(world: World) -> None:
    """The register of the interior states where 陳怡君 lives."""
    await world.platform.attributes.record(
        (await world.citizen("chen")).person.id,
        "address",
        ADDRESS,
        source=Source(SourceKind.AUTHORITY, "moi"),
        level=LevelOfAssurance.MEDIUM,
        valid_until=None,
        actor=CLERK,
    )


async def take_back(world: World, phone: Phone) -> None:
    """The person takes the newest consent back on the pages of the portal."""
    browser = Browser(world.instance.application)
    await browser.log_in(phone)
    [consent, *_] = await phone.consents()
    reply = await browser.send(f"/my/consents/{consent['id']}/withdraw", "/my/consents")
    assert reply.status == 303


async def kept(client: Client, key: str) -> Answered:
    """The grant's answer as it is kept."""

    def body():
        grant = yield from grants.find(store.BY_ID, key)
        return (yield from grants.kept_of(client.parts, grant))

    return await client.parts.db.read(body)
