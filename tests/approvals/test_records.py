"""Usage records as their person reads them: page after page, nothing lost, nobody else's."""

from typing import Any

import pytest

from approvals.samples import CHEN, LIN
from inkan.approvals import Approvals, Opener, UsageRecord
from inkan.kernel.ids import EventID
from inkan.store.database import Database
from inkan.wire.session import Outcome
from people.persons import sealer
from support.clock import StandingClock

PAGE = 50


async def note(database: Database, approvals: Approvals, opener: Opener, count: int) -> None:
    for number in range(count):
        detail: dict[str, Any] = {"purpose": {"en": f"use {number}"}}
        await database.transact(
            approvals.note_use,
            opener=opener,
            outcome=Outcome.OK,
            detail=detail,
            event=EventID(f"evt_{opener.person}_{number}"),
        )


async def pages(database: Database, approvals: Approvals, person: Any) -> list[list[UsageRecord]]:
    """Every page of a person's list."""
    first = await database.read(approvals.records, person, before=database.now().replace(year=2030))
    found = [first]
    while len(found[-1]) == PAGE:
        found.append(await database.read(approvals.records_below, person, found[-1][-1].id))
    return found


@pytest.mark.req("TW-38")
@pytest.mark.parametrize("seconds", [0, 1], ids=["of one instant", "one a second"])
async def test_no_record_is_lost_or_doubled_between_pages(
    database: Database, clock: StandingClock, seconds: int
) -> None:
    approvals = Approvals(sealer=sealer())
    for _ in range(3):
        await note(database, approvals, CHEN, 40)
        await note(database, approvals, LIN, 3)
        clock.tick(seconds)
    found = await pages(database, approvals, CHEN.person)
    assert [len(page) for page in found] == [50, 50, 20]
    listed = [record for page in found for record in page]
    assert len({record.id for record in listed}) == 120
    assert [record.at for record in listed] == sorted((r.at for r in listed), reverse=True)


async def test_below_another_persons_record_there_is_nothing(database: Database) -> None:
    approvals = Approvals(sealer=sealer())
    await note(database, approvals, CHEN, 3)
    await note(database, approvals, LIN, 3)
    (theirs,) = await pages(database, approvals, LIN.person)
    for mark in (theirs[0].id, "use_unknown", ""):
        assert await database.read(approvals.records_below, CHEN.person, mark) == []
