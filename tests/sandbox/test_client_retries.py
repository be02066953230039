"""The relying party's client before a sandbox with faults: what is asked again opens nothing twice."""

from types import SimpleNamespace
from typing import Any

import pytest

from inkan.client import NO_PATIENCE, CallTooMany, CallUnavailable, Patience, RelyingParty, http
from sandbox.conftest import Town
from support.asgi import Reply

STUBBORN = Patience(pauses_s=(0.0,) * 40, longest_s=5.0, spread_s=0.0)


def stubborn(town: Town, patience: Patience = STUBBORN) -> RelyingParty:
    return RelyingParty(
        town.agency._calls.credentials,
        clock=town.world.clock,
        transport=town.world.transport,
        patience=patience,
    )


async def faulty(town: Town, **members: Any) -> Reply:
    reply = await town.developer.call("PUT", "faults", members)
    assert reply.status == 200, reply.text
    return reply


async def opened(town: Town) -> int:
    return (await town.world.events()).count("identification.session_created")


async def test_refusals_on_purpose_are_outlasted_and_nothing_is_opened_twice(small: Town) -> None:
    inkan = stubborn(small)
    await faulty(
        small,
        error_rate=0.5,
        errors=["rate_exceeded", "internal", "unavailable"],
        retry_after_s=1,
        seed=7,
    )
    quick = RelyingParty(
        inkan._calls.credentials,
        clock=small.world.clock,
        transport=small.world.transport,
        patience=NO_PATIENCE,
    )
    refused = 0
    for _ in range(10):
        try:
            await quick.status()
            await quick.limits()
        except (CallTooMany, CallUnavailable):
            refused += 1
    assert refused  # the faults are there
    before = await opened(small)
    made = [await inkan.create_session("identify", purpose="login") for _ in range(4)]
    assert len({session.id for session in made}) == 4
    assert await opened(small) == before + 4


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_platform_says_when_and_the_client_waits_so_long(
    small: Town, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(http, "asyncio", SimpleNamespace(sleep=sleep))
    await faulty(small, error_rate=0.5, errors=["rate_exceeded"], retry_after_s=4, seed=seed)
    inkan = stubborn(small)
    for _ in range(4):
        await inkan.create_session("identify", purpose="login")
    assert set(pauses) == {4.0}
