"""Contacts: known since a day, told when they change (design §5.2 step 6)."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from inkan.notices import (
    ContactBusy,
    Notices,
    store,
)
from inkan.store.database import Database, Step
from inkan.store.query import Query
from inkan.web.languages import Language
from notices.telling import (
    PERSON,
    STAFF,
    mails,
    reach,
    recipients,
    settle,
    tell,
)
from support.clock import START, StandingClock


async def test_only_contacts_known_before_the_act_hear_of_it(
    database: Database, notices: Notices, clock: StandingClock, spool: Path
) -> None:
    began = clock.tick(1)
    clock.tick(1)
    await reach(database, notices, "thief@example.org")
    await tell(database, notices, contacts_before=began)
    await settle(database, notices)
    assert mails(spool) == []
    assert len(await notices.inbox(PERSON, language=Language.EN)) == 1


async def test_a_contact_replaced_during_the_act_still_hears_of_it(
    database: Database, notices: Notices, clock: StandingClock, spool: Path
) -> None:
    await reach(database, notices, "owner@example.org")
    began = clock.tick(10)
    clock.tick(10)
    await reach(database, notices, "thief@example.org")
    await tell(database, notices, contacts_before=began)
    await settle(database, notices)
    # Once that the address changed, once that a phone was bound
    assert recipients(spool) == ["owner@example.org", "owner@example.org"]


async def test_a_contact_that_ended_before_the_act_is_left_alone(
    database: Database, notices: Notices, clock: StandingClock, spool: Path
) -> None:
    await reach(database, notices, "old@example.org")
    clock.tick(10)
    await database.transact(notices.remove_contact, PERSON, actor=STAFF)
    await settle(database, notices)
    before = len(mails(spool))
    began = clock.tick(10)
    await tell(database, notices, contacts_before=began)
    await tell(database, notices)
    assert await settle(database, notices) == 0
    assert len(mails(spool)) == before == 1


async def test_the_same_address_again_stays_known_since_its_first_day(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    await reach(database, notices)
    clock.tick(timedelta(days=1))
    await reach(database, notices)
    await reach(database, notices, language=Language.JA)
    (contact,) = await notices.contacts(PERSON)
    assert contact.known_from == START
    assert contact.language is Language.JA
    assert await notices.inbox(PERSON, language=Language.EN) == []


@pytest.mark.race
async def test_rival_changes_of_a_contact_leave_one(database: Database, notices: Notices) -> None:
    from asyncio import gather

    rivals = [reach(database, notices, f"rival{n}@example.org") for n in range(8)]
    answers = await gather(*rivals, return_exceptions=True)
    assert len(await notices.contacts(PERSON)) == 1
    # Whoever was told of success has written a row
    query = Query(store.contact.select())

    def rows() -> Step[int]:
        return len((yield query.all()))

    assert await database.read(rows) == answers.count(None) >= 1
    assert {type(each) for each in answers} <= {type(None), ContactBusy}


async def test_contacts_before_lists_what_was_in_force(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    async def before(moment: datetime) -> list[str]:
        found = await database.read(notices.contacts_before, PERSON, moment)
        return [each.address.reveal() for each in found]

    await reach(database, notices, "first@example.org")
    changed = clock.tick(60)
    await reach(database, notices, "second@example.org")
    assert await before(START) == []
    assert await before(changed) == ["first@example.org"]
    assert await before(clock.tick(60)) == ["second@example.org"]
