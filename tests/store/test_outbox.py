"""Jobs: delivered once, at their time, and again when their key comes again."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from inkan.kernel.clock import Clock
from inkan.store.connect import database as database_of
from inkan.store.database import Database, Step
from inkan.store.outbox import Handler, Job, Outbox, cancel, enqueue
from inkan.store.outbox.worker import LOOK
from support.clock import START, StandingClock
from support.receiver import Receiver, is_empty, running, waiting
from support.things import Refused, add, ids
from support.waiting import eventually


class Mail(msgspec.Struct):
    to: str
    lines: list[str]


# --- delivery ---------------------------------------------------------------------------------------


async def test_a_job_is_delivered_and_gone(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    outbox = Outbox(database, {"mail": receiver.handler()})
    mail = Mail("王", ["a", "b"])
    await database.transact(enqueue, "mail", mail, key="k")
    assert await outbox.run_due() == 1
    (job,) = receiver.jobs
    assert (job.kind, job.key, job.tried, job.enqueued_at) == ("mail", "k", 1, START)
    assert job.decode(Mail) == mail
    assert await waiting(database) == 0
    assert (outbox.delivered, outbox.failed, outbox.died, outbox.running) == (1, 0, 0, 0)
    assert await outbox.run_due() == 0


async def test_a_job_comes_with_its_transaction_or_not_at_all(
    db: Database, receiver: Receiver
) -> None:
    def body(name: str, *, refuse: bool) -> Step[None]:
        yield from add(name)
        yield from enqueue("mail", name.encode())
        if refuse:
            raise Refused

    await db.transact(body, "a", refuse=False)
    with pytest.raises(Refused):
        await db.transact(body, "b", refuse=True)
    await Outbox(db, {"mail": receiver.handler()}).run_due()
    assert await db.read(ids) == ["a"]
    assert [job.payload for job in receiver.jobs] == [b"a"]


async def test_a_job_waits_for_its_date(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    outbox = Outbox(database, {"mail": receiver.handler()})
    await database.transact(enqueue, "mail", due=START + timedelta(seconds=30))
    clock.tick(29.999)
    assert await outbox.run_due() == 0
    clock.tick(0.001)
    assert await outbox.run_due() == 1


async def test_jobs_are_delivered_in_the_order_of_their_dates(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    for seconds in (3, 1, 2):
        due = START + timedelta(seconds=seconds)
        await database.transact(enqueue, "mail", str(seconds).encode(), due=due)
    clock.tick(10)
    await Outbox(database, {"mail": receiver.handler(concurrency=1)}).run_due()
    assert [job.payload for job in receiver.jobs] == [b"1", b"2", b"3"]


async def test_a_worker_takes_only_what_it_can_handle(
    database: Database, receiver: Receiver
) -> None:
    await database.transact(enqueue, "mail")
    await database.transact(enqueue, "fax")
    assert await Outbox(database, {"mail": receiver.handler()}).run_due() == 1
    assert await waiting(database) == 1
    assert await Outbox(database, {"fax": receiver.handler()}).run_due() == 1
    assert await Outbox(database, {}).run_due() == 0


async def test_a_job_may_leave_another(database: Database, receiver: Receiver) -> None:
    async def chain(job: Job) -> None:
        if int(job.payload):
            await database.transact(enqueue, "chain", b"%d" % (int(job.payload) - 1))

    await database.transact(enqueue, "chain", b"3")
    assert await Outbox(database, {"chain": Handler(chain)}).run_due() == 4


async def test_a_running_worker_hears_at_once(database: Database, receiver: Receiver) -> None:
    async with running(Outbox(database, {"mail": receiver.handler()})) as outbox:
        await asyncio.sleep(0.05)
        for number in range(3):
            await database.transact(enqueue, "mail", b"%d" % number)
            async with asyncio.timeout(LOOK.total_seconds() / 2):
                await eventually(lambda n=number: outbox.delivered == n + 1)  # type: ignore[misc]
        await eventually(lambda: is_empty(database))


async def test_a_running_worker_minds_dates(database_url: str, receiver: Receiver) -> None:
    """On a clock that runs."""
    db = database_of(database_url, clock=Clock())
    await db.open()
    async with running(Outbox(db, {"mail": receiver.handler()})) as outbox:
        due = db.now() + timedelta(milliseconds=150)
        await db.transact(enqueue, "mail", due=due)
        await eventually(lambda: outbox.delivered == 1)
        assert db.now() >= due
    await db.close()


# --- keys -------------------------------------------------------------------------------------------


async def test_a_key_waits_once(database: Database, receiver: Receiver) -> None:
    outbox = Outbox(database, {"mail": receiver.handler()})
    for payload in (b"first", b"second"):
        await database.transact(enqueue, "mail", payload, key="k")
    await database.transact(enqueue, "mail", b"other", key="l")
    assert await outbox.run_due() == 2
    assert sorted(job.payload for job in receiver.jobs) == [b"first", b"other"]
    await database.transact(enqueue, "mail", b"third", key="k")
    assert await outbox.run_due() == 1


async def test_a_key_that_comes_during_delivery_is_delivered_again(
    database: Database, receiver: Receiver
) -> None:
    """Who marks something dirty while it is being cleaned has it cleaned once more."""
    receiver.gate.clear()
    async with running(Outbox(database, {"mail": receiver.handler()})):
        await database.transact(enqueue, "mail", b"first", key="k")
        await eventually(lambda: len(receiver.jobs) == 1)
        for payload in (b"second", b"third"):
            await database.transact(enqueue, "mail", payload, key="k")
        await asyncio.sleep(0.05)
        assert receiver.most == 1, "never two of one key side by side"
        receiver.gate.set()
        await eventually(lambda: is_empty(database))
    assert [(job.payload, job.tried) for job in receiver.jobs] == [(b"first", 1), (b"third", 1)]
    assert receiver.jobs[0].id == receiver.jobs[1].id


async def test_a_job_is_cancelled_by_its_key(database: Database, receiver: Receiver) -> None:
    await database.transact(enqueue, "mail", key="k")
    assert await database.transact(cancel, "k")
    assert not await database.transact(cancel, "k")
    assert await Outbox(database, {"mail": receiver.handler()}).run_due() == 0


async def test_a_failing_job_that_was_cancelled_does_not_come_back(
    database: Database, receiver: Receiver, clock: StandingClock
) -> None:
    receiver.fail = lambda _: Refused()
    receiver.gate.clear()
    async with running(Outbox(database, {"mail": receiver.handler()})) as outbox:
        await database.transact(enqueue, "mail", key="k")
        await eventually(lambda: receiver.now == 1)
        assert await database.transact(cancel, "k")
        receiver.gate.set()
        await eventually(lambda: outbox.failed == 1)
    assert await waiting(database) == 0
