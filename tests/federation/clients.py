"""Systems that use the OpenID provider, and browsers that go by it to the person's phone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.client import Phone, SystemCredentials
from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from inkan.store.database import Step
from inkan.store.query import Query
from portal.browsers import OWN, Browser
from support.asgi import Client, Reply
from support.world import PLATFORM, PURPOSES, World

REDIRECT_URI = "https://shop.example/callback"
OTHER_REDIRECT_URI = "https://shop.example/other?tab=1"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""Verifier and challenge of RFC 7636 appendix B."""
DOORS = ["qr", "push", "web_link", "redirect", "app_link"]

_BACK = re.compile(r'content="0;url=([^"]+)"')

BASIC: dict[str, Any] = {"purpose": "login", "redirect_uris": [REDIRECT_URI, OTHER_REDIRECT_URI]}
FAPI2: dict[str, Any] = {
    **BASIC,
    "profile": "fapi2",
    "sender_constraint": "dpop",
    "id_token_signed_response_alg": "ES256",
}
MESSAGE_SIGNING: dict[str, Any] = {**FAPI2, "profile": "fapi2_message_signing"}


@dataclass
class OpenIDClient:
    """A registered client, every parameter of its requests in the test's hand."""

    world: World
    code: str
    key: EllipticCurvePrivateKey
    web: Client = field(init=False)

    def __post_init__(self) -> None:
        self.web = Client(self.world.instance.application, PLATFORM, address="192.0.2.80")

    # --- requests ----------------------------------------------------------------------------------

    def asked(self, **more: str | None) -> dict[str, str]:
        """A good request; a member that is None is left out."""
        good: dict[str, str | None] = {
            "client_id": self.code,
            "response_type": "code",
            "redirect_uri": REDIRECT_URI,
            "scope": "openid",
            "state": "af0ifjsldkj",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (good | more).items() if value is not None}

    def address(self, **more: str | None) -> str:
        """The address that leads a browser to the provider."""
        return "/authorize?" + urlencode(self.asked(**more))

    def request_object(
        self, *, key: Any = None, alg: str = "ES256", typ: str = "oauth-authz-req+jwt", **bent: Any
    ) -> str:
        """A signed request object (RFC 9101); ``bent`` changes its claims, None leaves one out."""
        now = to_seconds(self.world.clock.wire_now())
        claims = {
            "iss": self.code,
            "aud": PLATFORM,
            "nbf": now,
            "exp": now + 300,
            **self.asked(),
            **bent,
        }
        payload = msgspec.json.encode({k: v for k, v in claims.items() if v is not None})
        return jose.sign_compact(payload, key or self.key, alg=Algorithm(alg), typ=typ)

    def assertion(self) -> dict[str, str]:
        """What authenticates the client (private_key_jwt)."""
        credentials = SystemCredentials(issuer=PLATFORM, code=self.code, key=self.key)
        signed = credentials.client_assertion(self.world.clock)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}

    async def push(self, form: dict[str, str] | None = None, **headers: str) -> Reply:
        """Push a request, the good one by default."""
        body = {**(self.asked() if form is None else form), **self.assertion()}
        return await self.web.post("/par", form=body, headers=headers)

    async def pushed(self, **more: str | None) -> str:
        """The URI of a pushed request."""
        reply = await self.push(self.asked(**more))
        assert reply.status == 201, reply.text
        uri: str = reply.json()["request_uri"]
        return uri

    def pushed_address(self, request_uri: str) -> str:
        """The address that leads a browser to the provider with a pushed request."""
        return "/authorize?" + urlencode({"client_id": self.code, "request_uri": request_uri})

    async def redeem(self, code: str) -> dict[str, Any]:
        """The tokens of a code."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
            **self.assertion(),
        }
        reply = await self.web.post("/token", form=form)
        assert reply.status == 200, reply.text
        tokens: dict[str, Any] = reply.json()
        return tokens

    def claims_of(self, token: str) -> dict[str, Any]:
        """What a token of the provider says; its signature is for other tests."""
        return jose.parse_object(base64url.decode(token.split(".")[1]))

    # --- answers -----------------------------------------------------------------------------------

    def browser(self) -> Browser:
        """A new browser."""
        return Browser(self.world.instance.application)

    async def begin(self, browser: Browser, address: str | None = None, **more: str | None) -> str:
        """Go to the provider: the path of the page where the person answers."""
        reply = await arrive(browser, address or self.address(**more))
        assert reply.status == 303, reply.text
        location = reply.header("location") or ""
        assert location.startswith(f"{PLATFORM}/identify/"), location
        return location.removeprefix(PLATFORM)

    async def log_in(
        self,
        phone: Phone,
        browser: Browser | None = None,
        address: str | None = None,
        **more: str | None,
    ) -> dict[str, str]:
        """The whole of it with yes: the parameters that the client gets."""
        browser = browser or self.browser()
        page = await self.begin(browser, address, **more)
        back = await answer(browser, phone, page)
        return brought(await arrive(browser, back))


async def openid_client(
    world: World, code: str = "shop", *, system: dict[str, Any] | None = None, **openid: Any
) -> OpenIDClient:
    """Register a client: of the Basic profile unless ``openid`` says otherwise."""
    key = generate(KeySpec.P256)
    members = {
        "name": "Shop",
        "domain": "shop.example",
        "doors": DOORS,
        "purposes": PURPOSES,
        "keys": [jwk.to_jwk(key.public_key())],
        "openid": {**BASIC, **openid},
        **(system or {}),
    }
    await world.agency(code, **members)
    return OpenIDClient(world, code, key)


async def arrive(browser: Client, address: str) -> Reply:
    """A browser comes to the provider from another site, by a link or a redirect."""
    headers = {"accept": "text/html", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    return await browser.get(address, headers=headers)


async def answer(browser: Browser, phone: Phone, page: str, *, agrees: bool = True) -> str:
    """Answer by the code of the page: the path by which the browser comes back to the provider."""
    path = page.partition("?")[0]
    await browser.send(path, path, way="frame")
    frame = await browser.get(f"{path}/camera", headers=OWN)
    await phone.open_frame(frame.text)
    await (phone.approve() if agrees else phone.refuse())
    return await go_back(browser, path)


async def go_back(browser: Browser, path: str) -> str:
    """Leave the page: the path by which the browser comes back to the provider."""
    reply = await browser.send(f"{path}/finish", path)
    found = _BACK.search(reply.text)
    assert found is not None, reply.text
    return found[1].replace("&amp;", "&").removeprefix(PLATFORM)


def brought(reply: Reply, redirect_uri: str = REDIRECT_URI) -> dict[str, str]:
    """The parameters that a redirect brings to the client."""
    assert reply.status == 303, reply.text
    location = reply.header("location") or ""
    assert location.startswith(redirect_uri + ("&" if "?" in redirect_uri else "?")), location
    pairs = parse_qsl(urlsplit(location).query, keep_blank_values=True)
    found = dict(pairs)
    assert len(found) == len(pairs)
    return found


def refused_page(reply: Reply) -> str:
    """The stable code of a refusal on a page; nobody was led anywhere."""
    assert reply.status in {400, 403, 404, 405, 413, 415}, (reply.status, reply.text)
    assert reply.header("location") is None
    assert (reply.header("content-type") or "").startswith("text/html")
    found = re.search(r'class="digits">(?:[a-z_]+ · )?([a-z_]+) · req_', reply.text)
    assert found is not None, reply.text
    return found[1]


async def rows_of(world: World, table: sa.Table) -> Sequence[Any]:
    """Every row of a table as it is stored."""
    query = Query(sa.select(table))

    def read() -> Step[Sequence[Any]]:
        return (yield query.all())

    return await world.platform.db.scan(read)
