"""The pages of announcements: for everybody, and for those who write them; nothing half written is ever public."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from inkan.accounts import LOGIN_COOKIE, Role
from inkan.notices import NewsTexts
from inkan.store.database import Database
from portal.browsers import Browser, body_of
from relying_parties.applicants import hire_token
from support.clock import StandingClock
from support.world import CLERK, World, world_on

PROBE = "<script>document.title='ran'</script>"
TEXTS = {
    "title_en": f"Closed {PROBE}",
    "title_ja": "窓口の休業",
    "title_zh-Hant": "窗口暫停服務",
    "text_en": "Counters are closed.\r\nPlease come on Monday.",
    "text_ja": "窓口は休業します。",
    "text_zh-Hant": "各發證窗口暫停服務。",
}


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
def anybody(world: World) -> Browser:
    return Browser(world.instance.application)


async def staff(world: World, *roles: Role) -> Browser:
    browser = Browser(world.instance.application)
    token = await hire_token(world.platform.accounts, *roles, name="writer")
    browser.cookies[LOGIN_COOKIE] = token.token.reveal()
    return browser


@pytest.mark.req("TW-39")
async def test_written_looked_at_published_withdrawn(world: World, anybody: Browser) -> None:
    writer = await staff(world, Role.OPERATOR)
    shown = await writer.send("/console/news/preview", "/verify", **TEXTS)
    assert shown.status == 200
    assert PROBE not in body_of(shown)
    assert "Please come on Monday." in shown.text
    assert "There are no announcements" in (await anybody.see("/news")).text
    again = await writer.send("/console/news/write", "/verify", **TEXTS)
    assert "窓口の休業" in again.text
    assert (await writer.send("/console/news", "/verify", **TEXTS)).status == 303
    (item,) = await world.platform.notices.all_news()
    path = f"/news/{item.published.id}"
    page = await anybody.see(path, **{"accept-language": "ja"})
    assert "窓口は休業します。" in page.text
    assert PROBE not in body_of(await anybody.see("/news", **{"accept-language": "en"}))
    withdrawn = f"/console/news/{item.published.id}/withdraw"
    assert (await writer.send(withdrawn, "/verify")).status == 303
    assert (await anybody.see(path)).status == 404
    assert (await writer.send(withdrawn, "/verify")).status == 404
    assert (await world.platform.notices.all_news())[0].withdrawn_at is not None
    events = await world.events()
    assert {"notices.news_published", "notices.news_withdrawn"} <= set(events)


async def test_a_coming_one_is_nobodys_yet(
    world: World, anybody: Browser, clock: StandingClock
) -> None:
    starts = clock.now() + timedelta(hours=1)
    text = NewsTexts(en="soon", ja="間もなく", zh_hant="即將")
    news = await world.platform.notices.publish_news(text, text, actor=CLERK, published_at=starts)
    assert (await anybody.see(f"/news/{news}")).status == 404
    clock.tick(timedelta(hours=1))
    assert (await anybody.see(f"/news/{news}")).status == 200
    assert (await anybody.see("/news/nws_nothing")).status == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title_ja", " "),
        ("text_en", "x" * 4001),
        ("text_zh-Hant", "號碼 123456789018"),
        ("starts", "tomorrow"),
        ("starts", "0001-01-01T00:00"),
    ],
)
async def test_what_must_not_be_published_comes_back_to_the_form(
    world: World, field: str, value: str
) -> None:
    writer = await staff(world, Role.ADMINISTRATOR)
    for path in ("/console/news/preview", "/console/news"):
        refused = await writer.send(path, "/verify", **{**TEXTS, field: value})
        assert refused.status == 400
        assert "Please check this text." in refused.text
        assert "窗口暫停服務" in refused.text
    assert await world.platform.notices.all_news() == []


async def test_who_may_read_and_write(world: World, anybody: Browser) -> None:
    assert (await anybody.see("/console/news")).status == 303
    auditor = await staff(world, Role.AUDITOR)
    for path in ("/console/news", "/console/news/write"):
        assert (await auditor.see(path)).status == 403
    assert (await auditor.send("/console/news", "/verify", **TEXTS)).status == 403
