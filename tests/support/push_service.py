"""A push service on loopback: real HTTP, as strict as RFC 8030 and RFC 8292 let it be, as rude as a test wants.

It judges every message (TTL, encoding, size, topic, token), keeps what it accepted until its TTL is over or a message of
the same topic comes, and hands it to whoever collects. A *browser* is the receiver: it subscribes and reads.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from inkan.client.phone_push import decrypt_push
from inkan.crypto import base64url, webpush
from inkan.crypto.jwk import to_jwk
from inkan.kernel.clock import Clock, to_seconds
from inkan.kernel.sensitive import Personal, Secret
from inkan.notices import PushAddress
from inkan.web.fetch import Fetcher
from support.keyring import ec_key

HOST = "push.localhost"
DAY_S = 24 * 60 * 60


@dataclass(frozen=True)
class Rude:
    """An answer that a test puts in place of the honest one; status 0 hangs."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """What was accepted."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    ends_at: Any


@dataclass
class Browser:
    """A receiver: its keys, and the subscription that it tells the platform of."""

    path: str
    origin: str
    number: int = 30
    auth: bytes = b"0123456789abcdef"

    @property
    def endpoint(self) -> str:
        return f"{self.origin}{self.path}"

    @property
    def keys(self) -> dict[str, str]:
        public = webpush.point(ec_key(self.number).public_key())
        return {"p256dh": base64url.encode(public), "auth": base64url.encode(self.auth)}

    @property
    def address(self) -> PushAddress:
        return PushAddress(
            endpoint=Personal(self.endpoint),
            p256dh=self.keys["p256dh"],
            auth=Secret(self.keys["auth"]),
        )

    def to_json(self) -> dict[str, Any]:
        """``PushSubscription.toJSON()``."""
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": self.keys}

    def read(self, body: bytes) -> str:
        return decrypt_push(body, key=ec_key(self.number), auth=Secret(self.auth))


class PushService:
    """Paths are subscriptions, each bound to one application server's key (RFC 8292 §4)."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.port = 0
        self.bound_to: dict[str, str] = {}
        self.gone: set[str] = set()
        self.rude: list[Rude] = []
        self.tries: list[int] = []
        self.complaints: list[str] = []
        self.kept: list[Message] = []
        self.tokens: list[str] = []

    @property
    def origin(self) -> str:
        return f"http://{HOST}:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["PushService"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    def fetcher(self, *, timeout_s: float = 5.0) -> Fetcher:
        """The platform's way out, which may come here."""
        return Fetcher(admitted=[f"{HOST}:{self.port}"], timeout_s=timeout_s)

    def subscribe(self, application_server_key: str, *, number: int = 30) -> Browser:
        """A new subscription of a browser, for this application server only."""
        path = f"/wpush/v2/{len(self.bound_to)}-canary-endpoint"
        self.bound_to[path] = application_server_key
        return Browser(path, self.origin, number)

    def collect(self, browser: Browser) -> list[bytes]:
        """What a device that comes online now gets, once."""
        now = self.clock.wire_now()
        mine = [each for each in self.kept if each.path == browser.path and each.ends_at > now]
        self.kept = [each for each in self.kept if each.path != browser.path]
        return [each.body for each in mine]

    def handles(self, browser: Browser) -> list[str]:
        """The handles of the messages for a browser."""
        return [browser.read(body) for body in self.collect(browser)]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            answer = self.rude.pop(0) if self.rude else self._honest(first, headers, body)
            self.tries.append(answer.status)
            if answer.status == 0:
                await reader.read()  # hangs until the other side goes away
                return
            told = [f"HTTP/1.1 {answer.status} X", "content-length: 0", "connection: close"]
            told += [f"{name}: {value}" for name, value in answer.headers.items()]
            writer.write("\r\n".join([*told, "", ""]).encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _honest(self, first: str, headers: dict[str, str], body: bytes) -> Rude:
        method, path, _ = first.split(" ")
        if path in self.gone or path not in self.bound_to:
            return Rude(410 if path in self.gone else 404)
        fault = self._fault(method, path, headers, body)
        if fault is not None:
            self.complaints.append(f"{fault[1]}: {json.dumps(headers)}")
            return Rude(fault[0])
        topic = headers.get("topic")
        self.kept = [m for m in self.kept if (m.path, m.headers.get("topic")) != (path, topic)]
        ends_at = self.clock.wire_now() + timedelta(seconds=int(headers["ttl"]))
        self.kept.append(Message(path, body, headers, ends_at))
        return Rude(201, {"location": f"{self.origin}/message/1", "ttl": headers["ttl"]})

    def _fault(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, str] | None:
        if method != "POST" or not headers.get("ttl", "").isdigit():
            return 400, "a message is a POST with a TTL (RFC 8030 §5.2)"
        if headers.get("content-encoding") != "aes128gcm" or not body:
            return 400, "a message is encrypted (RFC 8291 §4)"
        if len(body) > webpush.MESSAGE_LIMIT:
            return 413, "too large"
        topic = headers.get("topic", "")
        if len(topic) > 32 or not topic.replace("-", "").replace("_", "").isalnum():
            return 400, "a topic is at most 32 letters of base64url (RFC 8030 §5.4)"
        if headers.get("urgency") not in {"very-low", "low", "normal", "high"}:
            return 400, "urgency (RFC 8030 §5.3)"
        return self._token_fault(path, headers.get("authorization", ""))

    def _token_fault(self, path: str, authorization: str) -> tuple[int, str] | None:
        scheme, _, members = authorization.partition(" ")
        named = dict(each.split("=", 1) for each in members.split(", ") if "=" in each)
        if scheme != "vapid" or set(named) != {"t", "k"}:
            return 401, "vapid t=…, k=… (RFC 8292 §3)"
        if named["k"] != self.bound_to[path]:
            return 403, "a subscription of another application server (RFC 8292 §4.2)"
        self.tokens.append(named["t"])
        point = base64url.decode(named["k"], size=65)
        key = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
        try:
            token = jwt.decode(named["t"], jwk.ECKey.import_key(to_jwk(key)), algorithms=["ES256"])
        except (JoseError, ValueError) as wrong:
            return 401, f"signature: {wrong}"
        claims, now_s = token.claims, to_seconds(self.clock.wire_now())
        if claims.get("aud") != self.origin:
            return 401, f"aud is {claims.get('aud')}"
        if not now_s < claims.get("exp", 0) <= now_s + DAY_S:
            return 401, "exp within a day (RFC 8292 §2)"
        if not str(claims.get("sub", "")).startswith(("mailto:", "https:")):
            return 401, "sub (RFC 8292 §2.1)"
        return None
