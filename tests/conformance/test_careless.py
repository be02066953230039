"""A careless relying party fails exactly the attacks that its carelessness lets through, and a dead one fails all."""

import pytest

from conformance.careless import CarelessParty
from conformance.carelessness import FAILS, Careless
from conformance.conftest import Surroundings, Town
from inkan.conformance import EndpointWrong, Item, Run, TestEndpoint
from inkan.web.app import Application
from inkan.web.response import Response

ITEMS = list(Item)
BITS = range(len(ITEMS).bit_length())


async def party(town: Town) -> tuple[CarelessParty, Run]:
    made: list[CarelessParty] = []

    def build(around: Surroundings) -> Application:
        made.append(CarelessParty(around, transport=town.transport))
        return made[0].application()

    run = await town.serve(build)
    return made[0], run


async def failed(run: Run, items: list[Item] = ITEMS) -> set[Item]:
    return {finding.item for finding in await run.all(items) if not finding.passed}


def test_every_carelessness_has_its_attack_and_every_attack_a_carelessness() -> None:
    assert set(FAILS) == set(Careless)
    assert set(FAILS.values()) == set(Item)


async def test_each_carelessness_fails_its_attack(town: Town) -> None:
    careless, run = await party(town)
    assert await failed(run) == set()
    survived = []
    for switch in Careless:
        careless.switches = {switch}
        if await failed(run, [FAILS[switch]]) != {FAILS[switch]}:
            survived.append(switch)
    assert survived == []


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("bit", BITS)
async def test_no_carelessness_fails_another_attack(town: Town, bit: int, value: int) -> None:
    """Two attacks differ in some bit of their numbers, so for each pair one round has the one's switches on alone."""
    careless, run = await party(town)
    weak = {item for number, item in enumerate(ITEMS) if number >> bit & 1 == value}
    careless.switches = {switch for switch, item in FAILS.items() if item in weak}
    assert await failed(run) == weak


async def test_who_answers_nothing_passes_nothing(town: Town) -> None:
    """Refusing everything is no conformance: a legal run has to succeed."""
    careless, run = await party(town)

    async def dead(*_: object) -> Response:
        return Response(503)

    careless.call = dead  # type: ignore[assignment,method-assign]
    findings = await run.all()
    assert [finding.item for finding in findings if finding.passed] == []
    assert all("legal run failed" in (finding.detail or "") for finding in findings)


async def test_one_that_is_configured_for_another_platform_is_not_attacked(town: Town) -> None:
    _, run = await party(town)
    town.platform.issuer = "https://id.example"
    with pytest.raises(EndpointWrong, match="configured for"):
        await run.all()


async def test_nobody_there_is_an_endpoint_that_is_wrong(town: Town) -> None:
    nobody = TestEndpoint(f"{town.platform.issuer}/nothing", town.transport)
    with pytest.raises(EndpointWrong):
        await Run(town.platform, nobody).all()
