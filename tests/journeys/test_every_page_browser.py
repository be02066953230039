"""Every page of the platform in a real browser: readable, named, clean, and nothing but text where text is shown.

The walk goes over the table of routes, so a new page is walked or the test fails. Each page is opened in one of the
looks, in turn; with ``INKAN_LOOK`` (0 to 11) the turn begins elsewhere, so twelve runs see every page in every look.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.web.routes import Route
from journeys.scenery import PLACES, PROBE, Scenery, scenery
from support.browser import Chromium, Look, Window, within
from support.clock import StandingClock
from support.world import PLATFORM

pytestmark = pytest.mark.browser

LOOKS = [
    Look(language=language, width=width, is_dark=is_dark)
    for is_dark in (False, True)
    for width in (360, 1280)
    for language in ("en", "ja", "zh-TW")
]
TURN = 7
"""Coprime to the number of looks: neighbours in the table differ in everything."""

# Template → why it is no page: what a browser fetches for a page, or a file that is taken along.
NO_PAGES = {
    "/identify/{page}/picture": "a picture",
    "/identify/{page}/states": "a stream",
    "/identify/{page}/camera": "text for phones without a camera",
    "/login/picture": "a picture",
    "/login/states": "a stream",
    "/login/camera/{name}": "text for phones without a camera",
    "/enrol/camera/{name}": "text for phones without a camera",
    "/enrol/request/picture": "a picture",
    "/enrol/request/states": "a stream",
    "/enrol/request/content": "what the card signs",
    "/kiosk/state": "what the kiosk asks for while the number is shown",
    "/my/records/{id}/proof": "a file",
    "/my/records.json": "a file",
    "/my/records.csv": "a file",
    "/counter/cases/{id}/{paper}": "a file",
}
# Template → the journey that opens it: the page needs somebody on the way.
ELSEWHERE = {
    "/identify/{page}": "test_redirect_page_browser.py",
    "/login/code": "test_home_browser.py",
    "/enrol/request": "test_enrol_page_browser.py",
    "/identify/{page}/confirm": "test_passkey_page_browser.py",
    "/my/certificates/{id}": "test_enrol_page_browser.py",
    "/my/phones/{id}/revoke": "test_enrol_page_browser.py",
    "/device/done": "test_device_page_browser.py",
    "/authorize": "test_openid_login_browser.py",
    "/authorize/return": "test_openid_login_browser.py",
}
ROLES = {
    "console.": "staff",
    "notices.publish": "staff",
    "developer.": "developer",
    "portal.": "person",
    "notices.read": "person",
    "sandbox.": "system",
    "counter.": "clerk",
}
LANGUAGES = {"en": "en", "ja": "ja", "zh-TW": "zh-Hant"}
NAMED = """() => [
  document.title, document.querySelectorAll('h1').length, document.documentElement.lang,
  document.querySelector('h1')?.textContent.trim(), document.querySelectorAll('main').length]"""


@pytest.fixture
async def place(
    sqlite_url: str, clock: StandingClock, tmp_path: Path, chromium: Chromium
) -> AsyncIterator[Scenery]:
    async with scenery(sqlite_url, clock, tmp_path) as made:
        chromium.lead(PLATFORM, made.port)
        yield made
        await chromium.close()


def pages(place: Scenery) -> list[Route]:
    """Every route that shows a page, by role, so that a login is given once."""
    routes = place.world.instance.application.routes[PLATFORM]
    shown = [
        route
        for route in routes
        if route.is_page and route.method == "GET" and route.template not in NO_PAGES
    ]
    return sorted(
        (route for route in shown if route.template not in ELSEWHERE),
        key=lambda route: (role_of(route), route.template),
    )


def role_of(route: Route) -> str:
    use_case = route.access.use_case or ""
    found = [role for start, role in ROLES.items() if use_case.startswith(start)]
    assert found or not use_case, f"{route.template}: say who opens a page of {use_case}"
    return found[0] if found else ""


def path_of(route: Route, place: Scenery) -> str:
    known = PLACES.get(route.template)
    assert known or "{" not in route.template, f"{route.template}: say where one stands"
    return known(place) if known else route.template


async def shoot(window: Window, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        await within(window.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True))


async def check(window: Window, look: Look, where: str) -> None:
    """What holds for every page."""
    title, headings, language, heading, mains = await window.evaluate(NAMED)
    assert title.strip(" ·") not in {"", "Inkan", "ran"}, f"{where}: {title!r}"
    assert (headings, mains) == (1, 1), f"{where}: {headings} h1, {mains} main"
    assert heading, where
    assert language == LANGUAGES[look.language], where
    try:
        await window.check_accessibility()
    except AssertionError as fault:
        raise AssertionError(f"{where}: {fault}") from None


async def test_every_page(place: Scenery, chromium: Chromium) -> None:
    windows: dict[Look, Window] = {}
    entered: dict[Look, str] = {}
    start = int(os.environ.get("INKAN_LOOK", "0"))
    for number, route in enumerate(pages(place)):
        look = LOOKS[(start + number * TURN) % len(LOOKS)]
        if look not in windows:
            windows[look] = await chromium.open(look)
        window, role = windows[look], role_of(route)
        if entered.get(look) != role:
            await place.enter(window, role)
            entered[look] = role
        path = path_of(route, place)
        where = f"{path} ({look.language}, {look.width}, {'dark' if look.is_dark else 'light'})"
        assert await window.go(PLATFORM + path) == 200, where
        assert window.page.url == PLATFORM + path, f"{where}: led on to {window.page.url}"
        await shoot(window, f"{role or 'all'}{route.template.replace('/', '-')}")
        await check(window, look, where)


def test_the_tables_name_routes_that_exist(place: Scenery) -> None:
    templates = {route.template for route in place.world.instance.application.routes[PLATFORM]}
    assert {*PLACES, *NO_PAGES, *ELSEWHERE} <= templates


async def test_the_probe_is_shown_as_it_was_written(place: Scenery, chromium: Chromium) -> None:
    window = await chromium.open()
    for role, path in (
        ("", f"/news/{place.news}"),
        ("person", "/my/records"),
        ("person", "/my"),
        ("staff", "/console/reports"),
        ("staff", "/console/jobs"),
        ("developer", "/developer"),
    ):
        await place.enter(window, role)
        await window.go(PLATFORM + path)
        shown = await within(window.page.inner_text("main"))
        assert PROBE[:20] in shown, path
