"""Client assertions: private_key_jwt (RFC 7523), each assertion once.

Numbered plan:

1. the assertion's type and form (RFC 7523 §2.2);
2. a system of that code with a key in force that verifies it (ES256; PS256 for a key that is RSA);
3. iss = sub = the code, aud = the issuer as one string (RFC 7523 §3; design §5.5);
4. a life of at most 60 s, begun and not ended;
5. used once: its jti is written down with the COMMIT.

Every failure of 2 to 5 is one answer, so that the endpoint is no oracle of codes.
"""

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec

from inkan.crypto import base64url, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, from_seconds
from inkan.kernel.errors import InkanError
from inkan.relying_parties import store
from inkan.relying_parties.model import Code, OAuthInvalidClient, OAuthInvalidRequest
from inkan.relying_parties.model.client import Form
from inkan.relying_parties.rules import (
    ASSERTION_LIFE,
    ASSERTION_TYPE,
    ASSERTION_TYPS,
    CLOCK_LEEWAY,
    JTI,
    NumericDate,
)
from inkan.store.database import Database, Step

CLIENT_ALGORITHMS: Final = (Algorithm.ES256, Algorithm.PS256)
"""FAPI 2.0 Security Profile §5.4.1, without EdDSA. RSA keys are registered with client metadata alone, so that every
other system signs with ES256 and nothing else."""


class _Claims(msgspec.Struct, frozen=True):
    """What is read of a client assertion's claims (RFC 7523 §3)."""

    iss: str
    sub: Code
    aud: str
    iat: NumericDate
    exp: NumericDate
    jti: JTI
    nbf: NumericDate = 0


class Assertions:
    """Verifies client assertions."""

    def __init__(self, *, db: Database, clock: Clock, issuer: str) -> None:
        self._db = db
        self._clock = clock
        self._issuer = issuer

    async def verify(self, form: Form) -> str:
        """The code of the system that signed the assertion; see the plan of this module.

        Raises:
            OAuthInvalidRequest: 1, another type.
            OAuthInvalidClient: everything else.
        """
        if form.get("client_assertion_type") != ASSERTION_TYPE:  # 1
            raise OAuthInvalidRequest("client_assertion_type")
        token, claims = _parse(form.get("client_assertion", ""))
        keys = await self._db.read(_keys_of, claims.sub)  # 2
        if not any(_is_signed_by(token, key) for key in keys):
            raise OAuthInvalidClient("no registered key signed it")
        if claims.iss != claims.sub or claims.aud != self._issuer:  # 3
            raise OAuthInvalidClient("iss, sub or aud")
        self._verify_term(claims)  # 4
        await self._db.transact(_use, claims, self._clock.wire_now())  # 5
        return claims.sub

    def _verify_term(self, claims: _Claims) -> None:
        now = self._clock.wire_now()
        begins, ends = from_seconds(max(claims.iat, claims.nbf)), from_seconds(claims.exp)
        if ends - from_seconds(claims.iat) > ASSERTION_LIFE:
            raise OAuthInvalidClient("an assertion lives at most 60 s")
        if not begins - CLOCK_LEEWAY <= now < ends + CLOCK_LEEWAY:
            raise OAuthInvalidClient("outside its term")


def _parse(assertion: str) -> tuple[jose.UnverifiedJWS, _Claims]:
    try:
        token = jose.parse_compact(assertion, typ=ASSERTION_TYPS, optional=("kid",))
        return token, msgspec.convert(jose.parse_object(token.payload), _Claims)
    except (InkanError, msgspec.ValidationError) as wrong:
        raise OAuthInvalidClient(str(wrong)) from None


def _is_signed_by(token: jose.UnverifiedJWS, public: dict[str, Any]) -> bool:
    try:
        jose.verify_signature(token, jwk.load_jwk(public), algs=CLIENT_ALGORITHMS)
    except InkanError:
        return False
    return True


def _keys_of(code: str) -> Step[list[dict[str, Any]]]:
    rows = yield store.KEYS_OF.all(code=code)
    return [row.jwk for row in rows]


def _use(claims: _Claims, now: datetime) -> Step[None]:
    named = hashlib.sha256(f"{claims.sub}\x00{claims.jti}".encode()).digest()
    ends = from_seconds(claims.exp) + CLOCK_LEEWAY
    yield store.FORGET_ASSERTIONS.run(before=now - CLOCK_LEEWAY)
    fresh = yield store.USE_ASSERTION.run(jti_sha256=base64url.encode(named), expires_at=ends)
    if not fresh:
        raise OAuthInvalidClient("used before")
