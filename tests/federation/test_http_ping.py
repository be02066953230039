"""Ping against endpoints of every kind: told once, with the client's own token, and never an address inside."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from federation.backchannel import (
    BEARER,
    CHEN,
    NOBODY,
    NOTIFY,
    ClientCaller,
    approved,
    error_of,
    opened,
    reached,
)
from identification.callers import WebClient
from inkan.client import Phone
from inkan.federation import PING_JOB
from inkan.kernel.errors import InkanError
from inkan.store.database import Database, Step
from inkan.store.outbox import Job, outbox_table
from inkan.store.query import Query
from inkan.web.fetch import Answer, Fetcher, FetchFailed
from support.clock import START, StandingClock
from support.inside import CORPUS, INSIDE, listening, to
from support.world import World, world_on

_PINGS = Query(
    sa.select(outbox_table.c.id, outbox_table.c.payload).where(
        outbox_table.c.kind == sa.bindparam("wanted")
    )
)


@dataclass
class Endpoint:
    """The client's notification endpoint: keeps what it got and answers what a test tells it to."""

    status: int = 204
    fault: InkanError | None = None
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Any:
        self.heard.append((method, url, dict(headers or {}), body))
        self.under_way += 1
        await self.gate.wait()
        self.under_way -= 1
        if self.fault is not None:
            raise self.fault
        return Answer(self.status, self.headers, b"")


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def world(
    database: Database, clock: StandingClock, tmp_path: Path, endpoint: Endpoint
) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path, post=endpoint) as made:
        yield made


@pytest.fixture
async def client(world: World, web: WebClient, clock: StandingClock) -> ClientCaller:
    return await pinged(world, web, clock)


async def pinged(
    world: World, web: WebClient, clock: StandingClock, code: str = "bank", **openid: Any
) -> ClientCaller:
    """A client that wants to be told."""
    members = {
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": NOTIFY,
    }
    return await ClientCaller.registered(world, web, clock, code, **(members | openid))


async def asked(
    client: ClientCaller, hint: str = f"national_id:{CHEN}", **more: Any
) -> dict[str, Any]:
    return await client.asked(hint, client_notification_token=BEARER, **more)


async def ping_jobs(world: World) -> list[Job]:
    """The pings that wait in the outbox."""

    def read() -> Step[list[Job]]:
        rows = yield _PINGS.all(wanted=PING_JOB)
        return [Job(row.id, PING_JOB, None, row.payload, 1, START) for row in rows]

    return await world.platform.db.scan(read)


@pytest.mark.behaviour("CIBA-40")
async def test_the_client_is_told_with_its_own_token_and_collects(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint
) -> None:
    made = await asked(client)
    assert error_of(await client.poll(made)) == (400, "authorization_pending")
    assert endpoint.heard == []
    await approved(world, phone, made)
    [(method, url, headers, body)] = endpoint.heard
    assert (method, url) == ("POST", NOTIFY)
    assert headers == {"authorization": f"Bearer {BEARER}", "content-type": "application/json"}
    assert json.loads(body) == {"auth_req_id": made["auth_req_id"]}
    client.clock.tick(5)
    assert (await client.poll(made)).status_code == 200
    await world.instance.catch_up()
    assert len(endpoint.heard) == 1


@pytest.mark.behaviour("CIBA-41")
async def test_a_notification_token_is_a_bearer_token_of_enough_length(
    client: ClientCaller,
) -> None:
    for wrong in (None, "", "short", "a" * 1025, "with a space in the middle of it", "ä" * 30):
        refused = await client.ask(client_notification_token=wrong)
        assert error_of(refused) == (400, "invalid_request")


@pytest.mark.behaviour("CIBA-42")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_neither_followed_nor_asked_again(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint, status: int
) -> None:
    endpoint.status, endpoint.headers = status, {"location": "https://elsewhere.example.com/"}
    await approved(world, phone, await asked(client))
    assert await ping_jobs(world) == []
    client.clock.tick(120)
    await world.instance.catch_up()
    assert [url for _, url, _, _ in endpoint.heard] == [NOTIFY]


@pytest.mark.behaviour("CIBA-43")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
async def test_an_endpoint_that_refuses_is_not_asked_again(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint, status: int
) -> None:
    endpoint.status = status
    made = await asked(client)
    await approved(world, phone, made)
    assert await ping_jobs(world) == []
    client.clock.tick(120)
    await world.instance.catch_up()
    assert len(endpoint.heard) == 1
    assert (await client.poll(made)).status_code == 200


@pytest.mark.behaviour("CIBA-44")
@pytest.mark.parametrize("status", [0, 408, 429, 500, 503])
async def test_what_may_pass_is_tried_again_and_polling_works_meanwhile(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint, status: int
) -> None:
    endpoint.status, endpoint.fault = status, None if status else FetchFailed()
    first, second = await asked(client), await asked(client)
    await approved(world, phone, second)
    await approved(world, phone, first)
    # The second one did not even ring: the endpoint is left alone for a while.
    assert len(endpoint.heard) == 1
    assert (await client.poll(first)).status_code == 200
    endpoint.status, endpoint.fault = 204, None
    world.platform.openid.pings._rests.clear()
    client.clock.tick(60)
    await world.instance.catch_up()
    told = {json.loads(body)["auth_req_id"] for *_, body in endpoint.heard}
    assert second["auth_req_id"] in told
    assert await ping_jobs(world) == []


@pytest.mark.behaviour("CIBA-45")
async def test_no_address_inside_is_ever_called(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint
) -> None:
    endpoint.status = 503
    await approved(world, phone, await asked(client))
    pings = world.platform.openid.pings
    [job] = await ping_jobs(world)
    async with listening() as (port, seen):
        for address in [*CORPUS, *INSIDE]:
            is_number = address in INSIDE
            url = NOTIFY if is_number else address.replace("{port}", str(port))
            fetcher = Fetcher(resolver=to(address if is_number else "127.0.0.1"), timeout_s=0.5)
            pings._post = _At(fetcher, url)
            pings._rests.clear()
            await pings.deliver(job)  # done: asked again, the address would still lead inside
            await fetcher.aclose()
        assert seen == []


@dataclass
class _At:
    """Calls another address than the registered one: registrations are judged by name, this is what came of it."""

    fetcher: Fetcher
    url: str

    async def request(self, method: str, _: str, **options: Any) -> Any:
        return await self.fetcher.request(method, self.url, **options)


@pytest.mark.behaviour("CIBA-46")
async def test_behind_the_veil_the_bell_rings_at_the_end_for_everybody(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint
) -> None:
    refused, unknown = await asked(client), await asked(client, f"national_id:{NOBODY}")
    held = await reached(world, phone, refused["inkan_code"])
    await phone.refuse(held.id)
    await world.instance.catch_up()
    client.clock.tick(179)
    await world.instance.catch_up()
    assert endpoint.heard == []
    client.clock.tick(1)
    await world.instance.catch_up()
    told = [json.loads(body)["auth_req_id"] for *_, body in endpoint.heard]
    assert sorted(told) == sorted(made["auth_req_id"] for made in (refused, unknown))
    for made in (refused, unknown):
        assert error_of(await client.poll(made)) == (400, "expired_token")


@pytest.mark.behaviour("CIBA-47")
async def test_an_endpoint_that_hangs_does_not_hold_up_another(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint
) -> None:
    made = [await asked(client) for _ in range(5)]
    await world.instance.catch_up()
    endpoint.gate.clear()
    for each in made:
        held = await opened(world, phone, each["inkan_code"])
        await phone.approve(held.id)
    outbox = asyncio.ensure_future(world.instance.outbox.run_due())
    for _ in range(200):
        await asyncio.sleep(0.01)
        if endpoint.under_way >= 3:
            break
    assert endpoint.under_way == 3
    endpoint.gate.set()
    await outbox
    client.clock.tick(30)
    await world.instance.catch_up()
    assert len({body for *_, body in endpoint.heard}) == 5


@pytest.mark.behaviour("CIBA-48")
async def test_a_client_that_polls_or_is_suspended_is_not_called(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint
) -> None:
    poller = await ClientCaller.registered(world, client.web, client.clock, "poller")
    await approved(world, phone, await poller.asked(client_notification_token=BEARER))
    made = await asked(client)
    held = await reached(world, phone, made["inkan_code"])
    await world.platform.relying_parties.suspend("bank")
    await phone.approve(held.id)
    await world.instance.catch_up()
    assert endpoint.heard == []


@pytest.mark.behaviour("CIBA-49")
async def test_a_collected_answer_is_not_told_any_more(
    world: World, client: ClientCaller, phone: Phone, endpoint: Endpoint
) -> None:
    endpoint.status = 503
    made = await asked(client)
    await approved(world, phone, made)
    assert (await client.poll(made)).status_code == 200
    world.platform.openid.pings._rests.clear()
    client.clock.tick(60)
    await world.instance.catch_up()
    assert len(endpoint.heard) == 1
    assert await ping_jobs(world) == []
