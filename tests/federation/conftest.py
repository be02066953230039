"""A whole instance on a database of each kind, a person's phone, and clients of the provider."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from federation.clients import OpenIDClient, openid_client
from federation.leavers import Receiver, Scene
from federation.logins import Client
from federation.receivers import Caller, Country, caller
from identification.callers import WebClient
from inkan.client import Phone
from inkan.store.database import Database
from portal.browsers import Browser
from support.clock import StandingClock
from support.world import World, world_on


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def shop(world: World) -> OpenIDClient:
    """A client of the Basic profile."""
    return await openid_client(world)


@pytest.fixture
async def phone(world: World) -> Phone:
    """The phone of 陳怡君."""
    return await world.bind("chen")


@pytest.fixture
async def client(world: World, phone: Phone) -> Client:
    """A client that the phone's person can log in at."""
    return await Client.registered(world, phone)


@pytest.fixture
async def web(world: World) -> AsyncIterator[WebClient]:
    caller = WebClient(world.instance.application)
    yield caller
    await caller.aclose()


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.instance.application)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def told(
    database: Database, clock: StandingClock, tmp_path: Path, receiver: Receiver
) -> AsyncIterator[World]:
    """A world whose messages to clients go to the receiver."""
    async with world_on(database, clock, tmp_path, post=receiver) as made:
        yield made


@pytest.fixture
async def scene(told: World) -> Scene:
    return await Scene(told).begin()


@pytest.fixture
async def told_web(told: World) -> AsyncIterator[WebClient]:
    caller_ = WebClient(told.instance.application)
    yield caller_
    await caller_.aclose()


@pytest.fixture
async def listener(told: World, told_web: WebClient, clock: StandingClock) -> Caller:
    """A system that calls the API of Shared Signals."""
    made: Caller = await caller(told, told_web, clock)
    return made


@pytest.fixture
async def country(
    told: World, told_web: WebClient, clock: StandingClock, listener: Caller
) -> Country:
    return await Country(told, listener, await caller(told, told_web, clock, "bank")).begin()
