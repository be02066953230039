"""Clients of the token endpoint whose grants a test answers by hand, and who send exactly what it tells them to."""

import hashlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from federation.asking import answered as given
from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.federation.model.grant import Grant, GrantKind
from inkan.federation.model.request import Asked
from inkan.federation.rules import CODE_LIFE
from inkan.federation.service import grants
from inkan.federation.service.parts import draw, hashed
from inkan.kernel.ids import new_id
from inkan.store.database import MOMENT
from relying_parties.hands import System
from support.world import PLATFORM

REDIRECT = "https://tax.example/callback"
RESOURCE = "https://api.tax.example/records"
USERINFO = f"{PLATFORM}/userinfo"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64url.encode(hashlib.sha256(VERIFIER.encode()).digest())
ACR = "urn:example:acr:shown"
SUB = "psn_pairwise0000000000000000"
NONCE = "n-0S6_WzA2Mj"
TOLD = {"name": "陳怡君", "birthdate": "1988-03-14"}
"""What the scope ``profile`` tells of what the person gave."""

BASIC = {
    "purpose": "login",
    "redirect_uris": [REDIRECT],
    "grant_types": ["authorization_code", "refresh_token"],
}
FAPI = {
    **BASIC,
    "profile": "fapi2",
    "sender_constraint": "dpop",
    "id_token_signed_response_alg": "ES256",
    "grant_types": ["authorization_code", "refresh_token", "client_credentials"],
}


class TokenClient(System):
    """A registered client."""

    system_id: Any = None

    @classmethod
    async def made(cls, world: Any, code: str = "tax-office", **openid: Any) -> "TokenClient":
        metadata = {**(FAPI if openid.pop("fapi", False) else BASIC), **openid}
        domain = metadata.pop("domain", "tax.example")
        client = cls(world, code)
        await world.agency(
            code,
            keys=[jwk.to_jwk(client.key.public_key())],
            openid=metadata,
            domain=domain,
            doors=["redirect"],
        )
        client.system_id = (await world.platform.relying_parties.registered(code))[0].id
        return client

    def proof(self, **bent: Any) -> str:
        """A proof; at the token endpoint with the nonce that the server hands out."""
        if "method" not in bent:
            bent = {"nonce": self.world.platform.relying_parties.nonces.present, **bent}
        return super().proof(**bent)

    # --- grants ------------------------------------------------------------------------------------

    async def grant(self, *, answered: Any = "yes", **asked: Any) -> tuple[str, str]:
        """A grant that the person has answered; returns its id and its code."""
        provider, code = self.world.platform.openid.parts, draw()
        members = {
            "scope": ["openid"],
            "redirect_uri": REDIRECT,
            "nonce": NONCE,
            "code_challenge": CHALLENGE,
        }
        request = Asked(**{**members, **asked})
        grant_id = new_id("gr")

        def write() -> Any:
            moment = yield MOMENT
            begun = yield from grants.begin(
                provider, self._pending(grant_id, code, request, moment)
            )
            if answered == "yes":
                yield from grants.answer(
                    provider,
                    begun,
                    answered=given(),
                    sub=SUB,
                    acr=ACR,
                    amr=["hwk", "user"],
                    auth_time=moment,
                    login=None,
                    sid="sid-of-this-client",
                    scope=request.scope,
                )
            elif answered == "no":
                yield from grants.deny(provider, begun)

        await self.world.platform.db.transact(write)
        return grant_id, code

    def _pending(self, grant_id: str, code: str, asked: Asked, moment: Any) -> Grant:
        return Grant(
            id=grant_id,
            kind=GrantKind.CODE,
            system=self.system_id,
            client=self.code,
            asked=asked,
            handle_sha256=hashed(code),
            handle_expires_at=moment + CODE_LIFE,
            interval_s=5,
            created_at=moment,
            expires_at=moment + timedelta(minutes=5),
        )

    async def state(self, grant_id: str) -> str:
        from inkan.federation.store import grants as store

        def read() -> Any:
            return (yield from grants.find(store.BY_ID, grant_id))

        found = await self.world.platform.db.read(read)
        return str(found.state) if found else "gone"

    # --- the token endpoint -------------------------------------------------------------------------

    async def redeem(self, code: str, *, proof: str | None = None, **bent: Any) -> httpx.Response:
        """``authorization_code``; a member that is None is left out."""
        members = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        }
        return await self.ask(self.form(**{**members, **bent}), proof=proof)

    async def refresh(self, token: str, *, proof: str | None = None, **bent: Any) -> httpx.Response:
        members = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.ask(self.form(**{**members, **bent}), proof=proof)

    async def tokens(self, *, proof: str | None = None, **asked: Any) -> dict[str, Any]:
        """The answer to a fresh code."""
        _, code = await self.grant(**asked)
        answer = await self.redeem(code, proof=proof)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    # --- what tokens open -----------------------------------------------------------------------------

    async def userinfo(
        self, token: str | None, *, scheme: str = "Bearer", method: str = "GET", **headers: str
    ) -> httpx.Response:
        if token is not None:
            headers["authorization"] = f"{scheme} {token}"
        async with self.web as web:
            return await web.request(method, "/userinfo", headers=headers)

    def proof_for(self, token: str, **bent: Any) -> str:
        """A proof for ``GET /userinfo`` with this token."""
        members = {"method": "GET", "url": USERINFO, "access_token": token}
        return self.proof(**{**members, **bent})

    async def post(self, path: str, *, accept: str = "*/*", **members: Any) -> httpx.Response:
        """An authenticated form."""
        form = self.form(grant_type=None, **members)
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": accept}
        async with self.web as web:
            return await web.post(path, content=urlencode(form), headers=headers)

    async def introspect(self, token: str, **more: Any) -> dict[str, Any]:
        answer = await self.post("/introspect", token=token, **more)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        told: dict[str, Any] = answer.json()
        return told

    async def is_alive(self, token: str) -> bool:
        answer = await self.userinfo(token)
        assert answer.status_code in {200, 401}, answer.text
        return answer.status_code == 200

    async def jwks(self) -> dict[str, Any]:
        async with self.web as web:
            keys = (await web.get("/openid/jwks")).json()["keys"]
        return {key["kid"]: key for key in keys}

    async def read(self, token: str, *, typ: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a token, verified by the published keys alone."""
        header = jose.parse_compact(token, typ=typ, required=("kid",)).header
        key = (await self.jwks())[header["kid"]]
        assert key["alg"] == header["alg"]
        verified = jose.verify_compact(
            token, jwk.load_jwk(key), algs=(Algorithm(key["alg"]),), typ=typ, required=("kid",)
        )
        return header, msgspec.json.decode(verified.payload)


def oauth(answer: httpx.Response) -> tuple[int, str]:
    """Status and error of a refusal in the form of RFC 6749 §5.2."""
    assert answer.headers["content-type"].startswith("application/json"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    return answer.status_code, body["error"]


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and error of a resource's refusal, after checking that challenge and body say the same."""
    status, error = oauth(answer)
    assert f'error="{error}"' in answer.headers["www-authenticate"]
    return status, error


def jkt_of(client: TokenClient) -> str:
    return jwk.thumbprint(client.dpop_key.public_key())
