"""Clients that ask without a browser: by CIBA, and as devices; every member of a request in the test's hand."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlencode

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from identification.callers import ASSERTION_TYPE, WebClient
from identification.doorways import EVERY_DOOR
from inkan.client import Phone, SystemCredentials
from inkan.client.phone_state import OpenApproval
from inkan.crypto import dpop, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from portal.browsers import Browser
from support.asgi import Reply
from support.clock import StandingClock
from support.world import CITIZENS, PLATFORM, World

CIBA = "urn:openid:params:grant-type:ciba"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
CHEN = CITIZENS["chen"][2]
LIN = CITIZENS["lin"][2]
NOBODY = "B123456780"
FORM = "application/x-www-form-urlencoded"
NOTIFY = "https://bank.tax.example/ping"
BEARER = "n-0S6_WzA2Mj-0123456789abcdef"


def registration(**openid: Any) -> dict[str, Any]:
    """What a system registers to use CIBA and the device grant."""
    members = {
        "purpose": "login",
        "grant_types": [CIBA, DEVICE],
        "backchannel_token_delivery_mode": "poll",
        "sender_constraint": "dpop",
        "inkan_code": True,
        **openid,
    }
    return {"doors": EVERY_DOOR, "openid": members}


FAPI = {
    "profile": "fapi2",
    "grant_types": [CIBA],
    "id_token_signed_response_alg": "ES256",
}
WITHOUT_CIBA = {"grant_types": [DEVICE], "backchannel_token_delivery_mode": ""}


@dataclass
class ClientCaller:
    """One client; ``system`` is its registration as the platform keeps it."""

    web: WebClient
    clock: StandingClock
    credentials: SystemCredentials
    key: EllipticCurvePrivateKey
    dpop_key: Any = field(default_factory=lambda: generate(KeySpec.P256))

    @classmethod
    async def registered(
        cls,
        world: World,
        web: WebClient,
        clock: StandingClock,
        code: str = "bank",
        system: dict[str, Any] | None = None,
        **openid: Any,
    ) -> Self:
        key = generate(KeySpec.P256)
        members = {**registration(**openid), **(system or {})}
        await world.agency(code, keys=[jwk.to_jwk(key.public_key())], **members)
        credentials = SystemCredentials(issuer=PLATFORM, code=code, key=key)
        return cls(web, clock, credentials, key)

    @property
    def authentication(self) -> dict[str, str]:
        return {
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.credentials.client_assertion(self.clock),
        }

    async def send(
        self, path: str, form: dict[str, str] | str, *, query: str = "", **headers: str
    ) -> httpx.Response:
        body = form if isinstance(form, str) else urlencode(form)
        return await self.web.post(
            path + query, content=body, headers={"content-type": FORM, **headers}
        )

    # --- CIBA ------------------------------------------------------------------------------------

    async def ask(self, hint: str = f"national_id:{CHEN}", **members: Any) -> httpx.Response:
        """An authentication request; a member that is None is left out."""
        form = {"scope": "openid", "login_hint": hint, **members}
        kept = {name: value for name, value in form.items() if value is not None}
        return await self.send("/bc-authorize", self.authentication | kept)

    async def asked(self, hint: str = f"national_id:{CHEN}", **members: Any) -> dict[str, Any]:
        answer = await self.ask(hint, **members)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def signed(self, *, key: Any = None, alg: Algorithm = Algorithm.ES256, **bent: Any) -> str:
        """A signed authentication request (CIBA Core §7.1.1); a member that is None is left out."""
        now = to_seconds(self.clock.wire_now())
        claims = {
            "iss": self.credentials.code,
            "aud": PLATFORM,
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(16),
            "scope": "openid",
            "login_hint": f"national_id:{CHEN}",
            **bent,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        payload = msgspec.json.encode(kept)
        return jose.sign_compact(payload, key or self.key, alg=alg, typ="JWT")

    async def ask_signed(self, request: str, **beside: str) -> httpx.Response:
        form = self.authentication | {"request": request} | beside
        return await self.send("/bc-authorize", form)

    # --- devices ---------------------------------------------------------------------------------

    async def begin(self, **members: Any) -> httpx.Response:
        """A device authorization request."""
        form = {"scope": "openid", **members}
        kept = {name: value for name, value in form.items() if value is not None}
        return await self.send("/device_authorization", self.authentication | kept)

    async def begun(self, **members: Any) -> dict[str, Any]:
        answer = await self.begin(**members)
        assert answer.status_code == 200, answer.text
        made: dict[str, Any] = answer.json()
        return made

    # --- collecting ------------------------------------------------------------------------------

    async def poll(self, made: dict[str, Any], **members: str) -> httpx.Response:
        """Ask for the tokens of what was begun."""
        kinds = {"auth_req_id": CIBA, "device_code": DEVICE}
        [name] = kinds.keys() & made.keys()
        form = {"grant_type": kinds[name], name: made[name]} | members
        return await self.token(form)

    async def token(self, form: dict[str, str]) -> httpx.Response:
        proof = dpop.build_proof(
            self.dpop_key, method="POST", url=f"{PLATFORM}/token", at=self.clock.wire_now()
        )
        return await self.send("/token", self.authentication | form, dpop=proof)


def error_of(answer: httpx.Response) -> tuple[int, str]:
    """Status and ``error`` of a refusal, after checking that it speaks OAuth's language (RFC 6749 §5.2)."""
    assert answer.headers["content-type"] == "application/json", answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert set(told) == {"error", "error_description"}
    return answer.status_code, told["error"]


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT that nobody checks here."""
    return jose.parse_object(jose.parse_compact(token, typ="JWT", optional=("kid",)).payload)


async def reached(world: World, phone: Phone, code: str | None) -> OpenApproval:
    """The question to which this code belongs, or the newest one, opened on the phone."""
    await world.instance.catch_up()
    return await opened(world, phone, code)


async def opened(world: World, phone: Phone, code: str | None) -> OpenApproval:
    """The same, with nothing of the outbox done before."""
    waiting = [each.approval for each in await phone.waiting()]
    shown = {each: await world.platform.identification.shown_code(each) for each in waiting}
    [first, *_] = [each for each in waiting if code in (None, shown[each])]
    return await phone.open_push(first, code)


async def approved(world: World, phone: Phone, made: dict[str, Any]) -> OpenApproval:
    """The person says yes."""
    held = await reached(world, phone, made.get("inkan_code"))
    await phone.approve(held.id)
    await world.instance.catch_up()
    return held


class DevicePage(Browser):
    """A browser before the page ``/device``."""

    async def type(self, user_code: str) -> Reply:
        return await self.send("/device", "/device", user_code=user_code)

    async def say(self, user_code: str, say: str = "mine") -> Reply:
        return await self.send("/device/confirm", "/device", user_code=user_code, say=say)

    async def answer(self, phone: Phone, path: str) -> str:
        """Answer on the phone by the code of the redirect page; the address that the browser is led back to."""
        await self.send(path, path, way="frame")
        frame = await self.get(f"{path}/camera", headers={"sec-fetch-site": "same-origin"})
        await phone.open_frame(frame.text)
        await phone.approve()
        return await self.led_back(path)

    async def led_back(self, path: str) -> str:
        """Press the page's last button, whatever it says; the path that the browser is led to."""
        reply = await self.send(f"{path}/finish", path)
        found = re.search(r'content="0;url=([^"]+)"', reply.text)
        assert found is not None, reply.text
        return found[1].replace("&amp;", "&").removeprefix(PLATFORM)
