"""Whole flows of OpenID Connect as a bare client sends them; the same bytes to either provider, but for names of paths.

A *side* is a running provider with two clients: one with a secret (Basic), one with a key (PAR, private_key_jwt, DPoP
with the server's nonce). Connections are kept alive; cookies of a browser are a plain mapping.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from rig import Line

from inkan.crypto import base64url, dpop, jose
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, to_seconds
from inkan.kernel.ids import random_bytes

CLOCK = Clock()
REDIRECT_URI = "https://taxoffice.localhost/cb"
RESOURCE = "https://api.taxoffice.localhost/"
ASKING = "/identify/"
CIBA = "urn:openid:params:grant-type:ciba"
_FORM = "Content-Type: application/x-www-form-urlencoded"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_HEAD = re.compile(rb"^([A-Za-z-]+): *([^\r]*)\r$", re.MULTILINE)


@dataclass(frozen=True)
class Paths:
    """Where a provider has its endpoints."""

    authorization: str
    token: str
    pushed: str
    backchannel: str
    userinfo: str
    jwks: str
    discovery: str = "/.well-known/openid-configuration"


@dataclass
class Side:
    """A provider under load.

    Attributes:
        secret: of the client ``basic``.
        client_key: of the client ``keyed``, P-256; ``kid`` names it in assertions.
        proof_key: that its tokens are bound to.
        login_hint: whom CIBA asks for.
        nonce: what the provider handed out last (RFC 9449 §8).
        settled: cookies of a browser that is logged in.
    """

    name: str
    host: str
    port: int
    pid: int
    paths: Paths
    basic: str
    secret: str
    keyed: str
    client_key: EllipticCurvePrivateKey
    kid: str
    proof_key: EllipticCurvePrivateKey
    login_hint: str
    nonce: str | None = None
    settled: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return f"http://{self.host}:{self.port}"


class Failed(RuntimeError):
    """An answer that the flow does not expect."""


@dataclass
class Reply:
    """Status, headers by lower-case name (Set-Cookie apart), body."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Connection(Line):
    """A keep-alive connection to a side; every status is an answer."""

    side: Side

    @classmethod
    async def to(cls, side: Side, *, source: str = "127.0.0.1") -> "Connection":
        """Connect, from one of the loopback addresses."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", side.port, local_addr=(source, 0)
        )
        made = cls(reader, writer, f"{side.host}:{side.port}")
        made.side = side
        return made

    async def call(
        self, method: str, path: str, headers: Sequence[str] = (), body: bytes = b""
    ) -> Reply:
        """Send and wait."""
        self.send(method, path, headers, body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        pairs = [(name.lower().decode(), value.decode()) for name, value in _HEAD.findall(head)]
        found = dict(pairs)
        answer = await self._reader.readexactly(int(found.get("content-length", "0")))
        cookies = [value for name, value in pairs if name == "set-cookie"]
        return Reply(int(head[9:12]), found, cookies, answer)

    async def post(self, path: str, form: dict[str, str], *headers: str) -> Reply:
        """Send a form."""
        return await self.call("POST", path, [_FORM, *headers], urlencode(form).encode())

    async def visit(
        self, method: str, path: str, cookies: dict[str, str], form: bytes = b""
    ) -> bytes:
        """A page of the side, or where one of its forms leads; as a browser asks for it."""
        reply = await self._browse(method, path, cookies, form)
        if reply.status >= 400:
            raise Failed(f"{self.side.name}: {reply.status} at {path[:80]}: {reply.body[:300]!r}")
        return reply.body

    async def browse(
        self, address: str, cookies: dict[str, str], answer: "Answer | None" = None
    ) -> str:
        """Open an address as a browser does, and follow where it leads as long as it stays on the side.

        Args:
            address: on the side.
            cookies: of the browser; they grow.
            answer: stands at the page where somebody is asked.

        Raises:
            Failed: it stays on a page.
        """
        for _ in range(8):
            path = address.removeprefix(self.side.issuer)
            if not path.startswith("/"):
                return address
            if answer is not None and path.startswith(ASKING):
                address = await answer(self, address, cookies)
                continue
            reply = await self._browse("GET", path, cookies)
            if "location" not in reply.headers:
                break
            address = reply.headers["location"]
        raise Failed(f"{self.side.name}: {reply.status} at {path[:80]}: {reply.body[:300]!r}")

    async def _browse(
        self, method: str, path: str, cookies: dict[str, str], form: bytes = b""
    ) -> Reply:
        said = ["Accept: text/html"]
        if cookies:
            said.append(f"Cookie: {'; '.join(f'{k}={v}' for k, v in cookies.items())}")
        if form:
            said += [_FORM, f"Origin: {self.side.issuer}", "Sec-Fetch-Site: same-origin"]
        reply = await self.call(method, path, said, form)
        for each in reply.cookies:
            name, _, value = each.partition("=")
            cookies[name] = value.partition(";")[0]
        return reply


Answer = Callable[[Connection, str, dict[str, str]], Awaitable[str]]
"""From the address of the page where somebody is asked to where the browser goes then."""


# --- one flow of each kind ----------------------------------------------------------------------------


async def client_credentials(line: Connection) -> None:
    """One signed access token for a client with a secret: one request."""
    side = line.side
    form = {"grant_type": "client_credentials", "resource": RESOURCE}
    _token(await line.post(side.paths.token, form, _basic(side)))


async def existing_login(line: Connection) -> None:
    """Code and PKCE in a browser that is logged in: authorize, token, userinfo."""
    await code_flow(line, line.side.settled)


async def full_login(line: Connection) -> None:
    """Code and PKCE in a fresh browser: authorize, the stub's page, back, token, userinfo."""
    await code_flow(line, {})


async def code_flow(
    line: Connection, cookies: dict[str, str], *, answer: Answer | None = None
) -> dict[str, Any]:
    """One login by the client with a secret; returns the tokens."""
    side = line.side
    verifier, challenge = _pkce()
    address = f"{side.paths.authorization}?{urlencode(_request(side.basic, challenge))}"
    code = _code(await line.browse(address, cookies, answer))
    form = _code_form(code, verifier)
    tokens = _token(await line.post(side.paths.token, form, _basic(side)))
    bearer = f"Authorization: Bearer {tokens['access_token']}"
    _person(await line.call("GET", side.paths.userinfo, [bearer]))
    return tokens


async def backchannel(line: Connection) -> None:
    """CIBA with somebody who agrees at once: request and token."""
    side = line.side
    form = {"scope": "openid", "login_hint": side.login_hint, "binding_message": "K7Q2"}
    begun = await line.post(side.paths.backchannel, form, _basic(side))
    if begun.status != 200:
        raise Failed(f"{side.name}: {begun.status} {begun.body[:300]!r}")
    form = {"grant_type": CIBA, "auth_req_id": begun.json()["auth_req_id"]}
    _token(await line.post(side.paths.token, form, _basic(side)))


async def pushed(line: Connection) -> None:
    """PAR, private_key_jwt and DPoP in a fresh browser: push, authorize, the stub's page, back, token, userinfo."""
    side = line.side
    verifier, challenge = _pkce()
    form = _request(side.keyed, challenge)
    begun = await _proved(line, side.paths.pushed, form | _asserted(side))
    query = {"client_id": side.keyed, "request_uri": begun.json()["request_uri"]}
    code = _code(await line.browse(f"{side.paths.authorization}?{urlencode(query)}", {}))
    form = _code_form(code, verifier) | _asserted(side)
    tokens = _token(await _proved(line, side.paths.token, form))
    access_token = tokens["access_token"]
    proof = _proof(side, "GET", side.paths.userinfo, access_token)
    said = [f"Authorization: DPoP {access_token}", proof]
    _person(await line.call("GET", side.paths.userinfo, said))


async def jwks(line: Connection) -> None:
    """The key set: one request."""
    await _get(line, line.side.paths.jwks)


async def discovery(line: Connection) -> None:
    """The provider's metadata: one request."""
    await _get(line, line.side.paths.discovery)


# --- parts --------------------------------------------------------------------------------------------


async def _get(line: Connection, path: str) -> None:
    reply = await line.call("GET", path)
    if reply.status != 200:
        raise Failed(f"{line.side.name}: {reply.status} at {path}")


def _request(client: str, challenge: str) -> dict[str, str]:
    return {
        "client_id": client,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": REDIRECT_URI,
        "state": base64url.encode(random_bytes(16)),
        "nonce": base64url.encode(random_bytes(16)),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }


def _pkce() -> tuple[str, str]:
    verifier = base64url.encode(random_bytes(32))
    return verifier, base64url.encode(hashlib.sha256(verifier.encode()).digest())


def _code_form(code: str, verifier: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
    }


def _basic(side: Side) -> str:
    pair = base64.b64encode(f"{side.basic}:{side.secret}".encode()).decode()
    return f"Authorization: Basic {pair}"


def _asserted(side: Side) -> dict[str, str]:
    """RFC 7523 §2.2, for one request."""
    now = to_seconds(CLOCK.wire_now())
    claims = {
        "iss": side.keyed,
        "sub": side.keyed,
        "aud": side.issuer,
        "iat": now,
        "exp": now + 50,
        "jti": base64url.encode(random_bytes(16)),
    }
    token = jose.sign_compact(
        json.dumps(claims).encode(),
        side.client_key,
        alg=Algorithm.ES256,
        typ="JWT",
        header={"kid": side.kid},
    )
    return {"client_assertion_type": _ASSERTION, "client_assertion": token}


def _proof(side: Side, method: str, path: str, access_token: str | None = None) -> str:
    made = dpop.build_proof(
        side.proof_key,
        method=method,
        url=side.issuer + path,
        at=CLOCK.wire_now(),
        access_token=access_token,
        nonce=side.nonce,
    )
    return f"DPoP: {made}"


async def _proved(line: Connection, path: str, form: dict[str, str]) -> Reply:
    """Send a form with a proof, once more when the provider hands out its first or next nonce."""
    side = line.side
    for _ in range(2):
        reply = await line.post(path, form, _proof(side, "POST", path))
        side.nonce = reply.headers.get("dpop-nonce", side.nonce)
        if reply.status < 400:
            return reply
        form = form | _asserted(side)
    raise Failed(f"{side.name}: {reply.status} at {path}: {reply.body[:300]!r}")


def _code(address: str) -> str:
    came = parse_qs(urlsplit(address).query)
    if not address.startswith(REDIRECT_URI) or "code" not in came:
        raise Failed(address)
    return came["code"][0]


def _token(reply: Reply) -> dict[str, Any]:
    if reply.status != 200:
        raise Failed(f"{reply.status} {reply.body[:300]!r}")
    found: dict[str, Any] = reply.json()
    return found


def _person(reply: Reply) -> None:
    if reply.status != 200 or b'"sub"' not in reply.body:
        raise Failed(f"{reply.status} {reply.body[:300]!r} {reply.headers}")
