"""Access tokens (RFC 9068) bound to a key (RFC 9449): made, and verified once until they end."""

import hashlib
from collections import OrderedDict
from datetime import datetime
from functools import partial

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.crypto import jose
from inkan.crypto.foreign_keys import signing
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, from_seconds, to_seconds
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import new_id
from inkan.relying_parties.model import TokenRefused
from inkan.relying_parties.rules import ACCESS_TOKEN_TYP, TOKEN_CACHE, TOKEN_LIFE, NumericDate


class Token(msgspec.Struct, frozen=True):
    """A verified access token: the code of its system and the key that it is bound to."""

    code: str
    jkt: str
    expires_at: datetime


class _Confirmation(msgspec.Struct, frozen=True):
    jkt: str


class _Claims(msgspec.Struct, frozen=True):
    """What is read of a token's claims (RFC 9068 §2.2)."""

    iss: str
    sub: str
    aud: str
    exp: NumericDate
    cnf: _Confirmation


class Tokens:
    """Signs tokens and remembers those that it verified."""

    def __init__(self, *, clock: Clock, issuer: str, key: EllipticCurvePrivateKey) -> None:
        self._clock = clock
        self._issuer = issuer
        self._key = key
        self._public_key = key.public_key()
        self._verified: OrderedDict[bytes, Token] = OrderedDict()

    async def make(self, code: str, *, jkt: str) -> str:
        """A token of ten minutes for a system, bound to the key with that thumbprint (RFC 9449 §6.1)."""
        now = to_seconds(self._clock.wire_now())
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": code,
            "client_id": code,
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
            "jti": new_id("tok"),
            "cnf": {"jkt": jkt},
        }
        payload = msgspec.json.encode(claims)
        sign = partial(jose.sign_compact, payload, self._key)
        work = partial(sign, alg=Algorithm.ES256, typ=ACCESS_TOKEN_TYP)
        return await signing(self._key, work)

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
        return Token(code=claims.sub, jkt=claims.cnf.jkt, expires_at=from_seconds(claims.exp))
