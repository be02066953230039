"""The other side of the examples: a browser's page, and the person before it with a phone."""

import asyncio
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from identification.doorways import RETURN_URL, brought
from inkan.client import Phone
from portal.browsers import OWN, Browser
from support.world import CITIZENS, WALLET, World

_LEADS = re.compile(r'content="0;url=([^"]+)"')
_ADDRESS = re.compile(r'href="(http://wallet[^"]+)"')
_DIGITS = re.compile(r"(\d{3})\D+(\d{3})\D")


class Page:
    """What an example's web framework gives of the browser that asks; whatever is shown there gets its answer.

    Attributes:
        way: which way of the redirect page the person takes.
        shown: what was shown or gone to, in order.
    """

    def __init__(self, world: World, phone: Phone, *, way: str = "frame") -> None:
        self.way = way
        self.shown: list[str] = []
        self.kept: Any = None
        self.query: dict[str, str] = {}
        self._world = world
        self._phone = phone
        self._browser = Browser(world.instance.application)
        self._answers: list[asyncio.Task[None]] = []

    def show_code(self, frame: Callable[[], str]) -> None:
        self.shown.append(frame())
        self._answer(self._scan(frame))

    def show_digits(self, code: str) -> None:
        self.shown.append(code)
        self._answer(self._type(code))

    def go(self, url: str, **kept: Any) -> None:
        self.shown.append(url)
        self.kept = SimpleNamespace(**kept)
        ways = {"/l": self._open, "/identify": self._choose}
        path = urlsplit(url).path
        self._answer(ways[path if url.startswith(WALLET) else path.rpartition("/")[0]](url))

    async def answered(self) -> None:
        """Wait until the person has done all that was asked."""
        answers, self._answers = self._answers, []
        await asyncio.gather(*answers)

    def _answer(self, doing: Any) -> None:
        self._answers.append(asyncio.create_task(doing))

    async def _scan(self, frame: Callable[[], str]) -> None:
        await self._phone.open_frame(frame())
        await self._phone.approve()

    async def _type(self, code: str) -> None:
        await self._world.instance.catch_up()
        [first, *_] = await self._phone.waiting()
        await self._phone.open_push(first.approval, code)
        await self._phone.approve()

    async def _open(self, url: str) -> None:
        await self._phone.open_link(url)
        self._come_back((await self._phone.approve()).return_url)

    async def _choose(self, url: str) -> None:
        """Take one of the three ways of the platform's page and come back from it."""
        path = urlsplit(url).path
        typed = {"national_id": CITIZENS["chen"][2]} if self.way == "push" else {}
        reply = await self._browser.send(path, path, way=self.way, **typed)
        assert reply.status == 303
        if self.way == "frame":
            frame = (await self._browser.get(f"{path}/camera", headers=OWN)).text
            await self._scan(lambda: frame)
        elif self.way == "push":
            [digits] = _DIGITS.findall(re.sub(r"<[^>]+>", " ", await self._main(path)))
            await self._type("".join(digits))
        else:
            [address] = _ADDRESS.findall(await self._main(path))
            await self._open(address)
            return
        left = await self._browser.send(f"{path}/finish", path)
        found = _LEADS.search(left.text)
        assert found is not None, left.text
        self._come_back(found[1].replace("&amp;", "&"))

    async def _main(self, path: str) -> str:
        return (await self._browser.see(path)).text.partition("<main")[2]

    def _come_back(self, url: str | None) -> None:
        assert url is not None
        assert url.startswith(RETURN_URL + "?")
        self.query = brought(url)
