"""Wake-up calls inside one process."""

import asyncio

import pytest

from inkan.store.bus import Bus


async def test_a_call_wakes_who_waits() -> None:
    bus = Bus()
    async with (
        bus.subscribe("a") as first,
        bus.subscribe("a") as second,
        bus.subscribe("b") as third,
    ):
        waits = [asyncio.create_task(each.wait(0.2)) for each in (first, second, third)]
        await asyncio.sleep(0)
        bus.publish(["a", "nobody"])
        assert await asyncio.gather(*waits) == [True, True, False]


async def test_a_call_before_the_wait_is_kept_and_kept_once() -> None:
    bus = Bus()
    async with bus.subscribe("a") as subscription:
        bus.publish(["a"])
        bus.publish(["a"])
        assert await subscription.wait(10)
        assert not await subscription.wait(0.001)


async def test_a_call_before_entering_is_not_heard() -> None:
    bus = Bus()
    subscription = bus.subscribe("a")
    bus.publish(["a"])
    async with subscription:
        assert not await subscription.wait(0)


async def test_a_cancelled_wait_loses_no_call() -> None:
    bus = Bus()
    async with bus.subscribe("a") as subscription:
        waiting = asyncio.create_task(subscription.wait(10))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        bus.publish(["a"])
        assert await subscription.wait(10)


async def test_who_has_left_is_forgotten() -> None:
    bus = Bus()
    async with bus.subscribe("a") as first:
        async with bus.subscribe("a"):
            assert len(bus.waiters["a"]) == 2
        assert bus.waiters["a"] == {first}
    assert bus.waiters == {}


async def test_who_leaves_on_being_woken_disturbs_no_other() -> None:
    bus = Bus()

    async def wait_and_leave() -> bool:
        async with bus.subscribe("a") as subscription:
            return await subscription.wait(10)

    waits = [asyncio.create_task(wait_and_leave()) for _ in range(5)]
    await asyncio.sleep(0)
    bus.publish(["a"])
    assert all(await asyncio.gather(*waits))
    assert bus.waiters == {}


async def test_all_can_be_woken() -> None:
    bus = Bus()
    async with bus.subscribe("a") as first, bus.subscribe("b") as second:
        bus.wake_all()
        assert await first.wait(0)
        assert await second.wait(0)
