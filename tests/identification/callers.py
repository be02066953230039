"""Callers that send any bytes: a phone's channel and a system's token without a client's good manners."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.client import Phone, RelyingParty, SystemCredentials
from inkan.crypto import base64url, dpop, jwk
from inkan.crypto.keys import KeySpec, generate
from support.clock import StandingClock
from support.world import PLATFORM, World

CHALLENGE = base64url.encode(bytes(range(32)))
LOGIN = {"kind": "identify", "purpose": "login", "challenge": CHALLENGE, "doors": ["qr"]}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class WebClient(httpx.AsyncClient):
    """HTTP to the platform in this process."""

    def __init__(self, application: Any) -> None:
        super().__init__(transport=httpx.ASGITransport(app=application), base_url=PLATFORM)


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Status and stable code of a refusal, after checking that it is one clear problem (RFC 9457)."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["title"]
    assert problem["text"]
    return response.status_code, problem["code"]


@dataclass
class PhoneCaller:
    """Requests under a phone's channel key."""

    web: WebClient
    phone: Phone
    clock: StandingClock

    @property
    def key(self) -> EllipticCurvePrivateKey:
        key: EllipticCurvePrivateKey = self.phone._parts.api._channel_key
        return key

    def proof(self, method: str, path: str, **bent: Any) -> str:
        members = {"method": method, "url": PLATFORM + path, "at": self.clock.wire_now()}
        key = bent.pop("key", self.key)
        return dpop.build_proof(key, **{**members, **bent})

    async def post(
        self,
        path: str,
        body: Any = None,
        *,
        proof: str | None = "own",
        media_type: str = "application/json",
    ) -> httpx.Response:
        data = body if isinstance(body, bytes) else msgspec.json.encode(body or {})
        headers = {"content-type": media_type}
        if proof is not None:
            headers["dpop"] = self.proof("POST", path) if proof == "own" else proof
        return await self.web.post(path, content=data, headers=headers)

    async def get(self, path: str) -> httpx.Response:
        return await self.web.get(path, headers={"dpop": self.proof("GET", path)})

    async def open(self, frame: str) -> httpx.Response:
        return await self.post("/phone/v1/approvals/open", {"frame": frame, "lang": "zh-Hant"})

    async def decide(self, approval: str, body: Any) -> httpx.Response:
        return await self.post(f"/phone/v1/approvals/{approval}/decide", body)


@dataclass
class SystemCaller:
    """Requests of a registered system, every member of them in the test's hand."""

    web: WebClient
    clock: StandingClock
    credentials: SystemCredentials
    client: RelyingParty
    dpop_key: Any = field(default_factory=lambda: generate(KeySpec.P256))
    token: str = ""

    @classmethod
    async def registered(
        cls, world: World, web: WebClient, clock: StandingClock, code: str = "bank", **more: Any
    ) -> "SystemCaller":
        key = generate(KeySpec.P256)
        client = await world.agency(code, keys=[jwk.to_jwk(key.public_key())], **more)
        credentials = SystemCredentials(issuer=PLATFORM, code=code, key=key)
        return cls(web=web, clock=clock, credentials=credentials, client=client)

    async def fetch_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.credentials.client_assertion(self.clock),
        }
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "dpop": self.proof("POST", "/token", access_token=None),
        }
        answer = await self.web.post("/token", content=urlencode(form), headers=headers)
        self.token = answer.json()["access_token"]
        return self.token

    def proof(self, method: str, path: str, **bent: Any) -> str:
        url = PLATFORM + path.partition("?")[0]
        members = {"method": method, "url": url, "at": self.clock.wire_now()}
        members["access_token"] = self.token
        return dpop.build_proof(self.dpop_key, **{**members, **bent})

    async def call(
        self, method: str, path: str, *, body: Any = None, **headers: str
    ) -> httpx.Response:
        if not self.token:
            await self.fetch_token()
        sent = {"authorization": f"DPoP {self.token}", "dpop": self.proof(method, path)}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        content = None
        if body is not None:
            content = body if isinstance(body, bytes) else msgspec.json.encode(body)
            sent.setdefault("content-type", "application/json")
        return await self.web.request(method, path, content=content, headers=sent)

    async def create(self, key: str | None = None, **members: Any) -> httpx.Response:
        key = key or secrets.token_urlsafe(16)
        return await self.call("POST", "/v1/sessions", body=LOGIN | members, idempotency_key=key)

    async def created(self, **members: Any) -> dict[str, Any]:
        answer = await self.create(**members)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    async def read(self, session: str) -> dict[str, Any]:
        answer = await self.call("GET", f"/v1/sessions/{session}")
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        return seen
