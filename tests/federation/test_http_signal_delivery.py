"""Shared Signals: verification, delivery, and receivers that fail or lead inside (rows SSF-)."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from federation.leavers import EVENTS, Receiver, parts_of, wake
from federation.receivers import CALLING, DELIVERY, STREAMS, VERIFICATION, Caller, caller, heard
from identification.callers import WebClient
from inkan.federation.model.streams import SignalType
from inkan.federation.service.signals import emit
from inkan.federation.service.streams import read_stream
from inkan.federation.store import streams as store
from inkan.store.database import MOMENT, Database, Step
from inkan.store.outbox import dead_jobs, depth
from inkan.store.outbox.jobs import Settlement, settle_and_lease
from inkan.web.fetch import Fetcher, FetchFailed
from support.clock import StandingClock
from support.inside import PUBLIC, to
from support.world import PLATFORM, World, world_on


@pytest.mark.behaviour("SSF-17")
async def test_a_verification_event_brings_the_state_back(
    listener: Caller, told: World, receiver: Receiver, clock: StandingClock
) -> None:
    stream = (await listener.begin(events_requested=[]))["stream_id"]
    assert (await listener.verify(stream, state="s-1")).status_code == 204
    await told.instance.outbox.run_due()
    ((method, url, headers, body),) = receiver.heard
    assert (method, url) == ("POST", EVENTS)
    assert headers == {"content-type": "application/secevent+jwt", "accept": "application/json"}
    said = await heard(told, body)
    assert len(said.pop("jti")) == 43
    # Neither sub nor exp nor txn (SSF, SET profile).
    assert said == {
        "iss": PLATFORM,
        "aud": "shop",
        "iat": int(clock.wire_now().timestamp()),
        "sub_id": {"format": "opaque", "id": stream},
        "events": {VERIFICATION: {"state": "s-1"}},
    }


@pytest.mark.behaviour("SSF-18")
async def test_verifications_come_at_most_once_a_minute(
    listener: Caller, told: World, receiver: Receiver, clock: StandingClock
) -> None:
    stream = (await listener.begin())["stream_id"]
    assert (await listener.verify(stream)).status_code == 204
    answer = await listener.verify(stream)
    assert (answer.status_code, answer.json()["code"]) == (429, "signals_verification_too_often")
    assert 0 < answer.json()["retry_after_s"] <= 60
    clock.tick(61)
    assert (await listener.verify(stream)).status_code == 204
    await told.instance.outbox.run_due()
    assert len(receiver.heard) == 2


def _every_stream() -> Step[Any]:
    return (yield store.ALL.all())


@pytest.mark.behaviour("SSF-19")
async def test_the_receivers_own_secret_comes_along_and_is_never_read_back(
    listener: Caller, told: World, receiver: Receiver
) -> None:
    secret = "Bearer rcv-4fA9"
    stream = (await listener.begin(delivery=DELIVERY | {"authorization_header": secret}))[
        "stream_id"
    ]
    read = await listener.call("GET", f"{STREAMS}?stream_id={stream}")
    assert "rcv-4fA9" not in read.text
    rows = await told.platform.db.scan(_every_stream)
    assert rows[0].authorization is not None
    assert b"rcv-4fA9" not in rows[0].authorization
    await listener.verify(stream)
    await told.instance.outbox.run_due()
    assert receiver.heard[0][2]["authorization"] == secret


@pytest.mark.behaviour("SSF-20")
@pytest.mark.parametrize("status", [200, 202, 204])
async def test_what_the_receiver_took_is_not_sent_again(
    listener: Caller, told: World, receiver: Receiver, clock: StandingClock, status: int
) -> None:
    receiver.status = status
    await listener.verify((await listener.begin())["stream_id"])
    await told.instance.outbox.run_due()
    await told.instance.schedules.run_due()
    clock.tick(timedelta(hours=2))
    await told.instance.catch_up()
    assert len(receiver.heard) == 1


@pytest.mark.behaviour("SSF-21")
@pytest.mark.parametrize("status", [201, 301, 302, 307, 400, 401, 403, 404, 429, 500])
async def test_what_it_did_not_take_is_sent_again_under_the_same_name(
    listener: Caller, told: World, receiver: Receiver, clock: StandingClock, status: int
) -> None:
    receiver.status = status
    await listener.verify((await listener.begin())["stream_id"], state="x")
    await told.instance.outbox.run_due()
    receiver.status = 202
    wake(told)
    clock.tick(timedelta(minutes=5))
    await told.instance.outbox.run_due()
    first, second = [await heard(told, body) for body in receiver.at(EVENTS)]
    assert first["jti"] == second["jti"]
    assert first["events"] == second["events"]
    assert second["iat"] > first["iat"]


@pytest.mark.behaviour("SSF-22")
async def test_a_receiver_that_hangs_for_a_day_leaves_a_dead_letter(
    listener: Caller, told: World, receiver: Receiver, clock: StandingClock
) -> None:
    receiver.fault = FetchFailed("TimeoutError")
    await listener.verify((await listener.begin())["stream_id"])
    for _ in range(60):
        wake(told)
        await told.instance.outbox.run_due()
        if (await told.platform.db.read(depth)).waiting == 0:
            break
        clock.tick(timedelta(minutes=30))
    (dead,) = await told.platform.db.read(dead_jobs)
    assert (dead.kind, dead.error) == ("federation.signal", "fetch_failed")


@pytest.mark.behaviour("SSF-23")
@pytest.mark.parametrize("answers", [("10.0.0.1",), (PUBLIC, "169.254.169.254"), (PUBLIC,)])
async def test_no_endpoint_leads_inside(
    database: Database, clock: StandingClock, tmp_path: Path, answers: tuple[str, ...]
) -> None:
    reached: list[str] = []

    class Network(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            reached.append(request.url.host)
            return httpx.Response(307, headers={"location": "http://127.0.0.1:9/"})

    fetcher = Fetcher(resolver=to(*answers), transport=Network())
    async with world_on(database, clock, tmp_path, post=fetcher) as world:
        told_web = WebClient(world.instance.application)
        listener = await caller(world, told_web, clock, domain="shop.example.com", openid=None)
        url = "https://shop.example.com/events"
        await listener.verify(
            (await listener.begin(delivery=DELIVERY | {"endpoint_url": url}))["stream_id"]
        )
        await world.instance.outbox.run_due()
        assert reached == ([PUBLIC] if answers == (PUBLIC,) else [])
        assert (await world.platform.db.read(depth)).waiting == 1
        await told_web.aclose()
    await fetcher.aclose()


@pytest.mark.behaviour("SSF-35")
async def test_the_algorithm_is_that_of_the_clients_id_tokens(
    told: World, told_web: WebClient, clock: StandingClock, receiver: Receiver
) -> None:
    metadata = CALLING | {"id_token_signed_response_alg": "ES256"}
    bank = await caller(told, told_web, clock, "bank", openid=metadata)
    await bank.verify((await bank.begin())["stream_id"])
    plain = await caller(told, told_web, clock, "plain", openid=None)
    url = f"{EVENTS}/plain"
    await plain.verify((await plain.begin(delivery=DELIVERY | {"endpoint_url": url}))["stream_id"])
    await told.instance.outbox.run_due()
    assert (await heard(told, receiver.at(EVENTS)[0], alg="ES256"))["aud"] == "bank"
    assert (await heard(told, receiver.at(url)[0]))["aud"] == "plain"


@pytest.mark.behaviour("SSF-36")
async def test_a_kill_between_commit_and_send_loses_nothing(
    told: World, listener: Caller, receiver: Receiver, clock: StandingClock
) -> None:
    await listener.verify((await listener.begin())["stream_id"])
    kinds = {"federation.signal": 10}
    rows, _ = await told.platform.db.transact(
        settle_and_lease, Settlement(), lease="lse_gone", free=kinds
    )
    assert len(rows) == 1
    await told.instance.outbox.run_due()
    assert receiver.heard == []
    clock.tick(31)
    await told.instance.outbox.run_due()
    assert len(receiver.heard) == 1


@pytest.mark.behaviour("SSF-37")
async def test_a_signal_without_a_job_is_ordered_by_the_sweep(
    told: World, listener: Caller, receiver: Receiver
) -> None:
    """Written by one transaction while another enables the stream: nobody orders it but the sweep."""
    await listener.begin()

    def written_while_paused() -> Step[None]:
        [row] = yield store.ALL.all()
        moment = yield MOMENT
        stream = read_stream(row._replace(status="paused"))
        yield from emit(
            parts_of(told), stream, SignalType.VERIFICATION, occurred_at=moment, cause="c", sid="x"
        )

    await told.platform.db.transact(written_while_paused)
    await told.instance.outbox.run_due()
    assert receiver.heard == []
    await told.platform.openid.streams.sweep()
    await told.instance.outbox.run_due()
    assert len(receiver.heard) == 1


@pytest.mark.behaviour("SSF-38")
async def test_signals_are_forgotten_after_thirty_days(
    told: World, listener: Caller, receiver: Receiver, clock: StandingClock
) -> None:
    stream = (await listener.begin())["stream_id"]
    await listener.put_status(stream, "paused")
    await listener.verify(stream)
    clock.tick(timedelta(days=31))
    await told.platform.openid.streams.sweep()
    listener.token = ""
    await listener.put_status(stream, "enabled")
    await told.instance.outbox.run_due()
    assert receiver.heard == []
