"""A system whose every claim, header and parameter is in the test's hand."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from inkan.crypto import base64url, dpop, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from support.world import PLATFORM, World

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
REQUEST = "/v1/sessions/ses_unknown"


@dataclass
class System:
    """One registered system: its assertion key, its DPoP key."""

    world: World
    code: str = "tax-office"
    key: Any = field(default_factory=lambda: generate(KeySpec.P256))
    dpop_key: Any = field(default_factory=lambda: generate(KeySpec.P256))

    @classmethod
    async def registered(cls, world: World, code: str = "tax-office", **more: Any) -> "System":
        system = cls(world, code)
        await world.agency(code, **{"keys": [jwk.to_jwk(system.key.public_key())], **more})
        return system

    @property
    def web(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.world.instance.application)
        return httpx.AsyncClient(transport=transport, base_url=PLATFORM)

    def claims(self, **bent: Any) -> dict[str, Any]:
        now = to_seconds(self.world.clock.wire_now())
        claims = {
            "iss": self.code,
            "sub": self.code,
            "aud": PLATFORM,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }
        return {k: v for k, v in (claims | bent).items() if v is not None}

    def assertion(self, *, key: Any = None, typ: str = "JWT", **bent: Any) -> str:
        payload = msgspec.json.encode(self.claims(**bent))
        return jose.sign_compact(payload, key or self.key, alg=Algorithm.ES256, typ=typ)

    def form(self, **bent: Any) -> dict[str, Any]:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
        }
        return {k: v for k, v in (form | bent).items() if v is not None}

    def proof(self, **bent: Any) -> str:
        members = {"method": "POST", "url": f"{PLATFORM}/token", "at": self.world.clock.wire_now()}
        key = bent.pop("key", self.dpop_key)
        return dpop.build_proof(key, **{**members, **bent})

    async def ask(
        self, form: Any = None, *, proof: str | None = "own", **headers: str
    ) -> httpx.Response:
        """``POST /token``; the form is this system's own unless given (a dict, or pairs)."""
        sent = {"content-type": "application/x-www-form-urlencoded"} | headers
        if proof is not None:
            sent["dpop"] = self.proof() if proof == "own" else proof
        content = urlencode(self.form() if form is None else form)
        async with self.web as web:
            return await web.post("/token", content=content, headers=sent)

    async def token(self) -> str:
        answer = await self.ask()
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    async def call(self, token: str, *, proof: str | None = None, **bent: Any) -> httpx.Response:
        """A request that a good token is answered with ``404`` (there is no such session)."""
        members = {"method": "GET", "url": PLATFORM + REQUEST, "access_token": token}
        proof = proof or self.proof(**{**members, **bent})
        async with self.web as web:
            headers = {"authorization": f"DPoP {token}", "dpop": proof}
            return await web.get(REQUEST, headers=headers)


def unsigned(claims: dict[str, Any], **header: Any) -> str:
    """A JWS of any header without a signature."""
    parts = [msgspec.json.encode(header), msgspec.json.encode(claims)]
    return ".".join([*(base64url.encode(part) for part in parts), ""])
