"""A sandbox instance on a database of each kind, its virtual phones on their way to it in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from identification.doorways import all_doors
from inkan.client import RelyingParty, Session, SessionView, SubjectHint
from inkan.kernel.sensitive import Personal
from inkan.sandbox import Sandbox
from inkan.store.connect import database as database_of
from inkan.store.database import Database
from sandbox.homes import sandbox_settings
from support.asgi import Client, Reply
from support.clock import StandingClock
from support.waiting import eventually
from support.world import PLATFORM, World, world_on


class Developer(Client):
    """A relying party's program before a sandbox: its system code is all it needs."""

    def __init__(self, application: Any, code: str) -> None:
        super().__init__(application, PLATFORM)
        self.code = code

    async def call(self, method: str, path: str, json: Any = None, **headers: str) -> Reply:
        lines = {"authorization": f"Bearer {self.code}", **headers}
        return await self.request(method, f"/v1/sandbox/{path}", headers=lines, json=json)

    async def make(self, person: str = "agrees", **members: Any) -> dict[str, Any]:
        reply = await self.call("POST", "phones", {"person": person, **members})
        assert reply.status == 201, reply.text
        made: dict[str, Any] = reply.json()
        return made

    async def act(self, phone: dict[str, Any], action: str, **members: Any) -> dict[str, Any]:
        reply = await self.call(
            "POST", f"phones/{phone['id']}/actions", {"action": action, **members}
        )
        assert reply.status == 200, reply.text
        done: dict[str, Any] = reply.json()
        return done


@dataclass
class Town:
    """A sandbox with one relying party."""

    world: World
    agency: RelyingParty
    developer: Developer

    @property
    def sandbox(self) -> Sandbox:
        found = self.world.platform.sandbox
        assert found is not None
        return found

    async def ask(self, **members: Any) -> Session:
        return await self.agency.create_session("identify", **{"purpose": "login", **members})

    async def number(self, person: str) -> str:
        """The national ID of a test person of this system."""
        listed = (await self.developer.call("GET", "persons")).json()["persons"]
        (found,) = [each["national_id"] for each in listed if each["person"] == person]
        return str(found)

    async def push(self, person: str, **members: Any) -> Session:
        """Ask a test person by push, and let the outbox send it."""
        hint = SubjectHint("national_id", Personal(await self.number(person)))
        session = await self.ask(doors=["push"], subject_hint=hint, **members)
        await self.world.instance.catch_up()
        return session

    async def last_of(self, phone: dict[str, Any], *done: str) -> str:
        """What a phone did by itself, as soon as it is one of these."""
        system = (await self.sandbox.bearer(self.developer.code)).system.id

        async def last() -> str:
            return (await self.sandbox.phone(system, phone["id"])).last

        async def is_done() -> bool:
            return await last() in done

        await eventually(is_done)
        return await last()

    async def end_of(self, session: Session) -> SessionView:
        return await session.wait(timeout_s=5)

    async def another(self, code: str = "city-hall") -> Developer:
        return (await self.with_another(code)).developer

    async def with_another(self, code: str = "city-hall", **more: Any) -> "Town":
        """The same sandbox for another relying party."""
        agency = await self.world.agency(code, **all_doors(**more))
        return Town(self.world, agency, Developer(self.world.instance.application, code))


@pytest.fixture
async def town(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Town]:
    async with found(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def small(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Town]:
    """A sandbox on SQLite, for what no database decides."""
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with found(db, clock, tmp_path) as made:
        yield made
    await db.close()


@asynccontextmanager
async def found(db: Database, clock: StandingClock, folder: Path) -> AsyncIterator[Town]:
    async with world_on(db, clock, folder, settings=sandbox_settings(folder)) as world:
        own = world.platform.sandbox
        assert own is not None
        async with own.reaching(world.transport, catch_up=world.instance.catch_up):
            agency = await world.agency(**all_doors())
            yield Town(world, agency, Developer(world.instance.application, "tax-office"))
