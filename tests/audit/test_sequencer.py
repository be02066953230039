"""Every committed event gets an index once, whoever commits late, whoever sequences beside, whatever is forged."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
import sqlalchemy as sa

from audit.acts import ACTOR, MAC_KEY, act, new_audit
from inkan.audit import Audit, AuditLogBroken, store
from inkan.audit.rules import BATCH, HEAD_EVERY, HEAD_EVERY_EVENTS
from inkan.audit.service.events import Act, Macs, compose, leaf, row_of
from inkan.kernel.ids import EventID
from inkan.store.connect import database as database_of
from inkan.store.connect import sqlite_path
from inkan.store.database import Database, Step
from inkan.store.plan import Row
from inkan.store.query import Query
from support.clock import START, StandingClock

Write = Callable[[int], Awaitable[list[EventID]]]

ALL = Query(sa.select(store.event.c.id, store.event.c.position).order_by(store.event.c.position))
DROP_TIP = Query(store.tip.delete())
GROW_TIP = Query(store.tip.update().values(size=store.tip.c.size + 1))
SPOIL_TIP = Query(store.tip.update().values(chain=bytes(32)))
DROP_TILES = Query(store.tile.delete())
SHORTEN_TILES = Query(store.tile.update().values(hashes=b""))


def all_events() -> Step[list[Row]]:
    return (yield ALL.all())


def run(query: Query) -> Step[None]:
    yield query.run()


async def positions(database: Database) -> dict[str, int | None]:
    return {row.id: row.position for row in await database.read(all_events)}


async def test_events_are_numbered_without_gaps(
    audit: Audit, database: Database, write: Write
) -> None:
    ids = await write(BATCH + 3)
    assert await audit.sequence_once() == BATCH + 3
    assert await positions(database) == {event: index for index, event in enumerate(ids)}
    assert await audit.sequence_once() == 0


async def test_a_late_commit_is_not_skipped(audit: Audit, database: Database, write: Write) -> None:
    """Commit order is not the order of ids: an event that was composed first may be committed last."""

    def commit_late() -> Step[EventID]:
        long_ago = START - timedelta(hours=1)
        late, salt, digest = compose(long_ago, Act("tests.act", ACTOR, None, None, None))
        mac = Macs(MAC_KEY).event(leaf(late), salt)
        yield store.INSERT_EVENT.run(**row_of(late, salt=salt, digest=digest, mac=mac))
        return late.id

    ids = await write(5)
    assert await audit.sequence_once() == 5
    late = await database.transact(commit_late)
    assert late < ids[0]
    assert await audit.sequence_once() == 1
    assert (await positions(database))[late] == 5
    assert (await audit.verify()).is_intact


async def test_a_transaction_that_commits_late_is_not_skipped(postgresql_url: str) -> None:
    """The same as it happens: an insert is under way while its successors are committed and numbered."""
    database = database_of(postgresql_url, clock=StandingClock())
    await database.open()
    audit = new_audit(database)
    slow = await asyncpg.connect(postgresql_url)
    async with slow.transaction():
        late, salt, digest = compose(START, Act("tests.act", ACTOR, None, None, None))
        row = row_of(late, salt=salt, digest=digest, mac=Macs(MAC_KEY).event(leaf(late), salt))
        plan = store.INSERT_EVENT.plan("postgresql")
        await slow.execute(plan.sql, *plan.bind(row, database.now))
        for number in range(3):
            await database.transact(act, audit, number)
        assert await audit.sequence_once() == 3
    assert await audit.sequence_once() == 1
    assert (await positions(database))[late.id] == 3
    assert (await audit.verify()).is_intact
    await slow.close()
    await database.close()


@pytest.mark.race
async def test_rival_sequencers_number_each_event_once(
    audit: Audit, database: Database, write: Write
) -> None:
    await write(2 * BATCH)
    rivals = [new_audit(database) for _ in range(4)]
    numbered = await asyncio.gather(*(rival.sequence_once() for rival in rivals))
    total = sum(numbered) + await audit.sequence_once()
    assert total == 2 * BATCH
    assert sorted(filter_none(await positions(database))) == list(range(2 * BATCH))
    assert (await audit.verify()).is_intact


def filter_none(found: dict[str, int | None]) -> list[int]:
    return [position for position in found.values() if position is not None]


@pytest.mark.race
async def test_sequencing_beside_writers(audit: Audit, database: Database) -> None:
    writers = [database.transact(act, audit, number) for number in range(300)]
    rounds = asyncio.gather(*(new_audit(database).work() for _ in range(3)))
    ids = [await writer for writer in writers]
    await rounds
    await audit.sequence_once()
    assert set(await positions(database)) == set(ids)
    assert (await audit.verify()).is_intact


async def test_rival_heads_are_numbered_once(
    audit: Audit, database: Database, write: Write
) -> None:
    await write(3)
    await audit.sequence_once()
    heads = await asyncio.gather(*(new_audit(database).sign_head() for _ in range(4)))
    assert {head.number for head in heads if head} == {0}
    report = await audit.verify()
    assert (report.heads, report.is_intact) == (1, True)


async def test_a_restart_goes_on_where_the_log_ended(
    audit: Audit, database: Database, write: Write
) -> None:
    await write(40)
    await audit.sequence_once()
    await audit.sign_head()
    restarted = new_audit(database)
    await write(40)
    assert await restarted.sequence_once() == 40
    assert await restarted.sign_head() is not None
    report = await restarted.verify()
    assert (report.events, report.heads, report.is_intact) == (80, 2, True)


async def test_a_forged_event_gets_no_index(
    audit: Audit, database: Database, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody who can write to the database but has no key."""

    def forge() -> Step[str]:
        event, salt, digest = compose(START, Act("tests.act", ACTOR, None, None, None))
        yield store.INSERT_EVENT.run(**row_of(event, salt=salt, digest=digest, mac=bytes(32)))
        return event.id

    forged = await database.transact(forge)
    ids = await write(BATCH + 1)
    with caplog.at_level(logging.ERROR):
        assert await audit.sequence_once() == BATCH + 1
        assert await audit.sequence_once() == 0
    found = await positions(database)
    assert found.pop(forged) is None
    assert None not in found.values()
    assert set(found) == set(ids)
    assert [record.args for record in caplog.records] == [(forged,)]


async def test_heads_are_due_by_time(audit: Audit, write: Write, clock: StandingClock) -> None:
    await write(1)
    await audit.work()
    first = await audit.head()
    assert first is not None
    assert (first.number, first.size, first.at) == (0, 1, START)
    await write(1)
    clock.tick(HEAD_EVERY - timedelta(seconds=1))
    await audit.work()
    assert await audit.head() == first
    clock.tick(1)
    await audit.work()
    second = await audit.head()
    assert second is not None
    assert (second.number, second.size) == (1, 2)


async def test_heads_are_due_by_number(audit: Audit, write: Write) -> None:
    await write(1)
    await audit.work()
    await write(HEAD_EVERY_EVENTS - 1)
    await audit.work()
    assert (head := await audit.head()) is not None
    assert head.size == 1
    await write(1)
    await audit.work()
    assert (head := await audit.head()) is not None
    assert head.size == 1 + HEAD_EVERY_EVENTS


async def test_no_head_without_a_new_event(
    audit: Audit, write: Write, clock: StandingClock
) -> None:
    assert await audit.sign_head() is None
    await write(1)
    await audit.work()
    first = await audit.head()
    clock.tick(10 * HEAD_EVERY)
    await audit.work()
    assert await audit.sign_head() == first
    assert await audit.head() == first


@pytest.mark.parametrize("damage", [DROP_TIP, GROW_TIP, SPOIL_TIP, DROP_TILES, SHORTEN_TILES])
async def test_a_damaged_log_takes_nothing_more(
    audit: Audit, database: Database, write: Write, damage: Query
) -> None:
    await write(3)
    await audit.work()
    before = await positions(database)
    await database.transact(run, damage)
    fresh = await write(1)
    for step in (audit.sequence_once, audit.sign_head, audit.work):
        with pytest.raises(AuditLogBroken):
            await step()
    assert await positions(database) == before | {fresh[0]: None}


def test_pending_and_ordered_events_are_found_by_index(sqlite_url: str) -> None:
    """The two queries that run all day long must not walk through the log."""
    connection = sqlite3.connect(sqlite_path(sqlite_url))
    indices = {"ix_audit_event_pending": store.PENDING, "uq_audit_event_position": store.EVENTS}
    for index, query in indices.items():
        sql = query.plan("sqlite").sql
        arguments = (0,) * sql.count("?")
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", arguments)]
        assert len(plan) == 1
        assert f"USING INDEX {index}" in plan[0]
    connection.close()
