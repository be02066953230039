"""What the time-stamping authority remembers: serial numbers and the time, among processes and across restarts."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from inkan.crypto import der_values as der
from inkan.pki import store
from inkan.pki.model import Role
from inkan.pki.service import timestamps
from inkan.store.query import Query
from pki.hands import on_sqlite, rows
from pki.stamping import another, failure, failure_of, info_from, stamp
from support.clock import LevelClock

RESET = Query(
    sa.update(store.tsa)
    .where(store.tsa.c.name == sa.bindparam("key"))
    .values(block=sa.bindparam("back_to"))
)


@pytest.fixture
def clock():
    return LevelClock()


# --- serial numbers ----------------------------------------------------------------------------------


async def test_serial_numbers_are_unique_among_processes_and_leases(world):
    processes = [another(world) for _ in range(3)]
    found = []
    for each in processes:
        found.append(await info_from(each))
        world.clock.tick(1)
    for _ in range(3):
        calls = [info_from(each) for each in processes for _ in range(10)]
        found += await asyncio.gather(*calls)
        world.clock.tick(5)
    serials = [info.serial for info in found]
    assert len(set(serials)) == len(serials) == 93
    assert all(0 < serial < 2**159 for serial in serials)
    (row,) = await rows(world, store.tsa)
    assert row.block == len({serial >> 96 for serial in serials}) >= 9


@on_sqlite
async def test_an_old_copy_of_the_database_repeats_no_serial_number(world):
    first = await info_from(another(world))
    (row,) = await rows(world, store.tsa)

    def restore():
        yield RESET.run(back_to=row.block - 1, key=Role.TSA.value)

    await world.platform.db.transact(restore)
    world.clock.tick(2)
    second = await info_from(another(world))
    assert second.serial >> 96 == first.serial >> 96
    assert second.serial != first.serial


async def test_a_process_whose_clock_is_behind_lowers_no_mark(world):
    now, db = world.clock.now(), world.platform.db
    for at in (now, now - timedelta(seconds=9)):
        await db.transact(timestamps._take_lease, Role.TSA.value, at)
    (row,) = await rows(world, store.tsa)
    assert (row.block, row.stamped_until) == (2, now)


async def test_nothing_is_written_for_a_token(world):
    for _ in range(20):
        await stamp(world)
    (row,) = await rows(world, store.tsa)
    assert row.block == 1


# --- time --------------------------------------------------------------------------------------------


async def test_the_mark_covers_every_time_before_it_is_stamped(world):
    """Whatever kills the process: what it stamped lies at or before the mark that is in the database."""
    authority, last = another(world), None
    for passed in (0, 0.4, 0.7, 0.0, 3, 0.999, 0.002):
        world.clock.tick(passed)
        info = await info_from(authority)
        (row,) = await rows(world, store.tsa)
        assert info.at <= row.stamped_until
        assert last is None or info.at >= last
        last = info.at


async def test_a_clock_set_back_while_the_process_was_down_stamps_nothing_older(world):
    last = (await stamp(world)).info.at
    world.clock.step(-60)  # the process is down: the next one has nothing to compare with
    restarted = another(world)
    for _ in range(2):
        assert await failure_of(restarted) == "timeNotAvailable"
        world.clock.tick(20)
    world.clock.tick(21)
    assert (await info_from(restarted)).at > last


@on_sqlite
async def test_a_restart_within_a_lease_goes_on_after_it(world, monkeypatch):
    await stamp(world)
    (row,) = await rows(world, store.tsa)
    waited = []

    async def sleep(seconds):
        waited.append(seconds)
        world.clock.tick(seconds)

    monkeypatch.setattr(timestamps.asyncio, "sleep", sleep)
    assert (await info_from(another(world))).at == row.stamped_until
    assert waited == [0.75]


async def test_a_stepped_clock_stops_it_and_is_told_once(world):
    await stamp(world)
    world.clock.step(timedelta(minutes=5))
    for _ in range(3):
        assert await failure(world) == (200, "timeNotAvailable")
    world.clock.step(timedelta(minutes=-5))
    await stamp(world)
    await stamp(world)
    events = await world.events()
    assert events.count("pki.time_stopped") == events.count("pki.time_resumed") == 1


@on_sqlite
async def test_a_database_that_is_too_slow_to_lease_in_time(world):
    class Slow:
        async def transact(self, *arguments, **options):
            done = await world.platform.db.transact(*arguments, **options)
            world.clock.tick(2)
            return done

    assert await failure_of(another(world, db=Slow())) == "timeNotAvailable"


@on_sqlite
async def test_times_follow_one_another_however_many_ask(world):
    authority = another(world)

    async def ask(number):
        await asyncio.sleep(0)
        if number % 7 == 0:
            world.clock.tick(0.3)
        return await info_from(authority)

    infos = await asyncio.gather(*(ask(number) for number in range(60)))
    by_serial = sorted(infos, key=lambda info: (info.at, info.serial))
    assert len({info.serial for info in infos}) == 60
    assert [each.at for each in by_serial] == sorted(each.at for each in infos)


def test_a_serial_number_has_seventeen_octets():
    assert timestamps.MAX_BLOCK < 2**39
    token_serial = (2**38 + timestamps.MAX_BLOCK - 1) << 96
    assert len(der.integer(token_serial)) == 2 + 17
