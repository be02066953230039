"""Logins of a client over HTTP: authorization endpoint, the person's phone, token endpoint, userinfo."""

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from federation.clients import (
    REDIRECT_URI,
    VERIFIER,
    OpenIDClient,
    arrive,
    brought,
    go_back,
    openid_client,
)
from federation.logins import CLAIMS, record_address
from inkan.client import Phone
from inkan.crypto import jose
from portal.browsers import OWN, Browser, body_of
from support.world import CITIZENS, PLATFORM, PURPOSES, World

_LINK = re.compile(r'href="(http://wallet[^"]+)"')
_TAG = re.compile(r"<[^>]+>")
_DIGITS = re.compile(r"(\d{3})\D+(\d{3})\D")
TWO_MORE = ["authorization_code", "refresh_token"]


@dataclass
class LoggedIn:
    """What came of a login: the tokens, and what the person read.

    Attributes:
        id_token: its claims.
    """

    client: "HTTPClient"
    shown: str
    answer: dict[str, Any]
    id_token: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        jws = jose.parse_compact(self.answer["id_token"], typ="JWT", required=("kid",))
        self.id_token = msgspec.json.decode(jws.payload)

    async def userinfo(self) -> dict[str, Any]:
        """The claims of the userinfo endpoint now, without the ``sub`` that has to be the ID token's."""
        headers = {"authorization": f"Bearer {self.answer['access_token']}"}
        reply = await self.client.shop.web.get("/userinfo", headers=headers)
        assert reply.status == 200, reply.text
        told: dict[str, Any] = reply.json()
        assert told.pop("sub") == self.id_token["sub"]
        return told

    async def refreshed(self) -> "LoggedIn":
        """What a refresh gives now."""
        form = {"grant_type": "refresh_token", "refresh_token": self.answer["refresh_token"]}
        return LoggedIn(self.client, self.shown, await self.client.token(form))


@dataclass
class HTTPClient:
    """A client of the Basic profile, and the phone of the person who logs in."""

    world: World
    shop: OpenIDClient
    phone: Phone

    @classmethod
    async def registered(cls, world: World, phone: Phone, code: str = "shop") -> "HTTPClient":
        purposes = [{**PURPOSES[0], "claims": CLAIMS}, *PURPOSES[1:]]
        system = {"purposes": purposes, "name": f"The {code}"}
        shop = await openid_client(world, code, system=system, grant_types=TWO_MORE)
        return cls(world, shop, phone)

    async def record_address(self) -> None:
        await record_address(self.world)

    async def refused(self, **asked: Any) -> str:
        """The error with which the client is led back at once."""
        reply = await arrive(self.shop.browser(), self.shop.address(**_parameters(**asked)))
        return brought(reply)["error"]

    async def log_in(self, scope: str = "openid", *, way: str = "frame", **asked: Any) -> LoggedIn:
        browser = self.shop.browser()
        parameters = _parameters(scope=f"{scope} offline_access", **asked)
        page = await self.shop.begin(browser, **parameters)
        shown, back = await getattr(self, f"_by_{way}")(browser, page.partition("?")[0])
        code = brought(await arrive(browser, back))["code"]
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return LoggedIn(self, shown, await self.token(form))

    async def token(self, form: dict[str, str]) -> dict[str, Any]:
        reply = await self.shop.web.post("/token", form=form | self.shop.assertion())
        assert reply.status == 200, reply.text
        answer: dict[str, Any] = reply.json()
        return answer

    async def _by_frame(self, browser: Browser, path: str) -> tuple[str, str]:
        await browser.send(path, path, way="frame")
        held = await self.phone.open_frame((await browser.get(f"{path}/camera", headers=OWN)).text)
        await self.phone.approve()
        return held.text, await go_back(browser, path)

    async def _by_push(self, browser: Browser, path: str) -> tuple[str, str]:
        number = CITIZENS["chen"][2]
        await browser.send(path, path, way="push", national_id=number, phone_name="my phone")
        await self.world.instance.catch_up()
        words = _TAG.sub(" ", body_of(await browser.see(path)))
        [digits] = _DIGITS.findall(words)
        [first, *_] = await self.phone.waiting()
        held = await self.phone.open_push(first.approval, "".join(digits))
        await self.phone.approve()
        return held.text, await go_back(browser, path)

    async def _by_link(self, browser: Browser, path: str) -> tuple[str, str]:
        await browser.send(path, path, way="link")
        [address] = _LINK.findall((await browser.see(path)).text)
        held = await self.phone.open_link(address)
        back = (await self.phone.approve()).return_url
        assert back is not None
        return held.text, back.removeprefix(PLATFORM)


def _parameters(*, claims: Any = None, **more: str) -> dict[str, str]:
    if claims is None:
        return more
    text = claims if isinstance(claims, str) else msgspec.json.encode(claims).decode()
    return more | {"claims": text}
