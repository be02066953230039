"""Two phones, one asker and time do what they like with one session; a small model says what must come of it.

The service is the real one on SQLite; the model knows design §5.3 and nothing of the code.
"""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from identification.answers import frame_of, honest
from identification.callers import LOGIN
from inkan.client import Phone
from inkan.client.phone_state import OpenApproval
from inkan.identification import AssertionParts, SessionOrder
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import new_id
from inkan.store.connect import database as database_of
from inkan.wire.binding import Door
from support.clock import StandingClock
from support.world import World, world_on

LIFE_S, MINUTE_S, GENERATIONS = 180, 60, 4


@dataclass
class Model:
    """The session as design §5.3 has it."""

    state: str = "presented"
    outcome: str | None = None
    phone: int | None = None
    generation: int = 1
    age_s: float = 0
    opened_at_s: float = 0
    answers: dict[str, str] = field(default_factory=dict)

    def now(self) -> str:
        """The state that holds, whoever swept or did not."""
        undecided = self.state in {"presented", "opened"}
        return "expired" if undecided and self.age_s >= LIFE_S else self.state

    def open(self, who: int, generation: int) -> str:
        if generation != self.generation:
            return "qr_frame_stale"
        if self.now() == "opened":
            return "ok" if self.phone == who else "opened_elsewhere"
        if self.now() != "presented":
            return "approval_ended"
        self.state, self.phone, self.opened_at_s = "opened", who, self.age_s
        return "ok"

    def release(self) -> str:
        if self.now() != "opened" or self.generation == GENERATIONS:
            return "approval_ended"
        self.state, self.phone, self.generation = "presented", None, self.generation + 1
        return "ok"

    def give_back(self, who: int) -> str:
        return self.release() if self.phone == who else "approval_not_found"

    def look_at_door(self) -> str:
        if self.now() not in {"presented", "opened"}:
            return "approval_ended"
        dawdles = self.now() == "opened" and self.age_s - self.opened_at_s >= MINUTE_S
        if dawdles and self.generation < GENERATIONS:
            self.release()
        return "ok"

    def approve(self, who: int, generation: int, *, same: bool) -> str:
        if self.phone != who:
            return "approval_not_found"
        if self.now() == "closed":
            return "ok" if same and self.outcome == "ok" else "decision_conflict"
        if self.now() != "opened":
            return "approval_ended"
        if generation != self.generation:
            return "statement_differs"
        self.state, self.outcome = "closed", "ok"
        return "ok"

    def refuse(self, who: int) -> str:
        if self.phone != who:
            return "approval_not_found"
        if self.now() == "closed":
            return "ok" if self.outcome == "refused" else "decision_conflict"
        if self.now() != "opened":
            return "approval_ended"
        self.state, self.outcome = "closed", "refused"
        return "ok"

    def cancel(self) -> str:
        if self.now() in {"presented", "opened"}:
            self.state = "cancelled"
        return "ok" if self.state == "cancelled" else "approval_ended"


@dataclass(frozen=True)
class Bench:
    """What lasts from one run of the machine to the next."""

    runner: asyncio.Runner
    world: World
    clock: StandingClock
    phones: list[Phone]
    senders: list[Any]
    system: Any

    def does(self, coroutine: Any) -> tuple[str, Any]:
        """Run it; its refusal's code, or ok and what it returned."""
        try:
            return "ok", self.runner.run(coroutine)
        except InkanError as refused:
            return refused.code, None


@pytest.fixture
def bench(sqlite_url: str, tmp_path: Path):
    clock = StandingClock()
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        made = runner.run(_bench(stack, sqlite_url, clock, tmp_path))
        yield Bench(runner=runner, clock=clock, **made)
        runner.run(stack.aclose())


async def _bench(
    stack: AsyncExitStack, url: str, clock: StandingClock, folder: Path
) -> dict[str, Any]:
    db = database_of(url, clock=clock)
    await db.open()
    stack.push_async_callback(db.close)
    world = await stack.enter_async_context(world_on(db, clock, folder))
    phones = [await world.bind(key) for key in ("chen", "lin")]
    enrolment = world.platform.enrolment
    senders = [(await enrolment.principal_of(phone._parts.api.channel_jkt))[0] for phone in phones]
    await world.agency("bank")
    ((system, _),) = await world.platform.relying_parties.systems()
    return {"world": world, "phones": phones, "senders": senders, "system": system}


who = st.sampled_from([0, 1])


def test_one_session_under_every_hand(bench: Bench):
    class Session(RuleBasedStateMachine):
        @initialize()
        def ask(self) -> None:
            self.model = Model()
            self.sessions = bench.world.platform.identification
            order = msgspec.convert(LOGIN, SessionOrder)
            made = self.sessions.create(
                bench.system, order, body=b"{}", idempotency_key=new_id("idem")
            )
            created = bench.runner.run(made)
            self.id = created.session.id
            self.door, self.began = msgspec.to_builtins(created.doors["qr"]), 0.0
            self.held: dict[int, tuple[OpenApproval, int]] = {}
            self.sent: dict[int, dict[str, Any]] = {}

        def same(self, seen: str, expected: str) -> None:
            assert seen == expected, self.model

        @rule(who=who)
        def open(self, who: int) -> None:
            t = self.door["t"] + int(self.model.age_s - self.began)
            opening = self.sessions.open(
                bench.senders[who],
                frame=frame_of(self.door, t=t),
                lang="zh-Hant",
                arrived=bench.clock.now(),
            )
            generation = self.door["generation"]
            seen, opened = bench.does(opening)
            self.same(seen, self.model.open(who, generation))
            if opened is not None:
                held = OpenApproval(
                    id=opened.approval,
                    draft=bytes(opened.draft),
                    text=opened.text,
                    expires_at=opened.expires_at,
                )
                self.held[who] = held, generation
                self.sent.pop(who, None)

        @rule(who=who, again=st.booleans())
        def approve(self, who: int, again: bool) -> None:
            if who not in self.held:
                return
            held, generation = self.held[who]
            same = again and who in self.sent
            body = self.sent[who] if same else honest(bench.phones[who], held)
            seen, _ = bench.does(
                self.sessions.approve(
                    bench.senders[who],
                    held.id,
                    jws=body["jws"],
                    assertion=AssertionParts(**body["assertion"]),
                )
            )
            expected = self.model.approve(who, generation, same=same)
            self.same(seen, expected)
            if seen == "ok":
                self.sent[who] = body

        @rule(who=who, report=st.booleans())
        def refuse(self, who: int, report: bool) -> None:
            if who in self.held:
                refusing = self.sessions.refuse(
                    bench.senders[who], self.held[who][0].id, report=report
                )
                self.same(bench.does(refusing)[0], self.model.refuse(who))

        @rule(who=who)
        def give_back(self, who: int) -> None:
            if who in self.held:
                giving = self.sessions.give_back(bench.senders[who], self.held[who][0].id)
                self.same(bench.does(giving)[0], self.model.give_back(who))

        @rule()
        def look_at_door(self) -> None:
            seen, door = bench.does(self.sessions.make_door(self.id, Door.QR, system=bench.system))
            self.same(seen, self.model.look_at_door())
            if door is not None:
                self.door, self.began = msgspec.to_builtins(door), self.model.age_s
                assert self.door["generation"] == self.model.generation

        @rule()
        def cancel(self) -> None:
            seen, _ = bench.does(self.sessions.cancel(self.id, system=bench.system.id))
            self.same(seen, self.model.cancel())

        @rule(seconds=st.sampled_from([1, 20, 59, 60, 119]))
        def pass_time(self, seconds: int) -> None:
            bench.clock.tick(seconds)
            self.model.age_s += seconds

        @rule()
        def sweep(self) -> None:
            bench.runner.run(self.sessions.expire())

        @invariant()
        def is_read_as_it_is(self) -> None:
            view, _ = bench.runner.run(self.sessions.get(self.id, system=bench.system.id))
            assert (view.state, view.outcome) == (self.model.now(), self.model.outcome)
            assert (view.subject is not None) == (self.model.outcome == "ok")

    run_state_machine_as_test(
        Session,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    report = bench.runner.run(bench.world.events())
    assert report.count("identification.session_created") >= 25
