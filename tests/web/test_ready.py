"""Answers that are sent again as they were sent before: the same bytes, for as long as they hold, to plain GETs only."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.ready import PLAIN, ReadyAnswers, Repeatable
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface
from support.clock import StandingClock
from web.wires import HOST, connected

GET = b"GET /told/1 HTTP/1.1\r\n" + HOST


class Told:
    """A published object; counts how often it was made."""

    def __init__(self, clock: StandingClock, **options: Any) -> None:
        self.clock = clock
        self.made = 0
        self.ready = ReadyAnswers(clock, **options)
        self.ends = False

    async def tell(self, exchange: Exchange) -> Response:
        generation = self.ready.generation
        self.made += 1
        if self.ends:
            self.ready.clear()
        response = Response(200, b"told %d" % self.made, media_type="application/x-told")
        response.with_header("expires", "once")
        until = self.clock.now() + timedelta(minutes=5)
        response.repeatable = Repeatable(self.ready, generation, until, 60)
        return response

    def group(self, **options: Any) -> Group:
        access = open_to_all("a test")
        return Group(
            surface=Surface.PUBLIC,
            ready=self.ready,
            bare={
                ("GET", "/told/{name}"): Bare(endpoint=self.tell, access=access),
                ("POST", "/told/{name}"): Bare(endpoint=self.tell, access=access),
            },
            **options,
        )


@pytest.fixture
def told(clock: StandingClock) -> Told:
    return Told(clock)


@pytest.fixture
async def wire(told: Told, serving: Any) -> AsyncIterator[Any]:
    async with serving(groups=[told.group()]) as server, connected(server) as line:
        yield line


async def hear(line: Any, head: bytes) -> tuple[int, dict[str, str], bytes]:
    await line.say(head + b"\r\n")
    heard: tuple[int, dict[str, str], bytes] = await line.hear()
    return heard


async def test_the_same_answer_leaves_again_with_every_header(wire: Any, told: Told) -> None:
    first, second, third = [await hear(wire, GET) for _ in range(3)]
    assert told.made == 1
    assert first[0] == second[0] == 200
    assert first[2] == second[2] == third[2] == b"told 1"
    for name, value in first[1].items():
        assert second[1][name] == value or name in {"date", "expires"}
    assert second[1].keys() == first[1].keys()
    ends = datetime.strptime(second[1]["expires"], "%a, %d %b %Y %H:%M:%S GMT")
    assert ends - told.clock.wire_now().replace(tzinfo=None) == timedelta(seconds=60)


@pytest.mark.parametrize(
    "head",
    [
        GET + b"if-none-match: x\r\n",
        GET + b"cookie: a=b\r\n",
        GET + b"connection: close\r\n",
        GET + b"range: bytes=0-1\r\n",
        b"GET /told/1?x=y HTTP/1.1\r\n" + HOST,
        b"GET /told/2 HTTP/1.1\r\n" + HOST,
        b"POST /told/1 HTTP/1.1\r\ncontent-length: 0\r\n" + HOST,
        b"GET /told/1 HTTP/1.0\r\n" + HOST,
    ],
)
async def test_anything_but_that_plain_get_goes_the_ordinary_way(
    wire: Any, told: Told, head: bytes
) -> None:
    await hear(wire, GET)
    await wire.say(head + b"\r\n")
    answer = await wire.hear()
    assert answer[0] == 200
    assert told.made == 2


async def test_another_host_hears_nothing(wire: Any, told: Told) -> None:
    await hear(wire, GET)
    status, _, _ = await hear(wire, b"GET /told/1 HTTP/1.1\r\nhost: elsewhere.example\r\n")
    assert status == 421
    assert told.made == 1


async def test_two_hosts_are_refused(wire: Any, told: Told) -> None:
    await hear(wire, GET)
    status, _, _ = await hear(wire, GET + HOST)
    assert status == 400


async def test_requests_that_arrive_together_are_answered_in_order(wire: Any, told: Told) -> None:
    await hear(wire, GET)
    other = b"GET /told/2 HTTP/1.1\r\n" + HOST + b"\r\n"
    await wire.say(GET + b"\r\n" + other + GET + b"\r\n")
    bodies = [(await wire.hear())[2] for _ in range(3)]
    assert bodies[:2] == [b"told 1", b"told 2"]
    assert bodies[2] in {b"told 1", b"told 3"}


async def test_what_ends_an_answer(wire: Any, told: Told) -> None:
    await hear(wire, GET)
    told.ready.clear()
    assert (await hear(wire, GET))[2] == b"told 2"
    told.clock.advance(timedelta(minutes=5))
    assert (await hear(wire, GET))[2] == b"told 3"
    assert (await hear(wire, GET))[2] == b"told 3"


async def test_an_answer_that_was_overtaken_while_it_was_made_is_not_kept(
    wire: Any, told: Told
) -> None:
    told.ends = True
    await hear(wire, GET)
    assert len(told.ready) == 0


async def test_an_answer_lives_for_seconds(clock: StandingClock) -> None:
    answers = ReadyAnswers(clock, life_s=0.0)
    until = clock.now() + timedelta(minutes=1)
    answers.keep(b"/x", [], b"", repeatable=Repeatable(answers, 0, until, 60))
    assert answers.find(b"/x") is None


def test_the_room_is_bounded(clock: StandingClock) -> None:
    answers = ReadyAnswers(clock, capacity=3)
    until = clock.now() + timedelta(minutes=1)
    for number in range(10):
        target = b"/%d" % number
        answers.keep(target, [], b"", repeatable=Repeatable(answers, 0, until, 60))
        assert len(answers) <= 3
        assert answers.find(target) is not None


async def test_what_belongs_to_one_sender_is_not_kept(serving: Any, told: Told) -> None:
    limit = RateLimit(name="told", requests=100, window=timedelta(minutes=1))
    async with serving(groups=[told.group(limit=limit)]) as server, connected(server) as line:
        await hear(line, GET)
        assert len(told.ready) == 0


def test_no_header_that_changes_an_answer_is_plain() -> None:
    assert not PLAIN & {b"if-none-match", b"cookie", b"authorization", b"range", b"content-length"}
