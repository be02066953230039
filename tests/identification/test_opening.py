"""What comes between reading a question by its code and opening it: the answer is the one of how it stands then."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from identification.answers import frame_of
from identification.callers import SystemCaller
from identification.rivals import Interposed, principal
from inkan.client import Phone
from inkan.identification.service import opening
from inkan.kernel.errors import InkanError
from support.world import World

pytestmark = pytest.mark.race


async def opened_late(
    world: World, phone: Phone, made: Any, between: Callable[[], Awaitable[Any]]
) -> opening.Opened | str:
    """Open by the code, with something between the reading and the transaction; a refusal's code."""
    parts = world.platform.identification._parts
    try:
        return await opening.open_by_frame(
            replace(parts, db=Interposed(parts.db, between)),
            await principal(world, phone),
            frame=frame_of(made["doors"]["qr"]),
            lang="en",
            arrived=parts.db.now(),
        )
    except InkanError as refused:
        return refused.code


async def openings(world: World) -> int:
    return (await world.events()).count("identification.session_opened")


async def test_another_phone_was_first(world: World, phone: Phone, made: Any) -> None:
    other = await world.bind("lin")

    async def rival() -> None:
        await other.open_frame(frame_of(made["doors"]["qr"]))

    assert await opened_late(world, phone, made, rival) == "opened_elsewhere"
    assert await openings(world) == 1


async def test_the_same_phone_was_first(world: World, phone: Phone, made: Any) -> None:
    found: list[Any] = []

    async def itself() -> None:
        found.append(await phone.open_frame(frame_of(made["doors"]["qr"])))

    late = await opened_late(world, phone, made, itself)
    assert isinstance(late, opening.Opened)
    assert late.approval == found[0].id
    again = await phone.open_frame(frame_of(made["doors"]["qr"]))
    assert again.draft == found[0].draft  # one draft, whoever asked for it first


async def test_it_was_cancelled(
    world: World, phone: Phone, made: Any, system: SystemCaller
) -> None:
    session = made["session"]["id"]

    async def cancel() -> None:
        await system.call("POST", f"/v1/sessions/{session}/cancel")

    assert await opened_late(world, phone, made, cancel) == "approval_ended"
    assert await openings(world) == 0


async def test_it_was_opened_and_given_back(world: World, phone: Phone, made: Any) -> None:
    other = await world.bind("lin")

    async def back_and_forth() -> None:
        held = await other.open_frame(frame_of(made["doors"]["qr"]))
        await other.give_back(held.id)

    assert await opened_late(world, phone, made, back_and_forth) == "qr_frame_stale"
    assert await openings(world) == 1


async def test_it_is_read_once_when_nothing_comes_between(
    world: World, phone: Phone, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    approvals = world.platform.identification._parts.approvals

    def get(_: str) -> Any:
        raise AssertionError("it was read a moment ago")

    monkeypatch.setattr(approvals, "get", get)
    found = await opened_late(world, phone, made, _nothing)
    assert isinstance(found, opening.Opened)


async def _nothing() -> None:
    """Nothing comes between."""
