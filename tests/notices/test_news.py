"""News, upkeep, and an event for every row."""

from datetime import timedelta

import pytest

from inkan.audit import Audit
from inkan.notices import (
    EVENT_PAIRS,
    NewsRefused,
    NewsTexts,
    NewsUnknown,
    Notices,
)
from inkan.store.database import Database
from inkan.web.languages import Language
from notices.telling import (
    PERSON,
    STAFF,
    TEXT,
    TITLE,
    reach,
)
from support.clock import START, StandingClock


@pytest.mark.req("TW-39")
async def test_news_are_listed_newest_first_in_the_readers_language(
    notices: Notices, clock: StandingClock
) -> None:
    first = await notices.publish_news(TITLE, TEXT, actor=STAFF)
    clock.tick(60)
    second = await notices.publish_news(TITLE, TEXT, actor=STAFF)
    assert [item.id for item in await notices.news(Language.JA)] == [second, first]
    for language, title in zip(
        Language, ("Maintenance", "保守のお知らせ", "維護公告"), strict=True
    ):
        assert (await notices.news(language))[0].title == title


async def test_news_appear_when_they_are_due_and_go_when_withdrawn(
    notices: Notices, clock: StandingClock
) -> None:
    due = START + timedelta(hours=1)
    news = await notices.publish_news(TITLE, TEXT, actor=STAFF, published_at=due)
    assert await notices.news(Language.EN) == []
    clock.tick(timedelta(hours=1))
    assert len(await notices.news(Language.EN)) == 1
    await notices.withdraw_news(news, actor=STAFF)
    assert await notices.news(Language.EN) == []
    with pytest.raises(NewsUnknown):
        await notices.withdraw_news(news, actor=STAFF)
    with pytest.raises(NewsUnknown):
        await notices.withdraw_news("nws_nothing", actor=STAFF)


async def test_news_that_must_not_be_published_are_refused(notices: Notices) -> None:
    with pytest.raises(NewsRefused):
        await notices.publish_news(NewsTexts(en="", ja="x", zh_hant="x"), TEXT, actor=STAFF)
    assert await notices.news(Language.EN) == []


async def test_old_notices_and_ended_contacts_are_forgotten(
    database: Database, notices: Notices, clock: StandingClock
) -> None:
    await reach(database, notices, "old@example.org")
    began = clock.tick(1)
    await reach(database, notices, "new@example.org")
    clock.tick(timedelta(days=29))
    await notices.purge()
    assert len(await database.read(notices.contacts_before, PERSON, began)) == 1
    clock.tick(timedelta(days=1))
    await notices.purge()
    assert await database.read(notices.contacts_before, PERSON, began) == []
    assert len(await notices.contacts(PERSON)) == 1
    clock.tick(timedelta(days=335))
    await notices.purge()
    assert len(await notices.inbox(PERSON, language=Language.EN)) == 1
    clock.tick(timedelta(days=1))
    await notices.purge()
    assert await notices.inbox(PERSON, language=Language.EN) == []


async def test_every_row_has_its_event(database: Database, notices: Notices, audit: Audit) -> None:
    await reach(database, notices, "a@example.org")
    await reach(database, notices, "b@example.org")
    await reach(database, notices, "b@example.org", Language.JA)
    await database.transact(notices.remove_contact, PERSON, actor=STAFF)
    news = await notices.publish_news(TITLE, TEXT, actor=STAFF)
    await notices.withdraw_news(news, actor=STAFF)
    await audit.sequence_once()
    report = await audit.verify([("notices", query) for query in EVENT_PAIRS])
    assert report.findings == []
    assert report.events == 6
