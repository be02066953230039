"""The redirect page in one browser, and the wallet's page to which it leads for a passkey."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.serialization import load_der_private_key

from identification.callers import SystemCaller
from identification.doorways import RETURN, RETURN_URL, VERIFIER, brought
from inkan.client import Phone
from inkan.crypto import base64url
from portal.browsers import OWN, Browser, csrf_of
from support.asgi import Client, Reply
from support.authenticator import Authenticator, b64
from support.world import PLATFORM, WALLET, World

_ADDRESS = re.compile(r'content="0;url=([^"]+)"')
_OWN_WALLET = OWN | {"origin": WALLET}


class Visit:
    """One session's redirect page in one browser."""

    def __init__(self, office: SystemCaller, browser: Browser, made: dict[str, Any]) -> None:
        self.office, self.browser = office, browser
        self.session = made["session"]["id"]
        self.path = made["doors"]["redirect"]["url"].removeprefix(PLATFORM)

    @classmethod
    async def begun(cls, office: SystemCaller, browser: Browser, **members: Any) -> "Visit":
        made = await office.created(doors=["redirect"], **{"return": RETURN, **members})
        return cls(office, browser, made)

    async def see(self, browser: Browser | None = None) -> Reply:
        return await (browser or self.browser).see(self.path)

    async def choose(self, way: str, *, browser: Browser | None = None, **fields: str) -> Reply:
        # A stranger's page holds no form; the token of any page of the site is this browser's.
        page = "/login" if browser else self.path
        return await (browser or self.browser).send(self.path, page, way=way, **fields)

    async def frame(self) -> str:
        reply = await self.browser.get(f"{self.path}/camera", headers=OWN)
        assert reply.status == 200
        return reply.text

    async def finish(self, browser: Browser | None = None) -> Reply:
        page = "/login" if browser else self.path
        return await (browser or self.browser).send(f"{self.path}/finish", page)

    async def back(self) -> dict[str, str]:
        reply = await self.finish()
        found = _ADDRESS.search(reply.text)
        assert found is not None, reply.text
        address = found[1].replace("&amp;", "&")
        assert address.startswith(RETURN_URL + "?")
        return brought(address)

    async def redeem(self, return_code: str | None) -> dict[str, Any]:
        body = {"verifier": VERIFIER, "return_code": return_code}
        answer = await self.office.call("POST", f"/v1/sessions/{self.session}/redeem", body=body)
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen

    async def minted(self, browser: Browser | None = None) -> str:
        """Press the button for the passkey: the path of the wallet's page."""
        page = "/login" if browser else self.path
        reply = await (browser or self.browser).send(f"{self.path}/passkey", page)
        assert reply.status == 303, reply.text
        address = urlsplit(reply.header("location") or "")
        assert f"{address.scheme}://{address.netloc}" == WALLET
        return address.path

    async def confirm(self, token: str, *, browser: Browser | None = None) -> Reply:
        page = "/login" if browser else self.path
        return await (browser or self.browser).send(
            f"{self.path}/confirm", page, confirmation=token
        )


async def answered(visit: Visit, phone: Phone, way: str = "frame") -> Visit:
    """The phone has answered by the code or the address of the page."""
    await visit.choose(way)
    if way == "frame":
        await phone.open_frame(await visit.frame())
    else:
        [address] = re.findall(r'href="(http://wallet[^"]+)"', (await visit.see()).text)
        await phone.open_link(address)
    await phone.approve()
    return visit


def passkey_of(phone: Phone) -> Authenticator:
    """The phone's passkey as a browser can use it, each member of its answers in the test's hand."""
    state = phone._parts.state
    [held] = [
        each for each in state.authenticator.credentials if each.id == state.bound.credential.id
    ]
    held.sign_count += 1
    return Authenticator(
        rp_id=held.rp_id,
        origin=WALLET,
        credential_id=held.id,
        key=load_der_private_key(held.private_key, None),
        sign_count=held.sign_count,
    )


class WalletPage(Client):
    """A browser before the wallet's page."""

    def __init__(self, world: World, path: str, *, like: "WalletPage | None" = None) -> None:
        """``like`` lends its cookies and the token of its form: without a page there is none."""
        super().__init__(world.instance.application, WALLET)
        self.path = path
        self.token = like.token if like else ""
        self.cookies |= like.cookies if like else {}

    async def see(self) -> Reply:
        seen = await self.get(self.path, headers=_OWN_WALLET)
        if seen.status == 200:
            self.token = csrf_of(seen)
        return seen

    async def _send(self, path: str, **fields: str) -> Reply:
        if not self.token:
            await self.see()
        headers = _OWN_WALLET | {"accept": "application/json"}
        return await self.post(path, headers=headers, form={"csrf_token": self.token, **fields})

    async def options(self) -> dict[str, Any]:
        reply = await self._send(f"{self.path}/begin")
        assert reply.status == 200, reply.text
        asked: dict[str, Any] = reply.json()["options"]
        return asked

    async def prove(
        self,
        passkey: Authenticator,
        *,
        challenge: str | None = None,
        attachment: str = "platform",
        **bent: Any,
    ) -> Reply:
        """Answer the challenge of this page, or another, with a passkey."""
        challenge = challenge or (await self.options())["challenge"]
        return await self.send(answer(passkey, challenge, attachment=attachment, **bent))

    async def send(self, credential: str) -> Reply:
        return await self._send(self.path, credential=credential)


def answer(
    passkey: Authenticator, challenge: str, *, attachment: str = "platform", **bent: Any
) -> str:
    """The JSON of a browser's answer (WebAuthn §5.1.8)."""
    made = passkey.answer(base64url.decode(challenge), **bent)
    return json.dumps(
        {
            "id": b64(made.credential_id),
            "rawId": b64(made.credential_id),
            "type": "public-key",
            "authenticatorAttachment": attachment,
            "response": {
                "clientDataJSON": b64(made.client_data_json),
                "authenticatorData": b64(made.authenticator_data),
                "signature": b64(made.signature),
                "userHandle": b64(b"somebody"),
            },
        }
    )


def token_of(reply: Reply) -> str:
    """What the browser takes from the wallet's page to the platform's."""
    assert reply.status == 303, reply.text
    address = reply.header("location") or ""
    assert address.startswith(f"{PLATFORM}/identify/")
    return parse_qs(urlsplit(address).query)["confirmation"][0]


REFUSED = (403, "confirmation_refused")
STRONG: dict[str, Any] = {"binding_min": "strong"}


def told(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json()["code"]


async def confirmed(world: World, visit: Visit, phone: Phone, attachment: str = "platform") -> None:
    wallet = WalletPage(world, await visit.minted())
    reply = await wallet.prove(passkey_of(phone), attachment=attachment)
    assert (await visit.confirm(token_of(reply))).status == 303


async def try_token(visit: Visit, token: str) -> Reply:
    fields = {"csrf_token": csrf_of(await visit.see()), "confirmation": token}
    headers = OWN | {"accept": "application/json"}
    return await visit.browser.post(f"{visit.path}/confirm", headers=headers, form=fields)
