"""A served sandbox: its phones reach it over HTTP, whatever its origin is called, and a cut answer is a broken one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from inkan.client import AsyncTransport, PlatformUnreachable
from inkan.client.exchange import Request
from inkan.client.http import ListenerConnections
from inkan.composition.settings import Origins
from inkan.store.connect import database as database_of
from inkan.web.server import Server
from sandbox.homes import sandbox_settings
from support.clock import StandingClock
from support.world import World, world_on

ORIGIN = "https://sandbox.example"
"""An origin that no test could reach: phones go to the listener beside them."""


@pytest.fixture
async def served(
    sqlite_url: str, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[tuple[World, AsyncTransport]]:
    settings = msgspec.structs.replace(
        sandbox_settings(tmp_path),
        origins=Origins(platform=ORIGIN, wallet="https://wallet.sandbox.example"),
    )
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(world_on(db, clock, tmp_path, settings=settings))
        server = await stack.enter_async_context(
            Server(world.instance.application).running(grace_s=1)
        )
        await stack.enter_async_context(world.instance.listening(port=server.port))
        connections = ListenerConnections("127.0.0.1", server.port)
        transport = await stack.enter_async_context(AsyncTransport(connections))
        await world.agency()
        yield world, transport
    await db.close()


def request(method: str, path: str, **members: object) -> Request:
    return Request(
        method=method,
        url=ORIGIN + path,
        headers={
            "authorization": "Bearer tax-office",
            "content-type": "application/json",
            "idempotency-key": "k" * 16,
        },
        body=msgspec.json.encode(members),
    )


async def test_a_phone_is_bound_over_http(served: tuple[World, AsyncTransport]) -> None:
    _, transport = served
    made = await transport.send(request("POST", "/v1/sandbox/phones", person="agrees"))
    assert made.status == 201, made.body
    listed = await transport.send(request("GET", "/v1/sandbox/phones"))
    assert msgspec.json.decode(listed.body)["phones"][0]["state"] == "held"


async def test_a_dropped_answer_breaks_the_connection(
    served: tuple[World, AsyncTransport],
) -> None:
    _, transport = served
    assert (await transport.send(request("PUT", "/v1/sandbox/faults", drop_rate=1))).status == 200
    order = {"kind": "identify", "purpose": "login", "challenge": "A" * 43, "doors": ["qr"]}
    async with asyncio.timeout(10):
        with pytest.raises(PlatformUnreachable):
            await transport.send(request("POST", "/v1/sessions", **order))
    await transport.send(request("DELETE", "/v1/sandbox/faults"))
    assert (await transport.send(request("POST", "/v1/sessions", **order))).status == 201
