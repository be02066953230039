"""The cache of evidence: bounded, one flight for a key, never longer than its life."""

import asyncio
from datetime import timedelta

import pytest

from inkan.pki import StatusUnavailable
from inkan.pki.service.evidence_cache import Evidence, EvidenceCache
from support.clock import StandingClock

HOUR = timedelta(hours=1)


class Source:
    """Counts how often it was asked."""

    def __init__(self, clock: StandingClock, der: bytes = b"der") -> None:
        self.clock = clock
        self.der = der
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = False
        self.age = timedelta(0)

    async def __call__(self) -> Evidence:
        self.asked += 1
        await self.gate.wait()
        if self.fails:
            raise StatusUnavailable("down")
        now = self.clock.now() - self.age
        return Evidence(self.der, now, now + 10 * HOUR)


@pytest.fixture
def cache(clock: StandingClock) -> EvidenceCache:
    return EvidenceCache(clock=clock, life=HOUR, limit_bytes=100, limit_entries=3)


async def test_it_is_asked_again_at_the_end_of_its_life(cache, clock):
    source = Source(clock)
    for _ in range(3):
        assert await cache.get("a", source) == b"der"
    assert source.asked == 1
    clock.tick(HOUR)
    await cache.get("a", source)
    assert source.asked == 2


async def test_a_refusal_reaches_all_who_wait_and_is_not_kept(cache, clock):
    source = Source(clock)
    source.fails = True
    source.gate.clear()
    waiting = [asyncio.create_task(cache.get("a", source)) for _ in range(4)]
    await asyncio.sleep(0)
    source.gate.set()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(end) for end in ends] == [StatusUnavailable] * 4
    assert source.asked == 1
    source.fails = False
    assert await cache.get("a", source) == b"der"


async def test_whoever_gives_up_takes_nothing_from_the_others(cache, clock):
    source = Source(clock)
    source.gate.clear()
    first = asyncio.create_task(cache.get("a", source))
    second = asyncio.create_task(cache.get("a", source))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    source.gate.set()
    assert await second == b"der"
    assert source.asked == 1


async def test_a_refusal_that_nobody_hears_is_no_noise(cache, clock):
    source = Source(clock)
    source.fails = True
    source.gate.clear()
    only = asyncio.create_task(cache.get("a", source))
    await asyncio.sleep(0)
    only.cancel()
    await asyncio.gather(only, return_exceptions=True)
    source.gate.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert cache._flights == {}


async def test_the_least_used_goes_first(cache, clock):
    sources = {key: Source(clock) for key in "abcd"}
    for key in "abc":
        await cache.get(key, sources[key])
    await cache.get("a", sources["a"])
    await cache.get("d", sources["d"])
    assert set(cache._held) == {"a", "c", "d"}


async def test_it_holds_so_many_bytes_and_no_more(cache, clock):
    for key, size in (("a", 60), ("b", 30), ("c", 30), ("d", 101)):
        assert len(await cache.get(key, Source(clock, bytes(size)))) == size
        assert cache._size == sum(len(held.evidence.der) for held in cache._held.values()) <= 100
    assert not cache._held


async def test_an_older_one_does_not_take_the_place_of_a_newer(cache, clock):
    await cache.get("a", Source(clock, b"new"))
    clock.tick(HOUR)
    old = Source(clock, b"old")
    old.age = 2 * HOUR
    assert await cache.get("a", old) == b"new"
    assert await cache.get("a", Source(clock, b"newer")) == b"new"  # kept for a life again
    clock.tick(HOUR)
    assert await cache.get("a", Source(clock, b"newer")) == b"newer"
