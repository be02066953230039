"""A browser that logs a person in, one step at a time."""

import re
from typing import Any

from inkan.accounts import LOGIN_COOKIE
from inkan.client import Phone
from inkan.portal.pages import PROOF_COOKIE
from support.asgi import Client, Reply
from support.world import PLATFORM

OWN = {"origin": PLATFORM, "sec-fetch-site": "same-origin", "accept": "text/html"}
PROGRAM = OWN | {"accept": "application/json"}
_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')
_CAMERA = re.compile(r"--camera http://[^/]+(/login/camera/[\w-]+)")


class Browser(Client):
    """One browser before the platform."""

    def __init__(self, application: Any, *, address: str = "192.0.2.7") -> None:
        super().__init__(application, PLATFORM, address=address)

    async def see(self, path: str, **headers: str) -> Reply:
        return await self.get(path, headers=OWN | headers)

    async def send(self, path: str, page: str, **fields: str) -> Reply:
        """Send the form of a page."""
        token = csrf_of(await self.see(page))
        return await self.post(path, headers=OWN, form={"csrf_token": token, **fields})

    async def begin(self, *, wish: str = "") -> Reply:
        return await self.send("/login", "/login", next=wish)

    async def frame(self) -> str:
        """What a camera reads off this browser's page now."""
        found = _CAMERA.search((await self.see("/login/code")).text)
        assert found is not None
        reply = await self.get(found[1])
        assert reply.status == 200
        return reply.text

    async def finish(self, *, wish: str = "") -> Reply:
        """Send the form that takes the login; its CSRF token is of any page of this browser."""
        return await self.send("/login/finish", "/login", next=wish)

    async def log_in(self, phone: Phone) -> Reply:
        """All of it, with yes."""
        await self.begin()
        await phone.open_frame(await self.frame())
        await phone.approve()
        return await self.finish()

    @property
    def proof(self) -> str:
        return self.cookies.get(PROOF_COOKIE, "")

    @property
    def login(self) -> str:
        return self.cookies.get(LOGIN_COOKIE, "")


def csrf_of(reply: Reply) -> str:
    found = _TOKEN.search(reply.text)
    assert found is not None, reply.text
    return found[1]


def body_of(reply: Reply) -> str:
    """The page without head and foot."""
    return reply.text.partition("<main")[2].partition("</main>")[0]
