"""Access tokens (RFC 9068) bound to a key (RFC 9449) or a certificate (RFC 8705): made, and verified once until they end."""

import hashlib
import hmac
from collections import OrderedDict
from datetime import datetime
from functools import partial
from typing import Any, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.crypto import jose
from inkan.crypto.client_certificates import certificate_thumbprint
from inkan.crypto.foreign_keys import signing
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, from_seconds, to_seconds
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import new_id
from inkan.relying_parties.model import OAuthInvalidTarget, TokenRefused
from inkan.relying_parties.rules import ACCESS_TOKEN_TYP, TOKEN_CACHE, TOKEN_LIFE, NumericDate


class Token(msgspec.Struct, frozen=True):
    """A verified access token: the code of its system, and the key or certificate that it is bound to."""

    code: str
    jkt: str
    x5t: str
    expires_at: datetime


class _Confirmation(msgspec.Struct, frozen=True):
    """RFC 9449 §6.1, RFC 8705 §3.1; empty where it is not bound so."""

    jkt: str = ""
    x5t: str = msgspec.field(default="", name="x5t#S256")


class _Claims(msgspec.Struct, frozen=True):
    """What is read of a token's claims (RFC 9068 §2.2)."""

    iss: str
    sub: str
    aud: str
    exp: NumericDate
    cnf: _Confirmation


class SignToken(Protocol):
    """Signs a token of a type with a key that resources can look up by its ``kid``."""

    async def __call__(self, payload: bytes, *, typ: str) -> str:
        """Return the compact JWS."""


class Tokens:
    """Signs tokens and remembers those that it verified.

    Attributes:
        sign_for_resources: signs what is not for this platform; None: no resource is offered anything.
    """

    def __init__(self, *, clock: Clock, issuer: str, key: EllipticCurvePrivateKey) -> None:
        self._clock = clock
        self._issuer = issuer
        self._key = key
        self._public_key = key.public_key()
        self.sign_for_resources: SignToken | None = None
        self._verified: OrderedDict[bytes, Token] = OrderedDict()

    async def make(
        self, code: str, *, jkt: str | None, x5t: str | None = None, resource: str | None = None
    ) -> str:
        """A token of ten minutes for a system, bound to the key and the certificate with those thumbprints.

        Its audience is this platform, or the ``resource`` alone, whose owner finds the key by ``kid``.

        Raises:
            OAuthInvalidTarget: a resource, and nobody signs for one.
        """
        now = to_seconds(self._clock.wire_now())
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": self._issuer if resource is None else resource,
            "sub": code,
            "client_id": code,
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
            "jti": new_id("tok"),
        }
        bound = {"jkt": jkt, "x5t#S256": x5t}
        confirmation = {name: value for name, value in bound.items() if value is not None}
        if confirmation:
            claims["cnf"] = confirmation
        payload = msgspec.json.encode(claims)
        if resource is not None:
            if self.sign_for_resources is None:
                raise OAuthInvalidTarget()
            return await self.sign_for_resources(payload, typ=ACCESS_TOKEN_TYP)
        sign = partial(jose.sign_compact, payload, self._key)
        return await signing(self._key, partial(sign, alg=Algorithm.ES256, typ=ACCESS_TOKEN_TYP))

    def verify(self, access_token: str) -> Token:
        """The token, if this instance made it and it has not ended.

        Raises:
            TokenRefused: it did not, or it has.
        """
        digest = hashlib.sha256(access_token.encode()).digest()
        token = self._verified.get(digest)
        if token is None:
            token = self._verified[digest] = self._parse(access_token)
            if len(self._verified) > TOKEN_CACHE:
                self._verified.popitem(last=False)
        if token.expires_at <= self._clock.wire_now():
            raise TokenRefused("expired")
        return token

    def _parse(self, access_token: str) -> Token:
        try:
            verified = jose.verify_compact(
                access_token, self._public_key, algs=(Algorithm.ES256,), typ=ACCESS_TOKEN_TYP
            )
            claims = msgspec.json.decode(verified.payload, type=_Claims)
        except (InkanError, msgspec.MsgspecError) as wrong:
            raise TokenRefused(str(wrong)) from None
        if claims.iss != self._issuer or claims.aud != self._issuer:
            raise TokenRefused("iss or aud")
        if not (claims.cnf.jkt or claims.cnf.x5t):
            raise TokenRefused("bound to nothing")
        return Token(
            code=claims.sub,
            jkt=claims.cnf.jkt,
            x5t=claims.cnf.x5t,
            expires_at=from_seconds(claims.exp),
        )


def is_same_certificate(x5t: str, certificate: bytes | None) -> bool:
    """Whether a certificate (DER) is the one with this ``x5t#S256``; none is none."""
    presented = "" if certificate is None else certificate_thumbprint(certificate)
    return bool(presented) and hmac.compare_digest(presented.encode(), x5t.encode())
