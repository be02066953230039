"""What the tests of the town hall share: a world with a bridge, the hall before it, a browser that fills and signs."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from inkan.apps.showcase.town_hall import town_hall
from inkan.apps.showcase.town_hall.checks import CONTENT_TYPE
from inkan.client import SoftwareCard
from inkan.crypto import base64url
from inkan.demo.town import trusted_by_agencies
from inkan.store.database import Database
from support.asgi import Client, Reply
from support.clock import StandingClock
from support.world import PIN, World, world_on

HALL = "http://townhall.localhost:8485"
OWN = {"origin": HALL, "sec-fetch-site": "same-origin", "accept": "text/html"}
GOVERNMENT = (files("inkan.demo") / "government.toml").read_text(encoding="utf-8")
CHEN = {
    "name": "陳怡君",
    "birth_date": "1988-03-14",
    "address": "臺北市信義區市府路1號",
    "copies": "2",
    "use": "銀行開戶",
}
COPY = "resident_record_copy"


class Browser(Client):
    """One browser before the hall."""

    async def send_form(self, path: str, page: str, **fields: str) -> Reply:
        text = (await self.get(page, headers=OWN)).text
        token = re.findall(r'name="csrf_token" value="([0-9a-f]{64})"', text)[0]
        return await self.post(path, headers=OWN, form={"csrf_token": token, **fields})

    async def fill(self, form: str = COPY, **typed: str) -> str:
        """Fill a form in; returns the address of the draft."""
        path = f"/forms/{form}"
        reply = await self.send_form(path, path, **typed or CHEN)
        assert reply.status == 303, reply.text
        return reply.header("location") or ""

    async def shown(self, draft: str) -> bytes:
        """The bytes that the page hands to the card program."""
        text = (await self.get(draft, headers=OWN)).text
        return base64url.decode(re.findall(r'data-content="([\w-]+)"', text)[0])

    async def send(self, draft: str, cms: bytes | str) -> Reply:
        """Send a signed form, as the page's own form does."""
        if isinstance(cms, bytes):
            cms = base64url.encode(cms)
        text = (await self.get("/forms/" + COPY, headers=OWN)).text
        token = re.findall(r'name="csrf_token" value="([0-9a-f]{64})"', text)[0]
        return await self.post(draft, headers=OWN, form={"csrf_token": token, "cms": cms})

    async def page(self, path: str) -> str:
        return html.unescape((await self.get(path, headers=OWN)).text)


@dataclass
class Town:
    """The hall, the country whose cards it accepts, and a browser."""

    world: World
    browser: Browser
    url: str

    async def signed(self, draft: str, *, key: str = "chen", years: int = 3) -> bytes:
        """What a citizen's card signs of a draft."""
        citizen = await self.world.citizen(key, years=years)
        return sign(citizen.card, await self.browser.shown(draft))

    async def said(self, reply: Reply) -> str:
        return html.unescape(reply.text)


def sign(card: SoftwareCard, content: bytes, content_type: str = CONTENT_TYPE) -> bytes:
    with card:
        return card.sign_request(content, content_type=content_type, pin=PIN, confirm=lambda _: "")


@asynccontextmanager
async def town_on(
    database: Database,
    url: str,
    clock: StandingClock,
    folder: Path,
    *,
    without: int | None = None,
    **changes: Any,
) -> AsyncIterator[Town]:
    """A hall on an empty database at ``url`` before a platform in this process.

    ``without`` leaves out one cross-certificate; ``changes`` are to what the hall trusts.
    """
    async with world_on(database, clock, folder, ceremony="\n" + GOVERNMENT) as world:
        trusted = trusted_by_agencies(world.platform)
        if without is not None:
            changes["known"] = tuple(
                der for place, der in enumerate(trusted.known) if place != without
            )
        application = town_hall(
            origin=HALL,
            store_url=url,
            trusted=msgspec.structs.replace(trusted, **changes),
            clock=clock,
            transport=world.transport,
        )
        async with application.running():
            yield Town(world, Browser(application, HALL), url)
