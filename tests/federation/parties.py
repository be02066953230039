"""Clients of the OAuth endpoints of every registered kind, each claim and header in the test's hand."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.relying_parties.service import secret_hash
from relying_parties.hands import ASSERTION_TYPE, System
from support.world import World

REDIRECT = "https://tax.example/callback"
RESOURCE = "https://api.tax.example/ledger"


@dataclass
class Party(System):
    """A registered client.

    Attributes:
        openid: its metadata as it was registered.
        secret: its secret; empty when its method has none.
    """

    openid: dict[str, Any] = field(default_factory=dict)
    secret: str = ""

    @classmethod
    async def joined(
        cls,
        world: World,
        code: str = "shop",
        *,
        spec: KeySpec = KeySpec.P256,
        registration: dict[str, Any] | None = None,
        **metadata: Any,
    ) -> "Party":
        """Register a client with this metadata; what is not said fits the method."""
        party = cls(world, code, generate(spec), secret=secrets.token_urlsafe(32))
        party.openid = {
            "purpose": "login",
            "redirect_uris": [REDIRECT],
            "grant_types": ["authorization_code", "client_credentials"],
            "resources": [RESOURCE],
            **metadata,
        }
        if party.openid.get("token_endpoint_auth_method", "").startswith("client_secret"):
            party.openid["client_secret_sha256"] = secret_hash(party.secret)
        await world.agency(
            code,
            keys=[jwk.to_jwk(party.key.public_key())],
            openid=party.openid,
            **{"doors": ["redirect", "push"], **(registration or {})},
        )
        return party

    def assertion(self, *, key: Any = None, typ: str = "JWT", **bent: Any) -> str:
        signer = key or self.key
        alg = Algorithm.PS256 if hasattr(signer, "decrypt") else Algorithm.ES256
        alg = bent.pop("alg", alg)
        payload = msgspec.json.encode(self.claims(**bent))
        return jose.sign_compact(payload, signer, alg=alg, typ=typ)

    def basic(self, secret: str | None = None, *, code: str | None = None) -> str:
        pair = f"{quote_plus(code or self.code)}:{quote_plus(secret or self.secret)}"
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def bare(self, **more: Any) -> dict[str, Any]:
        """The form of a token for the resource, without any authentication."""
        return {"grant_type": "client_credentials", "resource": RESOURCE, **more}

    def asserted(self, **more: Any) -> dict[str, Any]:
        """The same with a client assertion."""
        assertion = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion()}
        return self.bare(**{**assertion, **more})

    async def send(
        self, form: Any, *, proof: str | None = None, path: str = "/token", **headers: str
    ) -> httpx.Response:
        """``POST`` a form (a dict, or pairs)."""
        sent = {"content-type": "application/x-www-form-urlencoded"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if proof is not None:
            sent["dpop"] = proof
        async with self.web as web:
            return await web.post(path, content=urlencode(form), headers=sent)


def refused(answer: httpx.Response) -> tuple[int, str]:
    """Status and error, after checking the form of RFC 6749 §5.2."""
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)
    return answer.status_code, body["error"]


def claims_of(answer: httpx.Response) -> dict[str, Any]:
    """What the access token of an answer says."""
    assert answer.status_code == 200, answer.text
    parsed = jose.parse_compact(answer.json()["access_token"], typ="at+jwt", optional=("kid",))
    claims: dict[str, Any] = msgspec.json.decode(parsed.payload)
    return claims


def self_signed(key: Any, *, now: Any, days: float = 1, name: str = "client") -> bytes:
    """A certificate of a key by itself, DER: what a stock tool makes, with no extension at all."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.DER)


def certificate_header(der: bytes) -> str:
    """``Client-Cert`` (RFC 9440 §2.2)."""
    return f":{base64.b64encode(der).decode()}:"


def x5t(der: bytes) -> str:
    """``x5t#S256`` (RFC 8705 §3.1)."""
    return base64url.encode(hashlib.sha256(der).digest())
