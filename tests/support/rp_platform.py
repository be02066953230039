"""A stand-in for the platform's RP API, in this process: tokens by private_key_jwt and DPoP, one session, its receipt.

It refuses what the real one refuses of a client's proofs, and does on request what networks and platforms do: lose an
answer, forget a token, demand a nonce, fall back to `presented`.
"""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

from inkan.crypto import base64url, dpop, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.wire import evidence as wire
from support.receipt_world import ISSUER, ReceiptWorld

CODE = "sys_tax"
MOMENT = "2026-11-21T12:00:00Z"


class Events(httpx.AsyncByteStream, httpx.SyncByteStream):
    """A body that arrives in parts."""

    def __init__(self, parts: list[bytes]):
        self._parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            yield part


class RPPlatform(httpx.AsyncBaseTransport, httpx.BaseTransport):
    """The stand-in; the connections of an ``AsyncTransport`` or a ``SyncTransport``."""

    def __init__(self, public_key, world: ReceiptWorld | None = None):
        self.key = public_key
        self.world = world
        self.calls: list[tuple[str, str]] = []
        self.bodies: list[bytes] = []
        self.sessions: dict[str, bytes] = {}
        self.lose: Counter[str] = Counter()
        self.answers: dict[str, list[httpx.Response]] = {}
        self.states: list[dict[str, Any]] = [{"state": "presented"}]
        self.generation = 1
        self.nonce: str | None = None
        self.token_life = 600
        self.tokens: dict[str, str] = {}
        self.waits: list[tuple[str, str | None]] = []
        self.events: list[list[bytes]] = []
        self.receipt: str | None = None
        self._seen: set[str] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request, await request.aread())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._answer(request, request.read())

    def _answer(self, request: httpx.Request, body: bytes) -> httpx.Response:
        path = request.url.path
        self.calls.append((request.method, path))
        self.bodies.append(body)
        made = self._token(request, body) if path == "/token" else self._resource(request, body)
        if self.lose[path]:
            self.lose[path] -= 1
            raise httpx.ReadError("the answer was lost")
        return made

    # --- who asks -----------------------------------------------------------------------------------

    def _proof(self, request: httpx.Request, token: str | None = None) -> dpop.Proof:
        proof = dpop.verify_proof(
            request.headers["dpop"],
            method=request.method,
            url=str(request.url).partition("?")[0],
            now=datetime.now(UTC),
            access_token=token,
            nonce=self.nonce,
        )
        assert proof.jti not in self._seen, "a proof was sent twice"
        self._seen.add(proof.jti)
        return proof

    def _token(self, request: httpx.Request, body: bytes) -> httpx.Response:
        try:
            proof = self._proof(request)
        except dpop.DPoPNonceRefused:
            return oauth(400, "use_dpop_nonce", dpop_nonce=self.nonce)
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        assert form["grant_type"] == "client_credentials"
        token = jose.verify_compact(
            form["client_assertion"],
            self.key,
            algs=(Algorithm.ES256, Algorithm.PS256),
            typ="JWT",
            required=("kid",),
        )
        claims = json.loads(token.payload)
        assert token.header["kid"] == jwk.thumbprint(self.key)
        assert (claims["iss"], claims["sub"], claims["aud"]) == (CODE, CODE, ISSUER)
        assert 0 < claims["exp"] - claims["iat"] <= 60
        assert claims["jti"] not in self._seen, "an assertion was sent twice"
        self._seen.add(claims["jti"])
        value = f"token-{len(self.tokens)}"
        self.tokens[value] = proof.jkt
        members = {"access_token": value, "token_type": "DPoP", "expires_in": self.token_life}
        return answer(200, members)

    # --- what is asked --------------------------------------------------------------------------------

    def _resource(self, request: httpx.Request, body: bytes) -> httpx.Response:
        scheme, _, token = request.headers["authorization"].partition(" ")
        assert scheme == "DPoP"
        try:
            proof = self._proof(request, token)
        except dpop.DPoPNonceRefused:
            return oauth(401, "use_dpop_nonce", dpop_nonce=self.nonce)
        if self.tokens.get(token) != proof.jkt:
            return oauth(401, "invalid_token")
        path = request.url.path
        if self.answers.get(path):
            return self.answers[path].pop(0)
        what = (request.method, path.removeprefix("/v1/sessions/ses_1"))
        match what:
            case ("POST", "/v1/sessions"):
                return self._create(request, body)
            case ("GET", ""):
                return self._read(request)
            case ("POST", "/doors/qr"):
                self.generation += 1
                return answer(200, self.door())
            case ("POST", "/cancel"):
                return answer(200, self.view(state="cancelled"))
            case ("GET", "/events"):
                assert request.headers["accept"] == "text/event-stream"
                return httpx.Response(200, stream=Events(self.events.pop(0)))
            case ("GET", "/receipt"):
                jws = self.receipt or self.world.receipt_jws
                return httpx.Response(200, stream=httpx.ByteStream(jws.encode()))
            case ("GET", "/evidence"):
                data = wire.evidence_bytes(self.world.bundle)
                return httpx.Response(200, stream=httpx.ByteStream(data))
        return answer(404, {"code": "not_found"})

    def _create(self, request: httpx.Request, body: bytes) -> httpx.Response:
        key = request.headers["idempotency-key"]
        if self.sessions.setdefault(key, body) != body:
            return answer(409, {"code": "idempotency_conflict"})
        return answer(201, {"session": self.view(), "doors": {"qr": self.door()}})

    def _read(self, request: httpx.Request) -> httpx.Response:
        self.waits.append((request.url.query.decode(), request.headers.get("if-none-match")))
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if state == {"status": 304}:
            return httpx.Response(304, stream=httpx.ByteStream(b""))
        made = self.view(**state)
        made_answer = answer(200, made)
        made_answer.headers["etag"] = f'"{len(self.waits)}"'
        return made_answer

    def door(self) -> dict[str, Any]:
        return {
            "handle": "qr_abcdefghijklmnopqrstuvwxyz",
            "secret": base64url.encode(bytes([self.generation]) * 32),
            "origin": "https://wallet.example.org",
            "t0": MOMENT,
            "t": 5,
            "generation": self.generation,
        }

    def view(self, **members: Any) -> dict[str, Any]:
        """A session object; a closed one is approved unless told otherwise."""
        state = members.get("state", "presented")
        return {
            "id": "ses_1",
            "kind": "identify",
            "purpose": "login",
            "state": state,
            "outcome": "ok" if state == "closed" else None,
            "reason": None,
            "next": {"action": "none" if state == "closed" else "wait", "retry_after_ms": 10},
            "door": None,
            "binding": {"level": "none", "evidence": []} if state == "closed" else None,
            "subject": {"person_ref": "pairwise-1"} if state == "closed" else None,
            "match": None,
            "young": False,
            "back_end": "A",
            "created_at": MOMENT,
            "opened_at": None,
            "decided_at": None,
            "released_at": None,
            "expires_at": MOMENT,
            "purge_at": MOMENT,
            "status_now": None,
            "a_member_of_tomorrow": 1,
        } | members


def answer(status: int, members: Any, content_type: str = "application/json") -> httpx.Response:
    body = httpx.ByteStream(msgspec.json.encode(members))
    return httpx.Response(status, headers={"content-type": content_type}, stream=body)


def oauth(status: int, error: str, *, dpop_nonce: str | None = None) -> httpx.Response:
    refused = answer(status, {"error": error})
    if dpop_nonce is not None:
        refused.headers["dpop-nonce"] = dpop_nonce
    return refused
