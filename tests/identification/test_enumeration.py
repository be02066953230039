"""Whoever asks by a person's number learns nothing of the person: the same answers, by the same work (threat 15).

Scripts are drawn: what the asker does, and in between what the person does, whom the number may not belong to at
all. Each script is played against one person of each kind. Every answer is the same to the letter, ids and times
apart, and so is every statement that the database was asked to make it: equal work is the part of equal time that
code decides. How long the same work takes is for the bench.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identification.callers import SystemCaller, WebClient
from identification.doorways import RETURN, all_doors, hint_of
from inkan.client import Phone
from inkan.client.exchange import CallRefused
from inkan.store.connect import database as database_of
from inkan.store.query import Query
from inkan.web.fetch import Answer
from support.clock import StandingClock
from support.world import World, world_on

NOBODY = {"type": "national_id", "value": "B123456780"}
_IDS = re.compile(r"(ses|apr|req|pg|qr|ln)_[a-z2-7]{26}")
_CODE = re.compile(r'"code":"\d{6}"')
HEADERS = ("content-length", "cache-control", "ratelimit-policy", "location")


@dataclass(frozen=True)
class Heard:
    """One answer as the asker has it, and what was asked of the database to make it."""

    status: int
    headers: tuple[str | None, ...]
    body: str
    statements: tuple[str, ...]


@dataclass
class Asker:
    """One script against one person."""

    system: SystemCaller
    hint: dict[str, str]
    members: dict[str, Any]
    heard: list[Heard] = field(default_factory=list)
    session: str = ""
    code: str = ""

    async def do(self, action: str) -> None:
        path = f"/v1/sessions/{self.session}"
        match action:
            case "create":
                order = {"doors": ["push"], "subject_hint": self.hint, **self.members}
                answer = await self._note(self.system.create(**order))
                made = answer.json()
                self.session = made["session"]["id"]
                self.code = made["doors"]["push"]["code"]
            case "read" | "receipt" | "evidence":
                suffix = "" if action == "read" else f"/{action}"
                await self._note(self.system.call("GET", path + suffix))
            case "push" | "qr" | "web_link":
                await self._note(self.system.call("POST", f"{path}/doors/{action}", body={}))
            case "cancel":
                await self._note(self.system.call("POST", f"{path}/cancel", body={}))

    async def _note(self, call: Any) -> Any:
        with traced() as statements:
            answer = await call
        body = _CODE.sub("code", _IDS.sub("id", answer.text))
        headers = tuple(answer.headers.get(name) for name in HEADERS)
        headers = tuple(_IDS.sub("id", each) if each else each for each in headers)
        self.heard.append(Heard(answer.status_code, headers, body, tuple(statements)))
        return answer


@contextmanager
def traced() -> Iterator[list[str]]:
    """The queries that are run meanwhile, in their order."""
    seen: list[str] = []
    plan = Query.plan

    def noting(query: Query, dialect: Any) -> Any:
        made = plan(query, dialect)
        seen.append(made.sql)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Query, "plan", noting)
        yield seen


class Silent:
    """The other side of the webhooks; what they tell is `test_announcing`'s."""

    async def request(self, *_: Any, **__: Any) -> Answer:
        return Answer(204, {}, b"")


@dataclass(frozen=True)
class Bench:
    """What lasts from one script to the next."""

    runner: asyncio.Runner
    world: World
    clock: StandingClock
    phone: Phone
    system: SystemCaller


@pytest.fixture
def bench(sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    clock = StandingClock()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        yield runner.run(_bench(runner, stack, sqlite_url, clock, tmp_path))
        runner.run(stack.aclose())


async def _bench(
    runner: asyncio.Runner, stack: AsyncExitStack, url: str, clock: StandingClock, folder: Path
) -> Bench:
    db = database_of(url, clock=clock)
    await db.open()
    stack.push_async_callback(db.close)
    world = await stack.enter_async_context(world_on(db, clock, folder, post=Silent()))
    phone = await world.bind("chen")
    await world.citizen("lin")  # is known, and has no phone
    web = WebClient(world.instance.application)
    stack.push_async_callback(web.aclose)
    hooks = [{"id": "main", "url": "https://hook.example.com/x"}]
    system = await SystemCaller.registered(world, web, clock, "office", **all_doors(webhooks=hooks))
    return Bench(runner, world, clock, phone, system)


async def answer(phone: Phone, deed: str, code: str) -> None:
    """What the person does with the newest question, if it can be done."""
    waiting = await phone.waiting()
    if not waiting or deed == "ignore":
        return
    try:
        if deed == "mistype":
            wrong = f"{(int(code) + 1) % 10**6:06}"
            await phone.open_push(waiting[0].approval, wrong)
            return
        held = await phone.open_push(waiting[0].approval, code)
        if deed == "refuse":
            await phone.refuse(held.id)
        if deed == "report":
            await phone.report(held.id)
    except CallRefused:
        return


ACTIONS = st.lists(
    st.sampled_from(
        ["read", "push", "qr", "web_link", "receipt", "evidence", "cancel", "later", "person"]
    ),
    max_size=7,
)
DEEDS = st.lists(
    st.sampled_from(["ignore", "open", "refuse", "mistype", "report"]), min_size=7, max_size=7
)


def play(bench: Bench, script: list[str], deeds: list[str], members: dict[str, Any]) -> None:
    askers = {
        name: Asker(bench.system, hint, members)
        for name, hint in (
            ("nobody", NOBODY),
            ("unbound", hint_of("lin")),
            ("hers", hint_of("chen")),
        )
    }
    bench.system.token = ""
    bench.runner.run(bench.system.fetch_token())
    warm(bench)
    for asker in askers.values():
        bench.runner.run(asker.do("create"))
    bench.runner.run(bench.world.instance.catch_up())
    left = iter(deeds)
    for action in script:
        if action == "later":
            bench.clock.tick(31)
        elif action == "person":
            bench.runner.run(answer(bench.phone, next(left), askers["hers"].code))
            bench.runner.run(bench.world.platform.identification.finish())
        else:
            warm(bench)
            for asker in askers.values():
                bench.runner.run(asker.do(action))
            bench.runner.run(bench.world.instance.catch_up())
    assert askers["hers"].heard == askers["nobody"].heard
    assert askers["unbound"].heard == askers["nobody"].heard
    bench.clock.tick(700)
    bench.runner.run(bench.world.instance.catch_up())


def warm(bench: Bench) -> None:
    """What is looked up now and then for whoever calls next, of the system alone, is known before all three call."""
    bench.runner.run(bench.system.call("GET", "/v1/sessions/nosuchthing"))


WAYS = [{}, {"return": RETURN}, {"notify": "main"}, {"phone_name": "my phone", "expires_in": 600}]


def test_an_asker_hears_the_same_by_the_same_work(bench: Bench) -> None:
    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(script=ACTIONS, deeds=DEEDS, members=st.sampled_from(WAYS))
    def run(script: list[str], deeds: list[str], members: dict[str, Any]) -> None:
        play(bench, script, deeds, members)

    run()


@pytest.mark.parametrize("deed", ["open", "refuse", "mistype", "report"])
def test_each_deed_by_itself(bench: Bench, deed: str) -> None:
    script = [
        "person",
        "person",
        "person",
        "read",
        "push",
        "qr",
        "receipt",
        "read",
        "cancel",
        "read",
    ]
    play(bench, script, [deed] * 3, {})


def test_the_trace_sees_a_difference(bench: Bench) -> None:
    """The control: an asker who names nobody makes fewer statements than one who expects somebody."""
    named = Asker(bench.system, NOBODY, {})
    bench.runner.run(named.do("create"))
    bench.runner.run(named.do("read"))
    with traced() as without:
        bench.runner.run(bench.system.created())
    assert set(named.heard[0].statements) - set(without)
    assert named.heard[1].statements
