"""Systems with a stream, what they hear, and a person whose phone they know."""

from typing import Any

import httpx

from federation.leavers import DOORS, EVENTS, METADATA, Receiver, opened, person_of
from identification.callers import SystemCaller, WebClient
from inkan.audit import Actor, ActorKind
from inkan.client import Phone
from inkan.relying_parties import System
from inkan.wire.enrolment_request import RevokeCause
from support.world import World

STREAMS, STATUS, VERIFY = "/ssf/streams", "/ssf/status", "/ssf/verify"
PUSH = "urn:ietf:rfc:8935"
CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SESSION_REVOKED = f"{CAEP}session-revoked"
CREDENTIAL_CHANGE = f"{CAEP}credential-change"
COMPROMISE = "https://schemas.openid.net/secevent/risc/event-type/credential-compromise"
VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"
DELIVERY = {"method": PUSH, "endpoint_url": EVENTS}
CALLING = METADATA | {
    "grant_types": ["authorization_code", "client_credentials"],
    "sender_constraint": "dpop",
}
"""Metadata of a client that calls the platform's API too."""


class Caller(SystemCaller):
    """A system and its stream."""

    @property
    def code(self) -> str:
        return self.credentials.code

    async def identify(self, world: World, phone: Phone) -> None:
        """Ask the phone for a login, which it answers with yes."""
        client = world.client(self.code, self.credentials.key)
        await world.identify(client, phone)

    async def begin(self, **members: Any) -> dict[str, Any]:
        answer = await self.call("POST", STREAMS, body={"delivery": DELIVERY} | members)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def put_status(self, stream: str, status: str) -> httpx.Response:
        return await self.call("POST", STATUS, body={"stream_id": stream, "status": status})

    async def verify(self, stream: str, **members: Any) -> httpx.Response:
        return await self.call("POST", VERIFY, body={"stream_id": stream} | members)


async def caller(world: World, web: WebClient, clock: Any, code: str = "shop", **more: Any) -> Any:
    given = {"doors": DOORS, "openid": CALLING} | more
    return await Caller.registered(world, web, clock, code, **given)


async def system_of(world: World, code: str) -> System:
    return (await world.platform.relying_parties.registered(code))[0]


async def heard(world: World, body: bytes, *, alg: str = "RS256") -> dict[str, Any]:
    return await opened(world, body.decode(), typ="secevent+jwt", alg=alg)


class Country:
    """A person with a phone that the shop knows, and a bank that never saw the person."""

    def __init__(self, world: World, shop: Caller, bank: Caller) -> None:
        self.world, self.shop, self.bank = world, shop, bank

    async def begin(self) -> "Country":
        await self.shop.begin()
        await self.bank.begin(delivery=DELIVERY | {"endpoint_url": f"{EVENTS}/bank"})
        self.phone: Phone = await self.world.bind("chen")
        self.person = await person_of(self.world)
        [bound] = await self.world.platform.enrolment.phones(self.person)
        self.phone_id = bound.id
        await self.shop.identify(self.world, self.phone)
        return self

    async def system(self, code: str = "shop") -> System:
        return await system_of(self.world, code)

    async def revoke(self, cause: RevokeCause) -> None:
        actor = Actor(ActorKind.PERSON, self.person)
        await self.world.platform.enrolment.revoke_own(
            self.person, self.phone_id, cause=cause, actor=actor
        )
        await self.world.instance.outbox.run_due()

    async def told(self, receiver: Receiver, url: str = EVENTS) -> dict[str, dict[str, Any]]:
        """Type to token of what the receiver heard, each type once."""
        said = [await heard(self.world, body) for body in receiver.at(url)]
        types = [next(iter(each["events"])) for each in said]
        assert len(types) == len(set(types)), types
        return dict(zip(types, said, strict=True))
