"""Usage records as their person reads them: page after page, nothing lost, nobody else's."""

from typing import Any

import pytest
import sqlalchemy as sa

from approvals.samples import CHEN, LIN
from inkan.approvals import (
    Approvals,
    Opener,
    RecordNotFound,
    UsageFilter,
    UsageRecord,
    UsageResult,
)
from inkan.approvals import store as rows
from inkan.kernel.ids import EventID
from inkan.store.database import Database, Step
from inkan.store.query import Query
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


# --- picked, reported, erased ----------------------------------------------------------------------------


async def used(
    database: Database,
    approvals: Approvals,
    system: str,
    *,
    opener: Opener = CHEN,
    outcome: Outcome = Outcome.OK,
    **members: Any,
) -> UsageRecord:
    """A use that a system asked for."""
    detail = {"system": system, "relying_party": system.upper(), "domain": f"{system}.example"}
    record = await database.transact(
        approvals.note_use,
        opener=opener,
        outcome=outcome,
        detail=detail | members,
        event=EventID("evt_use"),
    )
    return await database.read(approvals.record, opener.person, record)


async def listed(database: Database, approvals: Approvals, **only: Any) -> set[str]:
    found = await database.read(
        approvals.records,
        CHEN.person,
        before=database.now().replace(year=2030),
        only=UsageFilter(**only),
    )
    return {record.id for record in found}


@pytest.mark.req("TW-38")
async def test_records_are_picked_by_asker_and_result(database: Database) -> None:
    approvals = Approvals(sealer=sealer())
    tax = await used(database, approvals, "tax")
    refused = await used(database, approvals, "tax", outcome=Outcome.REFUSED)
    bank = await used(database, approvals, "bank")
    await used(database, approvals, "tax", opener=LIN)
    assert await listed(database, approvals) == {tax.id, refused.id, bank.id}
    assert await listed(database, approvals, system="tax") == {tax.id, refused.id}
    assert await listed(database, approvals, result=UsageResult.OK) == {tax.id, bank.id}
    assert await listed(database, approvals, system="tax", result=UsageResult.OK) == {tax.id}
    assert await listed(database, approvals, system="shop") == set()
    askers = await database.scan(approvals.askers, CHEN.person)
    assert {(each.system, each.name, each.uses) for each in askers} == {
        ("tax", "TAX", 2),
        ("bank", "BANK", 1),
    }


async def test_rows_of_an_older_key_are_picked_too(database: Database) -> None:
    before = await used(database, Approvals(sealer=sealer(1)), "tax")
    rolled = Approvals(sealer=sealer(2))
    after = await used(database, rolled, "tax")
    assert await listed(database, rolled, system="tax") == {before.id, after.id}


async def test_a_copy_of_the_table_names_no_asker_and_ties_no_persons(database: Database) -> None:
    approvals = Approvals(sealer=sealer())
    for opener in (CHEN, LIN):
        await used(database, approvals, "tax", opener=opener)
    stored = await database.scan(_rows)
    assert len({row.asker for row in stored}) == 2
    assert b"tax" not in b"".join(bytes(row.asker) + bytes(row.detail) for row in stored)


async def test_a_record_is_reported_once_and_by_its_person_alone(
    database: Database, clock: StandingClock
) -> None:
    approvals = Approvals(sealer=sealer())
    record = await used(database, approvals, "tax")
    assert record.reported_at is None
    for person, record_id in ((LIN.person, record.id), (CHEN.person, "use_unknown")):
        with pytest.raises(RecordNotFound):
            await database.transact(approvals.held_record, person, record_id)
    with pytest.raises(RecordNotFound):
        await database.transact(approvals.report, record, LIN.person, event=EventID("evt_r"))
    reported = await database.transact(
        approvals.report, record, CHEN.person, event=EventID("evt_r")
    )
    assert reported.reported_at == clock.now()
    assert await listed(database, approvals, result=UsageResult.REPORTED) == {record.id}
    clock.tick(1)
    with pytest.raises(RecordNotFound):
        await database.transact(approvals.report, record, CHEN.person, event=EventID("evt_s"))
    assert await database.read(approvals.record, CHEN.person, record.id) == reported


async def test_what_was_answered_with_a_report_is_reported(database: Database) -> None:
    approvals = Approvals(sealer=sealer())
    record = await used(
        database, approvals, "tax", outcome=Outcome.REFUSED, reason="user_reported_fraud"
    )
    assert record.reported_at == record.at


async def test_erasing_takes_the_askers_hash_too(database: Database) -> None:
    approvals = Approvals(sealer=sealer())
    record = await used(database, approvals, "tax")
    await database.transact(approvals.erase_records, CHEN.person)
    assert {row.asker for row in await database.scan(_rows)} == {None}
    assert await listed(database, approvals, system="tax") == set()
    assert await listed(database, approvals) == {record.id}
    assert await database.scan(approvals.askers, CHEN.person) == []


def _rows() -> Step[list[Any]]:
    return (yield Query(sa.select(rows.record)).all())
