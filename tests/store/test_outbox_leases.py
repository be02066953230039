"""Jobs that fail, workers that die: nothing lost, seldom twice, in the end dead."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.errors import Conflict, Unavailable
from inkan.store.connect import database as database_of
from inkan.store.database import Database, StoreUnreachable
from inkan.store.outbox import LEASE, Outbox, dead_jobs, enqueue, revive, worker
from inkan.store.outbox.worker import FIRST_PAUSE, LONGEST_PAUSE, pause_after
from support.clock import StandingClock
from support.receiver import Receiver, is_empty, running, waiting
from support.waiting import eventually

# --- failing ----------------------------------------------------------------------------------------


async def test_a_failed_job_comes_back_after_growing_pauses_and_dies(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    class GatewayRefused(Conflict):
        code = "gateway_refused"

    receiver.fail = lambda _: GatewayRefused("0912-345-678")
    outbox = Outbox(database, {"mail": receiver.handler(tries=4)})
    await database.transact(enqueue, "mail", b"x", key="k")
    for tried in range(1, 4):
        assert await outbox.run_due() == 1
        clock.tick(FIRST_PAUSE * 2 ** (tried - 1) / 2 - timedelta(microseconds=1))
        assert await outbox.run_due() == 0, "half of the pause is certain"
        clock.tick(FIRST_PAUSE * 2 ** (tried - 1) / 2 + timedelta(microseconds=1))
    assert await outbox.run_due() == 1
    assert [job.tried for job in receiver.jobs] == [1, 2, 3, 4]
    assert len({job.id for job in receiver.jobs}) == 1, "a receiver can tell a repetition"
    assert (outbox.delivered, outbox.failed, outbox.died) == (0, 4, 1)
    assert await waiting(database) == 0
    (dead,) = await database.read(dead_jobs)
    assert (dead.kind, dead.tries, dead.error) == ("mail", 4, "gateway_refused")
    assert dead.died_at == clock.now()

    receiver.fail = lambda _: None
    assert await database.transact(revive, dead.id)
    assert not await database.transact(revive, dead.id)
    assert await outbox.run_due() == 1
    assert (receiver.jobs[-1].payload, receiver.jobs[-1].key, receiver.jobs[-1].tried) == (
        b"x",
        "k",
        1,
    )
    assert await database.read(dead_jobs) == []


async def test_an_unforeseen_error_is_a_failed_try(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    receiver.fail = lambda job: ZeroDivisionError() if job.tried == 1 else None
    outbox = Outbox(database, {"mail": receiver.handler()})
    await database.transact(enqueue, "mail")
    await outbox.run_due()
    clock.tick(1)
    await outbox.run_due()
    assert (outbox.delivered, outbox.failed) == (1, 1)


async def test_a_try_that_takes_too_long_is_ended(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    receiver.gate.clear()
    outbox = Outbox(database, {"mail": receiver.handler(timeout=timedelta(milliseconds=30))})
    await database.transact(enqueue, "mail")
    assert await outbox.run_due() == 1
    assert (outbox.failed, receiver.now) == (1, 0)
    assert await waiting(database) == 1


def test_a_try_ends_before_its_lease(receiver: Receiver) -> None:
    with pytest.raises(ValueError, match="lease"):
        receiver.handler(timeout=LEASE)


@given(st.integers(1, 10_000))
def test_pauses_grow_to_an_hour_and_vary(tried: int) -> None:
    longest = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(tried - 1, 30))
    assert longest / 2 <= pause_after(tried) <= longest


def test_pauses_of_many_jobs_are_spread() -> None:
    assert len({pause_after(8) for _ in range(50)}) > 40


# --- leases -----------------------------------------------------------------------------------------


async def test_a_job_dies_when_its_next_try_would_outlive_it(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    receiver.fail = lambda _: Conflict()
    life = timedelta(seconds=20)
    outbox = Outbox(database, {"mail": receiver.handler(tries=1000, life=life)})
    await database.transact(enqueue, "mail", b"x")
    for _ in range(300):
        await outbox.run_due()
        clock.tick(timedelta(milliseconds=100))
    assert await waiting(database) == 0
    assert 5 <= len(receiver.jobs) <= 7  # pauses of 1, 2, 4, 8 s, each cut by up to a half
    assert outbox.died == 1
    (dead,) = await database.read(dead_jobs)
    assert dead.error == "conflict"
    assert await database.transact(revive, dead.id)


async def test_a_job_of_a_dead_worker_is_delivered_by_another_after_the_lease(
    database_url: str, database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    """The worker dies between the delivery and its being written down."""
    await database.transact(enqueue, "mail")
    dying = database_of(database_url, clock=clock)
    await dying.open()
    first = Outbox(dying, {"mail": receiver.handler()})
    await first._turn()
    await asyncio.gather(*first._tasks)
    await dying.close()

    second = Outbox(database, {"mail": receiver.handler()})
    clock.tick(LEASE - timedelta(microseconds=1))
    assert await second.run_due() == 0
    clock.tick(timedelta(microseconds=1))
    assert await second.run_due() == 1
    assert [job.tried for job in receiver.jobs] == [1, 2]
    assert await waiting(database) == 0


async def test_a_worker_that_lost_its_lease_settles_nothing(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    slow, quick = (Outbox(database, {"mail": receiver.handler()}) for _ in range(2))
    await database.transact(enqueue, "mail")
    receiver.gate.clear()
    await slow._turn()
    await asyncio.sleep(0)
    clock.tick(LEASE)
    await quick._turn()
    receiver.gate.set()
    await asyncio.gather(*slow._tasks, *quick._tasks)
    await slow._turn()
    assert await waiting(database) == 1, "the lease is the other's now"
    await quick._turn()
    assert await waiting(database) == 0


async def test_a_job_that_kills_its_worker_dies_in_the_end(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    """A try counts when it is begun, so that a crash is a failed try."""
    await database.transact(enqueue, "mail")
    for _ in range(3):
        crashing = Outbox(database, {"mail": receiver.handler(tries=3)})
        await crashing._turn()
        await asyncio.sleep(0)
        for task in crashing._tasks:
            task.cancel()
        await asyncio.gather(*crashing._tasks, return_exceptions=True)
        clock.tick(LEASE)
    last = Outbox(database, {"mail": receiver.handler(tries=3)})
    assert await last.run_due() == 0, "it shall not have the next worker too"
    assert (last.died, len(receiver.jobs)) == (1, 3)
    (dead,) = await database.read(dead_jobs)
    assert (dead.error, dead.tries) == ("worker_died", 4)


async def test_a_stopped_worker_gives_back_what_it_holds(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    receiver.gate.clear()
    async with running(Outbox(database, {"mail": receiver.handler()})):
        for _ in range(3):
            await database.transact(enqueue, "mail")
        await eventually(lambda: receiver.now == 3)
    assert receiver.now == 0
    receiver.gate.set()
    assert await Outbox(database, {"mail": receiver.handler()}).run_due() == 3
    assert {job.tried for job in receiver.jobs} == {1}, "being stopped is no failed try"


async def test_a_worker_stopped_in_the_midst_of_a_turn_loses_nothing(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    for number in range(30):
        await database.transact(enqueue, "mail", b"%d" % number)
        task = asyncio.create_task(Outbox(database, {"mail": receiver.handler()}).run())
        for _ in range(number % 7):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await Outbox(database, {"mail": receiver.handler()}).run_due()
    # One whose lease was written while nobody listened any more comes back when the lease is over.
    clock.tick(LEASE)
    await Outbox(database, {"mail": receiver.handler()}).run_due()
    assert {job.payload for job in receiver.jobs} == {b"%d" % number for number in range(30)}
    assert await waiting(database) == 0


async def test_a_kind_takes_no_more_than_its_places(database: Database, receiver: Receiver) -> None:
    others = Receiver()
    receiver.gate.clear()
    handlers = {"slow": receiver.handler(concurrency=2), "quick": others.handler(concurrency=3)}
    for number in range(8):
        await database.transact(enqueue, "slow" if number < 5 else "quick")
    async with running(Outbox(database, handlers)) as outbox:
        await eventually(lambda: len(others.jobs) == 3)
        assert (receiver.now, outbox.running) == (2, 2), "the slow ones hold nobody up"
        receiver.gate.set()
        await eventually(lambda: is_empty(database))
    assert (receiver.most, len(receiver.jobs)) == (2, 5)


@pytest.mark.race
async def test_many_workers_deliver_each_job_once(
    database_url: str, database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    others = [database]
    if database.dialect == "postgresql":
        others += [database_of(database_url, clock=clock, connections=4) for _ in range(2)]
        for other in others[1:]:
            await other.open()
    for number in range(200):
        await database.transact(enqueue, "mail", b"%d" % number)
    workers = [Outbox(db, {"mail": receiver.handler()}) for db in others * 2]
    await asyncio.gather(*(each.run_due() for each in workers))
    assert Counter(job.payload for job in receiver.jobs) == Counter(b"%d" % n for n in range(200))
    assert await waiting(database) == 0
    assert sum(each.delivered for each in workers) == 200
    for other in others[1:]:
        await other.close()


async def test_a_worker_survives_a_database_that_goes_away(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on when the database is back, and has not forgotten what it delivered meanwhile."""
    real, failures = database.transact, Counter[str]()

    def transact(body: Any, *args: Any, **kwargs: Any) -> Any:
        stage = "settling" if args and args[0] else "leasing"
        if failures[stage] < 2:
            failures[stage] += 1
            raise StoreUnreachable
        return real(body, *args, **kwargs)

    monkeypatch.setattr(worker, "FIRST_PAUSE", timedelta(milliseconds=1))
    await database.transact(enqueue, "mail")
    monkeypatch.setattr(database, "transact", transact)
    async with running(Outbox(database, {"mail": receiver.handler()})) as outbox:
        await eventually(lambda: outbox.delivered == 1)
        await eventually(lambda: is_empty(database))
    assert failures == {"leasing": 2, "settling": 2}
    assert len(receiver.jobs) == 1


async def test_whoever_asks_to_be_left_alone_is(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    class GatewayBusy(Unavailable):
        code = "gateway_busy"

    asked = {1: 300, 2: 0, 3: 10**9, 4: 0}
    receiver.fail = lambda job: GatewayBusy(retry_after_s=asked[job.tried])
    outbox = Outbox(database, {"mail": receiver.handler()})
    await database.transact(enqueue, "mail")
    await outbox.run_due()
    clock.tick(299)
    assert await outbox.run_due() == 0
    clock.tick(1)
    assert await outbox.run_due() == 1
    clock.tick(2)
    assert await outbox.run_due() == 1, "a shorter wish does not shorten the pause, nor does none"
    clock.tick(LONGEST_PAUSE)
    assert (await outbox.run_due(), outbox.delivered) == (1, 0)
