"""The event table: total over the events, a handler for every kind, schedules that may run twice."""

import ast
import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import inkan
from inkan.audit.store import event as events_table
from inkan.composition import events
from inkan.composition.running import background
from inkan.pki import CertificateRevoked
from inkan.store.outbox import Handler, depth, enqueue
from inkan.store.query import Query
from support.world import World

SOURCES = Path(inkan.__file__).parent


def event_types() -> set[type[msgspec.Struct]]:
    """Every Struct of a feature's model that carries a kind."""
    found = set()
    for module in pkgutil.iter_modules(inkan.__path__, "inkan."):
        try:
            model = importlib.import_module(f"{module.name}.model")
        except ModuleNotFoundError:
            continue
        for _, each in inspect.getmembers(model, inspect.isclass):
            if issubclass(each, msgspec.Struct) and isinstance(getattr(each, "kind", None), str):
                found.add(each)
    return found


def enqueued_kinds() -> Iterator[str]:
    """The first argument of every call of ``enqueue`` in the sources, evaluated in its module."""
    for path in SOURCES.rglob("*.py"):
        if path.is_relative_to(SOURCES / "store"):
            continue
        calls = [
            node
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name | ast.Attribute)
            and getattr(node.func, "id", getattr(node.func, "attr", "")) == "enqueue"
        ]
        if calls:
            name = ".".join(("inkan", *path.relative_to(SOURCES).with_suffix("").parts))
            module = importlib.import_module(name)
            for call in calls:
                yield eval(ast.unparse(call.args[0]), vars(module))


async def test_the_event_table_is_total(world: World) -> None:
    types = event_types()
    assert types
    assert set(events.reactions(world.platform)) == types
    assert len({each.kind for each in types}) == len(types)  # type: ignore[attr-defined]


async def test_every_kind_that_is_enqueued_has_a_handler(world: World) -> None:
    kinds = set(enqueued_kinds())
    assert len(kinds) >= 3
    handlers = events.handlers(world.platform)
    assert kinds - set(handlers) == set()
    assert all(isinstance(handler, Handler) for handler in handlers.values())


async def test_what_a_schedule_does_may_be_done_twice(world: World) -> None:
    """Twice at once and once more: the instance is as it was, its log intact."""
    agency = await world.agency()
    phone = await world.bind("chen")
    await world.identify(agency, phone)
    await world.instance.outbox.run_due()
    schedules = events.schedules(world.platform)
    for schedule in schedules.values():
        await schedule.work()
    before = await world.platform.db.scan(_counts)
    for name, schedule in schedules.items():
        works = [schedule.work(), schedule.work()]
        assert all(inspect.isawaitable(work) for work in works), name
        await asyncio.gather(*works)
    assert await world.platform.db.scan(_counts) == before
    await world.instance.outbox.run_due()
    assert (await world.platform.db.read(depth)).waiting == 0
    assert [each.state for each in await phone.phones()] == ["active"]
    assert await world.events()
    await agency.aclose()


def _counts():
    import sqlalchemy as sa

    counted = Query(
        sa.select(events_table.c.use_case, sa.func.count().label("n")).group_by(
            events_table.c.use_case
        )
    )
    rows = yield counted.all()
    return sorted((row.use_case, row.n) for row in rows)


async def test_an_event_that_cannot_be_delivered_comes_back(world: World) -> None:
    """A handler that meets bytes of another version fails; it neither loses the job nor stops the others."""
    await world.platform.db.transact(enqueue, CertificateRevoked.kind, b"{}")
    await world.instance.outbox.run_due()
    assert world.instance.outbox.failed == 1
    assert (await world.platform.db.read(depth)).waiting == 1


async def test_an_instance_whose_background_work_dies_ends() -> None:
    async def dies() -> None:
        await asyncio.sleep(0)
        raise LookupError("the outbox is gone")

    async def live() -> None:
        async with background(dies(), asyncio.sleep(3600)):
            await asyncio.sleep(3600)

    with pytest.raises(LookupError, match="the outbox is gone"):
        async with asyncio.timeout(10):
            await live()


async def test_background_work_that_returns_early_is_a_death_too() -> None:
    async def returns() -> None:
        await asyncio.sleep(0)

    async def live() -> None:
        async with background(returns()):
            await asyncio.sleep(3600)

    with pytest.raises(RuntimeError, match="ended"):
        async with asyncio.timeout(10):
            await live()


async def test_background_work_ends_with_the_block() -> None:
    ended = asyncio.Event()

    async def works() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async with background(works()):
        await asyncio.sleep(0)
    assert ended.is_set()


async def test_the_blocks_own_failure_is_what_is_heard() -> None:
    async def works() -> None:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            raise LookupError("while stopping") from None

    async def live() -> None:
        async with background(works()):
            await asyncio.sleep(0)
            raise KeyError

    with pytest.raises(KeyError):
        await live()
