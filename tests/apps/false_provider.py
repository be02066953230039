"""An OpenID provider that a test spoils at one place: what a client must not believe."""

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from inkan.client.exchange import Answer, PlatformUnreachable, Request

ISSUER = "http://id.localhost:8480"
CLIENT = "reading-room"
ACCESS_TOKEN = "an access token"
_KEY = RSAKey.import_key(rsa.generate_private_key(65537, 2048), {"kid": "first"})
OTHER_KEY = RSAKey.import_key(rsa.generate_private_key(65537, 2048), {"kid": "first"})


@dataclass
class FalseProvider:
    """Answers what a transport brings; everything about its answers can be replaced.

    Attributes:
        claims: over those of the ID token; None takes one away.
        header: over those of its header.
        sees: the requests that came, by path.
    """

    now: int
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: _KEY)
    token_status: int = 200
    token_type: str = "Bearer"
    subject: str = "person-1"
    is_down: bool = False
    sees: dict[str, list[Request]] = field(default_factory=dict)

    async def send(self, request: Request) -> Answer:
        if self.is_down:
            raise PlatformUnreachable()
        path = urlsplit(request.url).path
        self.sees.setdefault(path, []).append(request)
        status, members = {
            "/.well-known/openid-configuration": self._metadata,
            "/jwks": self._jwks,
            "/token": self._tokens,
            "/userinfo": self._person,
        }[path]()
        return Answer(status=status, headers={}, body=json.dumps(members).encode())

    async def aclose(self) -> None:
        """Nothing is open."""

    def _metadata(self) -> tuple[int, Any]:
        found = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "userinfo_endpoint": f"{ISSUER}/userinfo",
            "jwks_uri": f"{ISSUER}/jwks",
            "end_session_endpoint": f"{ISSUER}/end",
        }
        return 200, found | self.metadata

    def _jwks(self) -> tuple[int, Any]:
        return 200, {"keys": [_KEY.as_dict(private=False) | {"use": "sig", "alg": "RS256"}]}

    def _tokens(self) -> tuple[int, Any]:
        if self.token_status != 200:
            return self.token_status, {"error": "invalid_grant"}
        return 200, {
            "access_token": ACCESS_TOKEN,
            "token_type": self.token_type,
            "id_token": self.id_token(),
        }

    def _person(self) -> tuple[int, Any]:
        return 200, {"sub": self.subject}

    def id_token(self) -> str:
        half = urlsafe_b64encode(sha256(ACCESS_TOKEN.encode()).digest()[:16]).rstrip(b"=")
        claims = {
            "iss": ISSUER,
            "sub": "person-1",
            "aud": CLIENT,
            "exp": self.now + 300,
            "iat": self.now,
            "auth_time": self.now,
            "nonce": self.nonce,
            "at_hash": half.decode(),
            "acr": "level",
            "amr": ["hwk", "user"],
            "sid": "session-1",
        }
        return self.sign({"alg": "RS256", "kid": "first", "typ": "JWT"}, claims)

    def logout_token(self) -> str:
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "iat": self.now,
            "exp": self.now + 120,
            "jti": "logout-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            "sub": "person-1",
            "sid": "session-1",
        }
        return self.sign({"alg": "RS256", "kid": "first", "typ": "logout+jwt"}, claims)

    def sign(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        header = {name: each for name, each in (header | self.header).items() if each is not None}
        kept = {name: each for name, each in (claims | self.claims).items() if each is not None}
        if header["alg"] in {"none", "HS256"}:
            return _confused(header, kept)
        return jwt.encode(header, kept, self.key, algorithms=[header["alg"]])

    def asked(self, address: str) -> dict[str, str]:
        """Hear an authentication request as the authorization endpoint would."""
        asked = {name: each[0] for name, each in parse_qs(urlsplit(address).query).items()}
        self.nonce = asked["nonce"]
        return asked


def _confused(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Not signed, or the public key taken for a secret (RFC 8725 §2.1); no library makes such a thing."""
    text = f"{_part(header)}.{_part(claims)}".encode()
    mac = hmac.digest(_KEY.as_pem(private=False), text, "sha256")
    signature = urlsafe_b64encode(mac).rstrip(b"=").decode()
    return f"{text.decode()}.{'' if header['alg'] == 'none' else signature}"


def _part(members: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()
