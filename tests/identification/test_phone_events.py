"""The phone's event stream: hints without content, to this phone alone, and no longer than the phone is in use."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from identification.callers import PhoneCaller, SystemCaller, WebClient
from identification.doorways import all_doors, push, pushed
from inkan.client import Phone
from inkan.enrolment import PhoneState, phone_topic
from inkan.enrolment.service import phones as phones_of_enrolment
from inkan.identification.api.phone_events import PATH
from inkan.identification.rules import STREAMS_PER_PHONE
from inkan.identification.service import watching
from inkan.notices import NEWS_TOPIC, NewsTexts
from inkan.pki import RevocationReason
from inkan.store.database import Step
from support.asgi import Client
from support.clock import StandingClock
from support.world import CLERK, PLATFORM, WALLET, World

TEXTS = NewsTexts(en="Closed on Monday", ja="月曜日は休み", zh_hant="週一公休")


class Stream:
    """One open stream: its events as they come, ``None`` at its end."""

    def __init__(self, application: Any, headers: dict[str, str]) -> None:
        self.application = application
        self.headers = headers
        self.status = 0
        self.events: asyncio.Queue[tuple[str, Any] | None] = asyncio.Queue()
        self._asked = False
        self._left = asyncio.Event()

    async def read(self) -> None:
        scope: dict[str, Any] = {}

        async def catch(found: dict[str, Any], *_: Any) -> None:
            scope.update(found)

        client = Client(catch, PLATFORM)
        await client.get(PATH, headers=self.headers)
        await self.application(scope, self._receive, self._send)

    def leave(self) -> None:
        self._left.set()

    async def next(self) -> tuple[str, Any] | None:
        return await asyncio.wait_for(self.events.get(), 5)

    async def _receive(self) -> dict[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        text = message.get("body", b"").decode()
        lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        if "event" in lines:
            await self.events.put((lines["event"], msgspec.json.decode(lines["data"])))
        elif not message.get("more_body"):
            await self.events.put(None)


@asynccontextmanager
async def following(world: World, caller: PhoneCaller) -> AsyncIterator[Stream]:
    """A stream of this phone, past what it tells first."""
    stream = Stream(world.instance.application, {"dpop": caller.proof("GET", PATH)})
    task = asyncio.create_task(stream.read())
    try:
        yield stream
    finally:
        stream.leave()
        await asyncio.wait_for(task, 5)


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


async def test_a_push_is_told_by_its_id_alone_and_gone_when_it_was_opened(
    world: World, office: SystemCaller, phone: Phone, caller: PhoneCaller
) -> None:
    async with following(world, caller) as stream:
        assert await stream.next() == ("waiting", {"approvals": []})
        made = await push(office)
        await world.instance.catch_up()
        told = await stream.next()
        assert told is not None
        [waiting] = await phone.waiting()
        assert told == ("waiting", {"approvals": [waiting.approval]})
        assert "Tax Office" not in str(told)
        await pushed(world, phone, made["doors"]["push"]["code"])
        world.platform.db.bus.publish([phone_topic(caller_phone(caller))])
        assert await stream.next() == ("waiting", {"approvals": []})


def caller_phone(caller: PhoneCaller) -> Any:
    assert caller.phone.binding is not None
    return caller.phone.binding.phone


async def test_another_persons_push_wakes_nothing(
    world: World,
    office: SystemCaller,
    caller: PhoneCaller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await world.bind("lin")
    reads: list[Any] = []
    read_waiting = watching._waiting

    def counted(parts: Any, phone: Any) -> Step[Any]:
        reads.append(phone)
        return read_waiting(parts, phone)

    monkeypatch.setattr(watching, "_waiting", counted)
    async with following(world, caller) as stream:
        await stream.next()
        await push(office, "lin")
        await world.instance.catch_up()
        await asyncio.sleep(0.05)
        assert stream.events.empty()
    assert len(reads) == 1  # on connecting; nothing was done for the waiter


async def test_news_is_told_without_a_read(
    world: World, caller: PhoneCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(world, caller) as stream:
        await stream.next()

        def never(*_: Any) -> Step[Any]:
            raise AssertionError("news needs no look at what waits")

        monkeypatch.setattr(watching, "_waiting", never)
        await world.platform.notices.publish_news(TEXTS, TEXTS, actor=CLERK)
        assert await stream.next() == ("news", {})


@pytest.mark.parametrize("how", ["revoked", "suspended"])
async def test_the_stream_of_a_phone_that_ends_ends(
    world: World, phone: Phone, caller: PhoneCaller, how: str
) -> None:
    platform = world.platform
    parts = platform.enrolment._parts
    [held] = await platform.enrolment.phones(await person_of(world))
    async with following(world, caller) as stream:
        await stream.next()
        if how == "revoked":
            reason = RevocationReason.KEY_COMPROMISE
            await platform.db.transact(
                phones_of_enrolment.revoke, parts, held, reason=reason, actor=CLERK
            )
        else:
            await platform.db.transact(
                phones_of_enrolment.suspend, parts, held, actor=CLERK, cause="lost"
            )
        assert await stream.next() is None
    assert (await caller.get(PATH)).json()["code"] == "channel_proof_refused"
    assert PhoneState(how)


async def person_of(world: World) -> Any:
    return (await world.citizen("chen")).person.id


async def test_a_phone_has_so_many_streams_and_no_more(
    world: World, phone: Phone, caller: PhoneCaller
) -> None:
    async with following(world, caller) as first, following(world, caller) as second:
        async with following(world, caller) as third:
            for each in (first, second, third):
                await each.next()
            assert STREAMS_PER_PHONE == 3
            answer = await caller.get(PATH)
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
            assert answer.headers["retry-after"] == "15"
        async with following(world, caller) as fourth:  # one left, so there is room again
            assert await fourth.next() is not None


async def test_whatever_happens_while_a_reader_is_slow_is_one_hint(
    world: World, caller: PhoneCaller
) -> None:
    principal, _ = await world.platform.enrolment.principal_of(caller.phone._parts.api.channel_jkt)
    hints = world.platform.identification.watch_phone(principal)  # type: ignore[arg-type]
    assert (await anext(hints)).kind is watching.HintKind.WAITING
    upcoming = asyncio.ensure_future(anext(hints))
    await asyncio.sleep(0)
    for _ in range(1_000):
        world.platform.db.bus.publish([NEWS_TOPIC])
    assert (await asyncio.wait_for(upcoming, 5)).kind is watching.HintKind.NEWS
    late = asyncio.ensure_future(anext(hints))
    await asyncio.sleep(0.05)
    assert not late.done()
    late.cancel()
    await asyncio.gather(late, return_exceptions=True)
    await hints.aclose()
    bus = world.platform.db.bus
    assert phone_topic(principal.phone) not in bus.waiters  # type: ignore[union-attr]


async def test_a_stream_ends_with_its_life(
    world: World, caller: PhoneCaller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "WATCH_LIFE", watching.WATCH_LIFE * 0)
    async with following(world, caller) as stream:
        assert await stream.next() is None


async def test_nobody_without_a_bound_phone_reads(web: WebClient) -> None:
    assert (await web.get(PATH)).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", PATH), ("GET", "/phone/v1/certificates/x"), ("GET", "/phone/v1/approvals")],
)
async def test_the_wallet_alone_may_call_from_another_origin(
    web: WebClient, method: str, path: str
) -> None:
    asked = {
        "access-control-request-method": method,
        "access-control-request-headers": "dpop,accept-language,content-type",
    }
    answer = await web.request("OPTIONS", path, headers={"origin": WALLET, **asked})
    assert answer.headers["access-control-allow-origin"] == WALLET
    assert method in answer.headers["access-control-allow-methods"]
    sendable = answer.headers["access-control-allow-headers"].split(", ")
    assert {"dpop", "accept-language", "content-type"} <= set(sendable)
    for origin in ("https://evil.example", PLATFORM, "null"):
        answer = await web.request("OPTIONS", path, headers={"origin": origin, **asked})
        assert "access-control-allow-origin" not in answer.headers, origin
        assert "access-control-allow-headers" not in answer.headers, origin
