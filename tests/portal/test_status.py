"""The status page: every state of every component in words, and no cause, name or id on it."""

from datetime import UTC, datetime, timedelta

import pytest

from inkan.portal.model import ComponentName, Health
from inkan.portal.pages.status import COMPONENTS
from inkan.portal.rules import JOBS_WAIT, STANDING_LIFE, health_of_wait
from inkan.store.outbox import enqueue
from portal.browsers import Browser, body_of
from support.clock import StandingClock
from support.world import World

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waited", "health"),
    [
        (None, Health.WORKING),
        (timedelta(0), Health.WORKING),
        (JOBS_WAIT.slow - timedelta(microseconds=1), Health.WORKING),
        (JOBS_WAIT.slow, Health.SLOW),
        (JOBS_WAIT.down - timedelta(microseconds=1), Health.SLOW),
        (JOBS_WAIT.down, Health.DOWN),
    ],
)
def test_a_wait_is_judged_by_its_row(waited: timedelta | None, health: Health) -> None:
    oldest = None if waited is None else NOW - waited
    assert health_of_wait(oldest, NOW, JOBS_WAIT) is health


def test_every_component_has_words_for_every_state() -> None:
    assert set(COMPONENTS) == set(ComponentName)
    for words in COMPONENTS.values():
        assert len({words.of(health) for health in Health}) == len(Health)


async def test_the_page_tells_each_component(
    browser: Browser, world: World, clock: StandingClock
) -> None:
    page = body_of(await browser.see("/status"))
    assert "Everything works" in page
    for words in COMPONENTS.values():
        assert words.title in page
    await world.platform.db.transact(enqueue, "test.secret_kind")
    clock.tick(JOBS_WAIT.slow)
    page = body_of(await browser.see("/status"))
    assert "Something is disturbed" in page
    assert "Messages are late." in page
    assert "secret_kind" not in page


async def test_a_look_at_the_database_is_shared_for_some_seconds(
    browser: Browser, world: World, clock: StandingClock
) -> None:
    await browser.see("/status")
    await world.platform.db.transact(enqueue, "test.later")
    waiting = 'Messages that wait</dt><dd class="digits">{}'
    assert waiting.format(0) in (await browser.see("/status")).text
    clock.tick(STANDING_LIFE)
    assert waiting.format(1) in (await browser.see("/status")).text
