"""How a session reaches a virtual phone by each door, and how its answer comes back to the relying party."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from identification.doorways import RETURN_URL, brought
from inkan.client import Session, SubjectHint, begin_return
from inkan.kernel.sensitive import Personal, Secret
from portal.browsers import OWN, Browser
from sandbox.conftest import Town
from support.world import PLATFORM

_ADDRESS = re.compile(r'content="0;url=([^"]+)"')
_LINK = re.compile(r'href="(http://wallet[^"]+)"')


@dataclass
class Errand:
    """One session on its way to one virtual phone.

    Attributes:
        browser: at the redirect page.
    """

    town: Town
    phone: dict[str, Any]
    session: Session
    verifier: Secret[str]
    browser: Browser

    @property
    def page(self) -> str:
        made = self.session.doors.redirect
        assert made is not None
        return made.url.removeprefix(PLATFORM)

    async def act(self, action: str, **members: Any) -> dict[str, Any]:
        return await self.town.developer.act(self.phone, action, **members)

    async def choose(self, way: str, **fields: str) -> None:
        assert (await self.browser.send(self.page, self.page, way=way, **fields)).status == 303

    async def seen(self) -> dict[str, Any]:
        path = f"phones/{self.phone['id']}"
        view: dict[str, Any] = (await self.town.developer.call("GET", path)).json()
        return view

    # --- the ways ------------------------------------------------------------------------------------

    async def scan(self) -> None:
        await self.act("scan", frame=self.session.frame())

    async def follow_web_link(self) -> None:
        made = self.session.doors.web_link
        assert made is not None
        await self.act("open", link=made.url)

    async def follow_app_link(self) -> None:
        made = self.session.doors.app_link
        assert made is not None
        await self.act("open", link=made.url)

    async def push(self) -> None:
        await self.town.world.instance.catch_up()

    async def scan_page(self) -> None:
        await self.choose("frame")
        frame = await self.browser.get(f"{self.page}/camera", headers=OWN)
        await self.act("scan", frame=frame.text)

    async def open_page(self) -> None:
        await self.choose("link")
        (link,) = _LINK.findall((await self.browser.see(self.page)).text)
        await self.act("open", link=link)

    async def push_page(self) -> None:
        number = await self.town.number(self.phone["person"])
        await self.choose("push", national_id=number)
        await self.town.world.instance.catch_up()

    # --- the answer ----------------------------------------------------------------------------------

    async def phones_return(self) -> None:
        """The phone's browser goes where the wallet sends it, and the relying party redeems what it brings."""
        await self._redeem((await self.seen())["return_url"])

    async def pages_return(self) -> None:
        """The browser at the redirect page takes the answer back."""
        reply = await self.browser.send(f"{self.page}/finish", self.page)
        found = _ADDRESS.search(reply.text)
        assert found is not None, reply.text
        await self._redeem(found[1].replace("&amp;", "&"))

    async def stays(self) -> None:
        """Nothing comes back: the relying party hears it from the platform."""

    async def _redeem(self, url: str | None) -> None:
        code = brought(url).get("return_code") if url else None
        if code is not None:
            await self.session.redeem(self.verifier, return_code=code)


Walk = Callable[[Errand], Awaitable[None]]


@dataclass(frozen=True)
class Way:
    """One way to a phone: the door of the session, how it is reached, how the answer comes back.

    Attributes:
        is_push: whether the phone is reached without anybody's word, and whoever asks sees agreements only.
        shows: how the session names its door.
    """

    door: str
    reach: Walk
    back: Walk
    shows: str
    is_push: bool = False


WAYS = {
    "qr": Way("qr", Errand.scan, Errand.stays, "qr"),
    "web_link": Way("web_link", Errand.follow_web_link, Errand.phones_return, "web_link"),
    "app_link": Way("app_link", Errand.follow_app_link, Errand.phones_return, "app_link"),
    "push": Way("push", Errand.push, Errand.stays, "push", is_push=True),
    "redirect/qr": Way("redirect", Errand.scan_page, Errand.pages_return, "redirect/qr"),
    "redirect/open": Way("redirect", Errand.open_page, Errand.phones_return, "redirect/open"),
    "redirect/push": Way(
        "redirect", Errand.push_page, Errand.pages_return, "redirect/push", is_push=True
    ),
}


async def sent_out(town: Town, phone: dict[str, Any], way: Way) -> Errand:
    """A session by this door for the person of this phone."""
    back, verifier = begin_return(RETURN_URL)
    members: dict[str, Any] = {"doors": [way.door]}
    if way.door == "push":
        number = await town.number(phone["person"])
        members["subject_hint"] = SubjectHint("national_id", Personal(number))
    if way.back is not Errand.stays:
        members["return_to"] = back
    session = await town.ask(**members)
    return Errand(town, phone, session, verifier, Browser(town.world.instance.application))
