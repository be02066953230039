"""The showcase relying party withstands every attack of the kit, over real HTTP."""

import pytest

from conformance.conftest import CODE, Surroundings, Town
from inkan.apps.showcase.tax_office import tax_office
from inkan.conformance import Item
from inkan.web.app import Application


def office(around: Surroundings) -> Application:
    return tax_office(
        origin=around.origin,
        credentials=around.credentials,
        anchors=around.anchors,
        clock=around.clock,
        is_test=True,
    )


@pytest.mark.req("TW-64")
async def test_the_tax_office_refuses_every_attack(town: Town) -> None:
    run = await town.serve(office)
    assert (await run.about()).system == CODE
    findings = await run.all()
    assert [finding.item for finding in findings] == list(Item)
    assert [finding for finding in findings if not finding.passed] == []
