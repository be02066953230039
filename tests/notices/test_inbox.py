"""Telling: one notice for each reader, in the transaction of what happened."""

from pathlib import Path

import pytest

from inkan.notices import (
    Notices,
    Template,
)
from inkan.store.database import Database, Step
from inkan.web.languages import Language
from notices.telling import (
    FACTS,
    PERSON,
    reach,
    settle,
    tell,
)
from support.clock import START, StandingClock


class Rollback(Exception):
    """Raised by a use case that fails after it has told."""


async def test_a_notice_reaches_the_recipient_and_each_phone(
    database: Database, notices: Notices
) -> None:
    await tell(database, notices, phones=["phn_one", "phn_two"])
    for reader in (PERSON, "phn_one", "phn_two"):
        (mine,) = await notices.inbox(reader, language=Language.EN)
        assert mine.template is Template.PHONE_BOUND
        assert FACTS["phone"] in mine.text.reveal()
        assert mine.created_at == START
    assert await notices.inbox("phn_three", language=Language.EN) == []


async def test_a_notice_is_read_in_the_readers_language(
    database: Database, notices: Notices
) -> None:
    await tell(database, notices)
    titles = {(await notices.inbox(PERSON, language=lang))[0].title for lang in Language}
    assert titles == {
        "A phone was bound to you",
        "スマートフォンが登録されました",
        "已綁定一支手機",
    }


async def test_the_newest_notice_comes_first(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    await tell(database, notices)
    clock.tick(60)
    await database.transact(notices.notify, PERSON, "phone_revoked", FACTS)
    templates = [each.template for each in await notices.inbox(PERSON, language=Language.EN)]
    assert templates == [Template.PHONE_REVOKED, Template.PHONE_BOUND]


async def test_what_is_rolled_back_was_never_told(
    database: Database, notices: Notices, spool: Path
) -> None:
    def fail() -> Step[None]:
        yield from notices.notify(PERSON, "phone_bound", FACTS)
        raise Rollback

    await reach(database, notices)
    with pytest.raises(Rollback):
        await database.transact(fail)
    assert await notices.inbox(PERSON, language=Language.EN) == []
    assert await settle(database, notices) == 0


@pytest.mark.parametrize(("template", "facts"), [("phone_lost", FACTS), ("phone_bound", {})])
async def test_a_misspelt_notice_is_a_mistake(
    database: Database, notices: Notices, template: str, facts: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match=r"phone_lost|takes the facts"):
        await database.transact(notices.notify, PERSON, template, facts)
