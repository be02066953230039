"""Webhooks: with the change or not at all, signed, repeated for a day, and never to an address inside (threat 16)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from identification.callers import WebClient
from inkan.client import NonceMemory, read_webhook_keys, verify_webhook
from inkan.crypto.http_signatures import HTTPSignatureMalformed
from inkan.crypto.keys import KeySpec, generate
from inkan.identification.model import WebhookResting, WebhookUndelivered
from inkan.identification.service import webhooks
from inkan.identification.service.webhooks import WebhookJob, WebhookSender, announce
from inkan.kernel.errors import InkanError
from inkan.store.database import Database
from inkan.store.outbox import Job, Outbox, dead_jobs, depth, resting
from inkan.web.fetch import Answer, Fetcher, FetchFailed, TargetRefused
from support.clock import START, LevelClock, StandingClock
from support.inside import CORPUS, INSIDE, PUBLIC, listening, to
from support.world import World, world_on

URL = "https://hook.example.com/inkan?to=bank"


@dataclass
class Receiver:
    """The other side: keeps what it got and answers what a test tells it to."""

    status: int = 204
    fault: InkanError | None = None
    heard: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    async def request(
        self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Any:
        self.heard.append((method, url, dict(headers or {}), body))
        if self.fault is not None:
            raise self.fault
        return Answer(self.status, {}, b"")


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def told(
    database: Database, clock: StandingClock, tmp_path: Path, receiver: Receiver
) -> AsyncIterator[World]:
    """A world whose webhooks go to the receiver."""
    async with world_on(database, clock, tmp_path, post=receiver) as made:
        yield made


async def published_keys(world: World) -> Any:
    web = WebClient(world.instance.application)
    answer = await web.get("/v1/jwks.json")
    await web.aclose()
    assert answer.status_code == 200
    return read_webhook_keys(answer.content)


# --- what arrives ------------------------------------------------------------------------------------


async def test_a_change_reaches_the_receiver_signed(
    told: World, receiver: Receiver, clock: StandingClock
) -> None:
    await told.platform.db.transact(announce, "ses_1", "closed", URL)
    assert receiver.heard == []
    await told.instance.outbox.run_due()
    ((method, url, headers, body),) = receiver.heard
    opened = verify_webhook(
        method,
        URL,
        headers,
        body,
        keys=await published_keys(told),
        now=clock.wire_now(),
        seen=NonceMemory(),
    )
    assert (url, opened.session, opened.state) == (URL, "ses_1", "closed")
    assert opened.at == "2026-04-01T01:00:00Z"
    # An id and a state: whoever reads the note on its way learns nothing of anybody.
    assert set(msgspec.json.decode(body)) == {"v", "id", "session", "state", "at"}


async def test_a_change_that_was_rolled_back_tells_nobody(told: World, receiver: Receiver) -> None:
    class Refused(Exception):
        pass

    def body() -> Any:
        yield from announce("ses_1", "closed", URL)
        raise Refused

    with pytest.raises(Refused):
        await told.platform.db.transact(body)
    await told.instance.outbox.run_due()
    assert receiver.heard == []


async def test_a_state_that_is_none_is_a_mistake_of_the_program(told: World) -> None:
    with pytest.raises(ValueError, match="done"):
        await told.platform.db.transact(announce, "ses_1", "done", URL)


@pytest.mark.parametrize("status", [199, 300, 302, 307, 400, 404, 410, 500, 503])
async def test_anything_but_2xx_is_no_delivery(receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(WebhookUndelivered, match=str(status)):
        await sender_of(receiver, LevelClock()).deliver(job_to(URL))


async def test_what_was_not_delivered_is_sent_again_under_a_fresh_signature(
    told: World, receiver: Receiver, clock: StandingClock
) -> None:
    receiver.status = 500
    await told.platform.db.transact(announce, "ses_1", "opened", URL)
    await told.instance.outbox.run_due()
    receiver.status = 200
    sender = told.platform.webhooks
    sender._resting.rests.clear()
    clock.tick(timedelta(hours=1))
    await told.instance.outbox.run_due()
    (_, _, first, body), (_, _, second, again) = receiver.heard
    assert body == again
    assert first["signature-input"] != second["signature-input"]
    keys = await published_keys(told)
    opened = verify_webhook(
        "POST", URL, second, again, keys=keys, now=clock.wire_now(), seen=NonceMemory()
    )
    assert opened.state == "opened"
    assert (await told.platform.db.read(depth)).waiting == 0


async def test_a_receiver_that_is_dead_for_a_day_leaves_a_dead_letter(
    database: Database, clock: StandingClock, receiver: Receiver
) -> None:
    receiver.fault = FetchFailed("ConnectError")
    sender = sender_of(receiver, clock)
    outbox = Outbox(database, {webhooks.JOB: sender.handler})
    await database.transact(announce, "ses_1", "closed", URL)
    hours = 0
    while (await database.read(depth)).waiting:
        sender._resting.rests.clear()
        await outbox.run_due()
        clock.tick(timedelta(minutes=30))
        hours += 0.5
        assert hours < 30
    assert 22 <= hours <= 25
    assert len(receiver.heard) >= 24
    (dead,) = await database.read(dead_jobs)
    assert (dead.kind, dead.error) == (webhooks.JOB, "fetch_failed")


# --- one dead receiver and the others ----------------------------------------------------------------


def sender_of(post: Any, clock: Any) -> WebhookSender:
    return WebhookSender(post=post, key=generate(KeySpec.P256), clock=clock)  # type: ignore[arg-type]


def job_to(url: str) -> Job:
    told = WebhookJob(
        delivery="whd_1", session="ses_1", state="closed", at="2026-04-01T01:00:00Z", url=url
    )
    return Job("job_1", webhooks.JOB, None, msgspec.json.encode(told), 1, START)


async def test_an_address_that_fails_rests_and_the_others_do_not(receiver: Receiver) -> None:
    clock = LevelClock()
    sender = sender_of(receiver, clock)
    receiver.status = 500
    rests = []
    for _ in range(8):
        with pytest.raises(WebhookUndelivered):
            await sender.deliver(job_to(URL))
        with pytest.raises(WebhookResting):
            await sender.deliver(job_to(URL + "&x=1"))
        began = clock.monotonic()
        rest = sender._resting.rests["hook.example.com"]
        rests.append(rest.until - began)
        clock.tick(timedelta(seconds=rest.until - began))
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300]
    assert len(receiver.heard) == 8
    receiver.status = 200
    await sender.deliver(job_to("https://other.example.com/"))
    await sender.deliver(job_to(URL))
    assert sender._resting.rests == {}


async def test_failures_of_one_moment_count_once(receiver: Receiver) -> None:
    clock = LevelClock()
    sender = sender_of(receiver, clock)
    for _ in range(5):
        sender._resting.note_failure("hook.example.com")
    assert sender._resting.rests["hook.example.com"].seconds == resting.FIRST_REST_S


async def test_the_memory_of_resting_addresses_is_bounded(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "RESTING_LIMIT", 3)
    sender = sender_of(receiver, LevelClock())
    for number in range(10):
        sender._resting.note_failure(f"h{number}.example.com")
    assert list(sender._resting.rests) == ["h7.example.com", "h8.example.com", "h9.example.com"]


# --- addresses that lead inside ----------------------------------------------------------------------


@pytest.fixture
async def inside() -> AsyncIterator[tuple[int, list[Any]]]:
    async with listening() as counted:
        yield counted


def test_the_corpus_is_large_enough() -> None:
    assert len(set(CORPUS)) >= 60
    assert len(set(INSIDE)) >= 50


async def test_no_webhook_address_reaches_inside(inside: tuple[int, list[Any]]) -> None:
    """With nothing admitted and a resolver that says "this machine" to every name."""
    port, seen = inside
    fetcher = Fetcher(resolver=to("127.0.0.1"), timeout_s=2)
    for url in CORPUS:
        sender = sender_of(fetcher, LevelClock())
        with pytest.raises((TargetRefused, HTTPSignatureMalformed)):
            await sender.deliver(job_to(url.replace("{port}", str(port))))
    assert seen == []
    await fetcher.aclose()


@pytest.mark.parametrize("address", INSIDE)
async def test_no_webhook_name_leads_inside(address: str, inside: tuple[int, list[Any]]) -> None:
    _, seen = inside
    for answers in ((address,), (PUBLIC, address)):
        fetcher = Fetcher(resolver=to(*answers), timeout_s=2)
        with pytest.raises(TargetRefused):
            await sender_of(fetcher, LevelClock()).deliver(job_to(URL))
        await fetcher.aclose()
    assert seen == []


class Network(httpx.AsyncBaseTransport):
    """Keeps where a connection would go; answers a redirect inside."""

    def __init__(self, location: str) -> None:
        self.location = location
        self.reached: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.reached.append(request.url.host)
        return httpx.Response(302, headers={"location": self.location})


async def test_neither_a_second_answer_nor_a_redirect_leads_inside(
    inside: tuple[int, list[Any]],
) -> None:
    port, seen = inside
    answers: list[Sequence[str]] = [[PUBLIC], ["127.0.0.1"]]

    async def rebinding(_: str, __: int) -> Sequence[str]:
        return answers.pop(0)

    network = Network(f"http://127.0.0.1:{port}/")
    fetcher = Fetcher(resolver=rebinding, transport=network)
    sender = sender_of(fetcher, LevelClock())
    with pytest.raises(WebhookUndelivered, match="302"):
        await sender.deliver(job_to(URL))
    sender._resting.rests.clear()
    with pytest.raises(TargetRefused):
        await sender.deliver(job_to(URL))
    assert network.reached == [PUBLIC]
    assert seen == []


async def test_production_admits_no_loopback_for_webhooks(world: World) -> None:
    fetcher: Any = world.platform.webhooks._post
    assert isinstance(fetcher, Fetcher)
    assert fetcher._admitted == frozenset(world.platform.settings.fetch.admitted) == frozenset()
