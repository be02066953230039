"""Whoever asks by CIBA for a person's number or reference learns nothing of the person (design §5.4, threat 15).

As in ``identification/test_enumeration.py``: one script is played against one person of each kind, and every answer
and every statement to the database is the same, ids and times apart.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from federation.backchannel import CHEN, LIN, NOBODY, ClientCaller, approved, opened
from federation.keeping import answered_view
from identification.callers import WebClient
from identification.test_enumeration import Silent, traced
from inkan.client import Phone
from inkan.client.exchange import CallRefused
from inkan.store.connect import database as database_of
from support.clock import StandingClock
from support.world import World, world_on

_HANDLE = re.compile(r'"auth_req_id":"[\w-]{43}"')
_CODE = re.compile(r'"inkan_code":"\d{6}"')
HEADERS = ("content-type", "content-length", "cache-control", "www-authenticate")


@dataclass(frozen=True)
class Heard:
    """One answer as the client has it, and what was asked of the database to make it."""

    status: int
    headers: tuple[str | None, ...]
    body: str
    statements: tuple[str, ...]


@dataclass
class Asker:
    """One script against one person."""

    client: ClientCaller
    hint: str
    members: dict[str, Any]
    heard: list[Heard] = field(default_factory=list)
    made: dict[str, Any] = field(default_factory=dict)

    async def ask(self) -> None:
        self.made = (await self._note(self.client.ask(self.hint, **self.members))).json()

    async def poll(self) -> None:
        await self._note(self.client.poll(self.made))

    async def _note(self, call: Any) -> Any:
        with traced() as statements:
            answer = await call
        body = _CODE.sub("code", _HANDLE.sub("handle", answer.text))
        headers = tuple(answer.headers.get(name) for name in HEADERS)
        self.heard.append(Heard(answer.status_code, headers, body, tuple(statements)))
        return answer


@dataclass(frozen=True)
class Bench:
    """What lasts from one script to the next."""

    runner: asyncio.Runner
    world: World
    clock: StandingClock
    phone: Phone
    client: ClientCaller
    reference: str


@pytest.fixture
def bench(sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield runner.run(_bench(runner, stack, sqlite_url, tmp_path))
        runner.run(stack.aclose())


async def _bench(runner: asyncio.Runner, stack: AsyncExitStack, url: str, folder: Path) -> Bench:
    clock = StandingClock()
    db = database_of(url, clock=clock)
    await db.open()
    stack.push_async_callback(db.close)
    world = await stack.enter_async_context(world_on(db, clock, folder, post=Silent()))
    phone = await world.bind("chen")
    await world.citizen("lin")  # is known, and has no phone
    web = WebClient(world.instance.application)
    stack.push_async_callback(web.aclose)
    client = await ClientCaller.registered(world, web, clock)
    made = await client.asked()
    await approved(world, phone, made)
    await client.poll(made)
    view = await answered_view(world, made["auth_req_id"])
    return Bench(runner, world, clock, phone, client, view["subject"]["person_ref"])


async def do(bench: Bench, deed: str, code: str) -> None:
    """What the person does with the question, if it is there."""
    if deed == "ignore":
        return
    try:
        if deed == "mistype":
            for _ in range(3):
                [first, *_] = await bench.phone.waiting()
                wrong = f"{(int(code) + 1) % 10**6:06}"
                try:
                    await bench.phone.open_push(first.approval, wrong)
                except CallRefused:
                    continue
            return
        held = await opened(bench.world, bench.phone, code)
        if deed == "refuse":
            await bench.phone.refuse(held.id)
        if deed == "report":
            await bench.phone.report(held.id)
    finally:
        await bench.world.platform.identification.finish()


def kinds(bench: Bench, by: str) -> dict[str, str]:
    """Hints by number or by reference: of nobody, of somebody without a phone, and of the person."""
    if by == "national_id":
        numbers = {"nobody": NOBODY, "unbound": LIN, "hers": CHEN}
        return {name: f"national_id:{number}" for name, number in numbers.items()}
    invented = bench.reference[:-4] + ("AAAA" if not bench.reference.endswith("AAAA") else "BBBB")
    return {"nobody": f"person_ref:{invented}", "hers": f"person_ref:{bench.reference}"}


def play(bench: Bench, deed: str, by: str, members: dict[str, Any]) -> dict[str, Asker]:
    run = bench.runner.run
    askers = {name: Asker(bench.client, hint, members) for name, hint in kinds(bench, by).items()}
    each = list(askers.values())
    for asker in each:
        run(asker.ask())
    run(bench.world.instance.catch_up())
    for asker in each:
        run(asker.poll())
    run(do(bench, deed, askers["hers"].made["inkan_code"]))
    run(bench.world.instance.catch_up())
    # Pending, hasty, pending, after the end, and long after it.
    for seconds in (5, 1, 30, 150, 1000):
        bench.clock.tick(seconds)
        for asker in each:
            run(asker.poll())
        run(bench.world.instance.catch_up())
    return askers


@pytest.mark.behaviour("CIBA-28")
@pytest.mark.parametrize("by", ["national_id", "person_ref"])
@pytest.mark.parametrize("deed", ["ignore", "open", "refuse", "mistype", "report"])
def test_a_client_hears_the_same_by_the_same_work(bench: Bench, deed: str, by: str) -> None:
    # Twice, and so the second time the person is muted for this client.
    for members in ({}, {"requested_expiry": "60", "binding_message": "K7"}, {}):
        askers = play(bench, deed, by, members)
        heard = [asker.heard for asker in askers.values()]
        assert all(each == heard[0] for each in heard[1:])
        said = [re.findall(r'"error":"(\w+)"', each.body) for each in heard[0][1:]]
        assert said[0] == ["authorization_pending"]
        assert said[-1] == ["expired_token"]


def test_the_trace_sees_a_difference(bench: Bench) -> None:
    """The control: an answer that is there is collected by other statements than one that is not."""
    run = bench.runner.run
    hers = Asker(bench.client, f"national_id:{CHEN}", {})
    nobody = Asker(bench.client, f"national_id:{NOBODY}", {})
    for asker in (hers, nobody):
        run(asker.ask())
    run(approved(bench.world, bench.phone, hers.made))
    for asker in (hers, nobody):
        run(asker.poll())
    assert hers.heard[0] == nobody.heard[0]
    assert hers.heard[1] != nobody.heard[1]
    assert set(hers.heard[1].statements) - set(nobody.heard[1].statements)
