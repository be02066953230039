"""Announcements: published in three languages at once, or not at all (TW-39)."""

from datetime import datetime

import msgspec

from inkan.audit import Actor
from inkan.kernel.ids import new_id
from inkan.notices import store
from inkan.notices.model import NewsItem, NewsState, NewsTexts, NewsUnknown, Published
from inkan.notices.rules import NEWS_TOPIC, verify_news
from inkan.notices.service.parts import Parts
from inkan.store.database import MOMENT, Step, Wake
from inkan.store.plan import Row
from inkan.web.languages import Language


async def publish(
    parts: Parts,
    title: NewsTexts,
    text: NewsTexts,
    *,
    actor: Actor,
    published_at: datetime | None = None,
) -> str:
    """Publish an announcement and return its id; it is read from ``published_at`` on, by default at once.

    Raises:
        NewsRefused: a text is empty, too long, or holds a My Number.
    """
    verify_news(title, text)
    return await parts.db.transact(_publish, parts, title, text, actor, published_at)


def _publish(
    parts: Parts,
    title: NewsTexts,
    text: NewsTexts,
    actor: Actor,
    published_at: datetime | None,
) -> Step[str]:
    news_id = new_id("nws")
    event = yield from parts.audit.record("notices.news_published", actor=actor, object=news_id)
    moment = yield MOMENT
    yield store.INSERT_NEWS.run(
        id=news_id,
        title=title,
        text=text,
        published_at=published_at or moment,
        withdrawn_at=None,
        event_id=event,
    )
    yield Wake(NEWS_TOPIC)
    return news_id


def withdraw(parts: Parts, news_id: str, *, actor: Actor) -> Step[None]:
    """Step: take an announcement back.

    Raises:
        NewsUnknown: no such announcement, or withdrawn before.
    """
    event = yield from parts.audit.record("notices.news_withdrawn", actor=actor, object=news_id)
    touched = yield store.WITHDRAW_NEWS.run(key=news_id, event=event)
    if not touched:
        raise NewsUnknown()
    yield Wake(NEWS_TOPIC)


def get(news_id: str, language: Language) -> Step[NewsItem]:
    """Step: one announcement that anybody may read now.

    Raises:
        NewsUnknown: no such announcement, withdrawn, or not published yet: one answer.
    """
    row = yield store.NEWS_ONE.one(key=news_id)
    if row is None:
        raise NewsUnknown()
    return _item(row, language)


def every() -> Step[list[NewsState]]:
    """Step: the newest announcements for their writers, withdrawn and coming ones included."""
    rows = yield store.ALL_NEWS.all()
    return [
        NewsState(
            published=Published(
                id=row.id,
                title=msgspec.convert(row.title, NewsTexts),
                text=msgspec.convert(row.text, NewsTexts),
                published_at=row.published_at,
            ),
            withdrawn_at=row.withdrawn_at,
        )
        for row in rows
    ]


def newest(language: Language) -> Step[list[NewsItem]]:
    """Step: the newest announcements in one language."""
    rows = yield store.NEWS.all()
    return [_item(row, language) for row in rows]


def _item(row: Row, language: Language) -> NewsItem:
    return NewsItem(
        id=row.id,
        title=msgspec.convert(row.title, NewsTexts).in_language(language),
        text=msgspec.convert(row.text, NewsTexts).in_language(language),
        published_at=row.published_at,
    )
