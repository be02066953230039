"""Whole logins by OpenID Connect with nothing in place of sessions, doors and phones: what a person's login costs.

A fresh browser with an address of its own is led to the platform's page, presses "open app", the phone opens, shows and
approves with both proofs, its browser comes back; then token and userinfo: ten requests.
"""

import asyncio
import html
import re
import time
from collections.abc import Iterator
from itertools import count
from urllib.parse import urlencode

import openid_flows as flows
from openid_flows import Connection, Failed, Side
from openid_side import Founded, serving
from openssl_peer import cpu_s
from rig import Keys, Line

LOGINS = 40  # of each phone
_TOKEN = re.compile(rb'name="csrf_token" value="([0-9a-f]{64})"')
_LINK = re.compile(rb'href="(http://wallet[^"]+)"')
_addresses = count(1)

Row = tuple[str, str, float, float | str | None, str]


def whole_logins(made: Founded) -> Iterator[Row]:
    """One row, beside nothing."""
    with serving(made, stub=False) as side:
        rate, wall = asyncio.run(_measured(made, side))
    note = f"wall {wall:,.0f}/s; no ratio: the peer has no phone"
    yield "the whole login with a phone", "flows per server-CPU-second", rate, None, note


async def _measured(made: Founded, side: Side) -> tuple[float, float]:
    phones = made.rig.phones
    await asyncio.gather(*(_log_in(made, side, phone) for phone in phones))  # warm
    cpu, begun = cpu_s(side.pid), time.perf_counter()

    async def work(phone: Keys) -> None:
        for _ in range(LOGINS):
            await _log_in(made, side, phone)

    await asyncio.gather(*map(work, phones))
    done = LOGINS * len(phones)
    return done / (cpu_s(side.pid) - cpu), done / (time.perf_counter() - begun)


async def _log_in(made: Founded, side: Side, phone: Keys) -> None:
    """One login, on a connection of the browser and one of the phone."""
    number = next(_addresses)
    browser = await Connection.to(
        side, source=f"127.{80 + number // 65_536}.{number // 256 % 256}.{number % 256}"
    )
    to_phone = await Line.dial(made.rig)
    try:
        await flows.code_flow(browser, {}, answer=_Answer(made, phone, to_phone))
    finally:
        await browser.close()
        await to_phone.close()


class _Answer:
    """Stands at the platform's page with a phone."""

    def __init__(self, made: Founded, phone: Keys, line: Line) -> None:
        self._made = made
        self._phone = phone
        self._line = line

    async def __call__(self, browser: Connection, address: str, cookies: dict[str, str]) -> str:
        """From the page's address to where the phone leads its browser."""
        path = address.removeprefix(browser.side.issuer).partition("?")[0]
        page = await browser.visit("GET", path, cookies)
        form = urlencode({"csrf_token": _found(_TOKEN, page), "way": "link"}).encode()
        await browser.visit("POST", path, cookies, form)
        shown = await browser.visit("GET", path, cookies)
        rig = self._made.rig
        link = html.unescape(_found(_LINK, shown))
        opened = await rig.open_by(self._line, self._phone, link=link)
        decided = await rig.decide(self._line, self._phone, opened)
        return str(decided["return_url"])


def _found(pattern: re.Pattern[bytes], page: bytes) -> str:
    found = pattern.search(page)
    if found is None:
        raise Failed(f"{pattern.pattern!r} is not on the page")
    return found[1].decode()
