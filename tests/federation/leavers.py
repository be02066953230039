"""Clients with grants, browsers with logins, and the receivers of what is told when they end.

Grants are made by the steps that every flow joins, so a test of an end needs no flow.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

from inkan.crypto import jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.federation.model.grant import Answered, Grant, GrantKind, GrantState
from inkan.federation.model.request import Asked
from inkan.federation.rules import LOGIN_COOKIE
from inkan.federation.service import grants, logins
from inkan.federation.service.parts import Parts, draw, hashed
from inkan.federation.store import grants as grants_store
from inkan.kernel.clock import to_seconds
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PersonID, SystemID, new_id
from inkan.relying_parties import System
from inkan.store.database import MOMENT, Step
from inkan.web.fetch import Answer
from portal.browsers import OWN, csrf_of
from support.asgi import Client, Reply
from support.world import PLATFORM, World

BACK = "https://tax.example/after-logout"
BACKCHANNEL = "https://tax.example/backchannel"
EVENTS = "https://tax.example/events"
LOGOUT = "/openid/logout"
DOORS = ["qr", "redirect"]


@dataclass
class Receiver:
    """The other side: keeps what it got and answers what a test tells it to, address by address."""

    status: int = 200
    statuses: dict[str, int] = field(default_factory=dict)
    fault: InkanError | None = None
    heard: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Any:
        self.heard.append((method, url, dict(headers or {}), body))
        if self.fault is not None:
            raise self.fault
        return Answer(self.statuses.get(url, self.status), {}, b"")

    def at(self, url: str) -> list[bytes]:
        return [body for _, to, _, body in self.heard if to == url]


def parts_of(world: World) -> Parts:
    return world.platform.openid.logout._parts


METADATA: dict[str, Any] = {
    "purpose": "login",
    "redirect_uris": ["https://tax.example/callback"],
    "post_logout_redirect_uris": [BACK],
    "backchannel_logout_uri": BACKCHANNEL,
}


async def openid_client(
    world: World, code: str = "shop", *, domain: str = "tax.example", **openid: Any
) -> System:
    """A registered system that uses the OpenID provider; an organisation, hence a sector, of its own."""
    await world.agency(code, domain=domain, doors=DOORS, openid=METADATA | openid)
    system, _, _ = await world.platform.relying_parties.registered(code)
    return system


def sub_of(world: World, person: PersonID, system: System) -> str:
    return world.platform.people.reference(person, sector=system.sector)


async def person_of(world: World, key: str = "chen") -> PersonID:
    return (await world.citizen(key)).person.id


async def logged_in(world: World, person: PersonID) -> tuple[str, str]:
    """A login of a browser: its id, and the browser's cookie."""
    now = world.clock.now()
    remembered = await world.platform.db.transact(
        logins.remember, parts_of(world), person, cookie="", acr="", amr=[], auth_time=now
    )
    assert remembered.cookie is not None
    return remembered.login.id, remembered.cookie


async def granted(
    world: World,
    system: System,
    person: PersonID,
    *,
    login: str | None = None,
    scope: tuple[str, ...] = ("openid",),
    life: timedelta = timedelta(days=30),
) -> Grant:
    """A grant from which tokens were issued."""

    def body() -> Step[Grant]:
        parts = parts_of(world)
        moment = yield MOMENT
        grant = yield from grants.begin(parts, _pending(system, list(scope), moment))
        grant = yield from grants.answer(
            parts,
            grant,
            answered=Answered(claims={}, view={}),
            sub=sub_of(world, person, system),
            acr="",
            amr=[],
            auth_time=moment,
            login=login,
            sid=logins.sid_of(login, system.code) if login else draw(),
            scope=list(scope),
        )
        return (
            yield from grants.use(
                parts,
                grant,
                jkt=None,
                x5t=None,
                refresh_sha256=hashed(draw()),
                expires_at=moment + life,
            )
        )

    return await world.platform.db.transact(body)


def _pending(system: System, scope: list[str], moment: Any) -> Grant:
    return Grant(
        id=new_id("gr"),
        kind=GrantKind.CODE,
        system=SystemID(system.id),
        client=system.code,
        asked=Asked(scope=scope),
        handle_sha256=hashed(draw()),
        handle_expires_at=moment + timedelta(minutes=1),
        interval_s=5,
        scope=scope,
        created_at=moment,
        expires_at=moment + timedelta(minutes=5),
    )


async def state_of(world: World, grant: Grant) -> GrantState:
    found = await world.platform.db.read(grants.find, grants_store.BY_ID, grant.id)
    assert found is not None
    return found.state


async def id_token(world: World, grant: Grant, *, typ: str = "JWT", **bent: Any) -> str:
    """The ID token of a grant as the token endpoint would give it; members may be bent, None leaves one out."""
    now = to_seconds(world.clock.wire_now())
    claims = {
        "iss": PLATFORM,
        "aud": grant.client,
        "sub": grant.sub,
        "sid": grant.sid,
        "iat": now,
        "exp": now + 300,
    } | bent
    said = {name: value for name, value in claims.items() if value is not None}
    keys = world.platform.openid.tokens.keys
    return await keys.sign(json.dumps(said).encode(), typ=typ, alg=Algorithm.RS256)


async def opened(world: World, token: str, *, typ: str, alg: str = "RS256") -> dict[str, Any]:
    """The claims of a token, verified as its receiver does: by the published keys alone."""
    published = json.loads((await world.platform.openid.tokens.keys.jwks()).body)["keys"]
    parsed = jose.parse_compact(token, typ=typ, required=("kid",))
    [key] = [each for each in published if each["kid"] == parsed.header["kid"]]
    assert key["alg"] == parsed.header["alg"] == alg
    verified = jose.verify_signature(parsed, jwk.load_jwk(key), algs=(Algorithm(alg),))
    claims: dict[str, Any] = json.loads(verified.payload)
    return claims


async def logout_token(world: World, body: bytes, *, alg: str = "RS256") -> dict[str, Any]:
    """What stands in a back-channel logout request."""
    [token] = parse_qs(body.decode(), strict_parsing=True)["logout_token"]
    return await opened(world, token, typ="logout+jwt", alg=alg)


class Browser(Client):
    """A browser before the provider, with the cookie of its login or without one."""

    def __init__(self, world: World, cookie: str = "") -> None:
        super().__init__(world.instance.application, PLATFORM)
        if cookie:
            self.cookies[LOGIN_COOKIE] = cookie

    async def see(self, path: str, **headers: str) -> Reply:
        return await self.get(path, headers={"accept": "text/html"} | headers)

    async def confirm(self, page: Reply, *, language: str = "en", **members: str) -> Reply:
        """Press the button of a logout page."""
        form = {"csrf_token": csrf_of(page), **members}
        headers = OWN | {"accept-language": language}
        return await self.post(f"{LOGOUT}/confirm", headers=headers, form=form)


def path(**members: str) -> str:
    return f"{LOGOUT}?{urlencode(members)}"


class Scene:
    """A person with a browser that is logged in at two clients."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def begin(self, *, scope: tuple[str, ...] = ("openid",)) -> "Scene":
        self.shop = await openid_client(self.world, "shop")
        self.bank = await openid_client(
            self.world,
            "bank",
            backchannel_logout_uri=f"{BACKCHANNEL}/bank",
            id_token_signed_response_alg="ES256",
        )
        self.person = await person_of(self.world)
        self.login, self.cookie = await logged_in(self.world, self.person)
        self.at_shop = await granted(
            self.world, self.shop, self.person, login=self.login, scope=scope
        )
        self.at_bank = await granted(self.world, self.bank, self.person, login=self.login)
        self.browser = Browser(self.world, self.cookie)
        return self

    async def hint(self, **bent: Any) -> str:
        return await id_token(self.world, self.at_shop, **bent)

    async def states(self) -> list[GrantState]:
        return [await state_of(self.world, each) for each in (self.at_shop, self.at_bank)]


LIVING = [GrantState.USED, GrantState.USED]
ENDED = [GrantState.REVOKED, GrantState.REVOKED]


def wake(world: World) -> None:
    """Let no receiver rest any longer."""
    for handler in world.platform.openid.handlers.values():
        owner: Any = handler.deliver
        sending = getattr(owner.__self__, "_sending", None)
        if sending is not None:
            sending._resting.rests.clear()
