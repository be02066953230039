"""A hostile platform that serves, and relying parties that are attacked by it, all over real HTTP."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from inkan.client import AsyncTransport, SystemCredentials
from inkan.conformance import HostilePlatform, KitRoot, Run, TestEndpoint
from inkan.conformance.api import application
from inkan.conformance.service.authority import new_key
from inkan.kernel.clock import Clock
from inkan.web.app import Application
from inkan.web.server import Server
from support.ports import free_port

CODE = "tax-office"


@dataclass(frozen=True)
class Surroundings:
    """What a relying party is built with."""

    origin: str
    credentials: SystemCredentials
    anchors: list[bytes]
    clock: Clock


Build = Callable[[Surroundings], Application]


@dataclass
class Town:
    """The kit's platform, and a way to put a relying party beside it."""

    platform: HostilePlatform
    transport: AsyncTransport
    root: KitRoot
    serve: Callable[[Build], Awaitable[Run]]


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with hostile_town() as made:
        yield made


@asynccontextmanager
async def hostile_town() -> AsyncIterator[Town]:
    """The kit at work on ports of its own, until the block ends."""
    clock = Clock()
    root = KitRoot.made(clock)
    async with AsyncExitStack() as stack:
        port = free_port(neighbours=1)
        issuer = f"http://hostile.localhost:{port}"
        platform = HostilePlatform(issuer, root, clock, domain="agency.localhost")
        served = Server(application(platform), port=port).running(grace_s=1.0)
        await stack.enter_async_context(served)
        transport = await stack.enter_async_context(AsyncTransport())

        async def serve(build: Build) -> Run:
            origin = f"http://agency.localhost:{port + 1}"
            credentials = SystemCredentials(issuer=issuer, code=CODE, key=new_key())
            built = build(Surroundings(origin, credentials, [root.der], clock))
            running = Server(built, port=port + 1).running(grace_s=1.0)
            await stack.enter_async_context(running)
            endpoint = TestEndpoint(f"{origin}/conformance", transport)
            return Run(platform, endpoint, patience_s=3.0, frame_after_s=1.1)

        yield Town(platform, transport, root, serve)
