"""The pages of onboarding in a real browser, on a phone and on a desk: readable, reachable, without violations."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from inkan.accounts import LOGIN_COOKIE, Role
from inkan.store.connect import database as database_of
from inkan.web.server import Server
from relying_parties.applicants import SEAL_AUTHORITY, Office, hire_token
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.world import PLATFORM, world_on

pytestmark = pytest.mark.browser

LOOKS = [
    Look(language="en", is_phone=False, is_dark=False),
    Look(language="zh-TW", is_phone=True, is_dark=False),
    Look(language="ja", is_phone=True, is_dark=True),
]


@pytest.fixture
async def office(sqlite_url: str, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Office]:
    db = database_of(sqlite_url, clock=clock)
    await db.open()
    async with world_on(db, clock, tmp_path, ceremony=SEAL_AUTHORITY) as world:
        server = Server(world.instance.application, port=int(PLATFORM.rpartition(":")[2]))
        async with server.running(grace_s=1):
            yield await Office.opened(world)
    await db.close()


async def enter(window: Window, office: Office, *roles: Role, name: str) -> None:
    """Give the window somebody's login."""
    token = await hire_token(office.world.platform.accounts, *roles, name=name)
    cookie = {
        "name": LOGIN_COOKIE,
        "value": token.token.reveal(),
        "domain": "id.localhost",
        "path": "/",
        "secure": True,
        "httpOnly": True,
        "sameSite": "Strict",
    }
    await within(window.context.add_cookies([cookie]))  # type: ignore[list-item]


async def look_at(window: Window, path: str, name: str) -> None:
    assert await window.go(PLATFORM + path) == 200
    await window.check_accessibility()
    if folder := os.environ.get("SHOTS"):
        await within(window.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True))


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.language}-{look.is_phone}")
async def test_every_page_is_readable(office: Office, chromium: Chromium, look: Look) -> None:
    submitted = await office.submitted()
    window = await chromium.open(look)
    mark = f"{look.language}-{'390' if look.is_phone else '1280'}"
    await enter(window, office, Role.RP_OFFICER, Role.OPERATOR, name="officer")
    await look_at(window, "/console/applications", f"list-{mark}")
    await look_at(window, f"/console/applications/{submitted.id}", f"review-{mark}")
    await look_at(window, "/console/systems", f"systems-{mark}")
    await look_at(window, "/console/systems/tax-office", f"registered-{mark}")
    await look_at(window, "/console/windows", f"windows-{mark}")


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.language}-{look.is_phone}")
async def test_every_form_is_readable(office: Office, chromium: Chromium, look: Look) -> None:
    window = await chromium.open(look)
    mark = f"{look.language}-{'390' if look.is_phone else '1280'}"
    await enter(window, office, Role.DEVELOPER, name="applicant")
    token = next(
        each["value"]
        for each in await within(window.context.cookies())
        if each.get("name") == LOGIN_COOKIE
    )
    login = await office.world.platform.accounts.find_login(token)
    assert login is not None
    done = await office.completed(by=login)
    await look_at(window, "/developer", f"home-{mark}")
    await look_at(window, f"/developer/applications/{done.id}", f"application-{mark}")
    await look_at(window, f"/developer/applications/{done.id}/systems/tax-office", f"wanted-{mark}")
    await look_at(window, f"/developer/applications/{done.id}/documents/form", f"form-{mark}")
    await look_at(window, f"/developer/applications/{done.id}/documents/consent", f"consent-{mark}")
    begins_at = office.world.clock.now() + timedelta(hours=25)
    await office.applications.announce(
        "tax-office",
        begins_at=begins_at,
        ends_at=begins_at + timedelta(hours=2),
        rate=6000,
        by=login,
    )
    await look_at(window, "/developer/systems/tax-office", f"system-{mark}")
    await enter(window, office, Role.OPERATOR, name="operator")
    await look_at(window, "/console/windows", f"announced-{mark}")
