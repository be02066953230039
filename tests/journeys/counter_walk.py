"""What a clerk does on the pages of the counter, as a test says it."""

import asyncio
import os
from pathlib import Path

from counter.clerks import RESIDENCE_CARD
from inkan.accounts import LOGIN_COOKIE
from inkan.counter.model import CaseKind
from inkan.counter.rules import TERMS
from inkan.kernel.identifiers import parse_national_id
from journeys.counter_hall import Hall
from support.browser import Window, within
from support.world import PLATFORM

HANAKO = "A800000014"


async def shoot(window: Window, name: str) -> None:
    await window.check_accessibility()
    if folder := os.environ.get("SHOTS"):
        await within(window.page.screenshot(path=Path(folder) / f"{name}.png", full_page=True))


async def begin_shift(window: Window) -> None:
    await window.press("Begin my shift")
    await window.see("Every act is kept")


async def open_case(window: Window, kind: str) -> None:
    await window.go(f"{PLATFORM}/counter")
    await window.press(kind, role="link")
    await window.fill("National ID or resident certificate number", HANAKO)
    await window.press("Open the case")
    await window.see("The person shows a photo document")


async def identify(window: Window, *, chip: bool = True, terms: bool = False) -> None:
    await within(
        window.page.get_by_label("Photo document", exact=True).select_option(
            "resident_card" if chip else "passport"
        )
    )
    await window.fill("Number of the document", "RC12345678" if chip else "TK1234567")
    await window.fill("Valid until", "2031-12-31")
    if chip:
        await within(window.page.get_by_label("The chip of the residence card").check())
    if terms:
        await within(window.page.get_by_label("The person has read the terms").check())
    await window.press("The person is identified")


async def printed(window: Window, title: str) -> bytes:
    """The file behind the link of a paper."""
    async with window.page.expect_download() as download:
        await window.press(f"{title}: English", role="link")
    path = await (await download.value).path()
    return await asyncio.to_thread(Path(path).read_bytes)


async def states(hall: Hall) -> set[str]:
    """How the certificates of the person's cards stand."""
    platform = hall.desk.world.platform
    person = await hall.desk.person("hanako")
    cards = await platform.db.read(platform.counter.cases.cards_of, person.id)
    found = [
        await platform.db.read(platform.pki.find_status, certificate)
        for card in cards
        for certificate in card.certificates.values()
    ]
    return {one.state.value for one in found}


async def enter(window: Window, token: str) -> None:
    cookie = {
        "name": LOGIN_COOKIE,
        "value": token,
        "domain": "id.localhost",
        "path": "/",
        "secure": True,
        "httpOnly": True,
        "sameSite": "Strict",
    }
    await within(window.context.add_cookies([cookie]))  # type: ignore[list-item]


async def keys_page(hall: Hall, window: Window) -> None:
    """Up to the step that makes the keys."""
    await hall.log_in(window)
    mei = await hall.desk.clerk("mei")
    case = await hall.desk.counter.cases.open(mei, CaseKind.ISSUE, parse_national_id(HANAKO))
    await hall.desk.counter.cases.identify(mei, case.id, RESIDENCE_CARD, TERMS.version)
    await window.go(f"{PLATFORM}/counter/cases/{case.id}")
    await window.see("The card makes its keys")
