"""Access tokens that come back: whose they are, what they open, and whether they still do.

Numbered plan:

1. a JWS of type ``at+jwt`` by a key of this ring that is published now (RFC 9068 §4): verified once, then known by
   its SHA-256; a token that was made here is known from the start;
2. within its term;
3. its grant is in use and not revoked, and neither is this very token: one row, read each time;
4. its client is active: read each time.

Every failure is one answer.
"""

import hashlib
from collections import OrderedDict
from functools import lru_cache
from typing import Any, Final

import msgspec

from inkan.crypto.jose import JWSMalformed, JWSSignatureWrong, JWSTooLarge
from inkan.federation.model.grant import Answered, Grant, GrantKind, GrantState
from inkan.federation.model.refusals import AccessTokenRefused
from inkan.federation.model.request import Asked
from inkan.federation.rules import ACCESS_TYP, TOKEN_CACHE
from inkan.federation.service import grants
from inkan.federation.service.keys import Keys
from inkan.federation.service.parts import Parts
from inkan.federation.store import tokens as store
from inkan.kernel.clock import to_seconds
from inkan.kernel.ids import SessionID, SystemID
from inkan.relying_parties import System
from inkan.store.database import Step

_UNREADABLE: Final = (JWSMalformed, JWSSignatureWrong, JWSTooLarge, msgspec.MsgspecError)


class Confirmation(msgspec.Struct, frozen=True):
    """The key that a token is bound to (RFC 9449 §6.1, RFC 8705 §3.1)."""

    jkt: str | None = None
    x5t: str | None = msgspec.field(default=None, name="x5t#S256")


class AccessToken(msgspec.Struct, frozen=True):
    """The claims of an access token of this provider (RFC 9068 §2.2); times in seconds since 1970."""

    iss: str
    aud: str | list[str]
    sub: str
    client_id: str
    scope: str
    jti: str
    iat: int
    exp: int
    acr: str = ""
    amr: list[str] = []
    auth_time: int | None = None
    cnf: Confirmation = Confirmation()
    authorization_details: list[dict[str, Any]] = []

    @property
    def audience(self) -> list[str]:
        """Where it is for."""
        return [self.aud] if isinstance(self.aud, str) else self.aud

    @property
    def grant(self) -> str:
        """The id of the grant that it was issued from."""
        return self.jti.partition(".")[0]

    @property
    def own_id(self) -> str:
        """The part of its ``jti`` that it does not share with other tokens of the grant."""
        return self.jti.partition(".")[2]


class Live(msgspec.Struct, frozen=True):
    """A token that opens something now, and what the person gave."""

    token: AccessToken
    grant: Grant
    answered: Answered
    client: System


class Verified:
    """Remembers the tokens that this process made or verified, by their SHA-256; it holds no token."""

    def __init__(self, *, capacity: int = TOKEN_CACHE) -> None:
        self._capacity = capacity
        self._known: OrderedDict[bytes, AccessToken] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def remember(self, token: str, claims: AccessToken) -> None:
        """Keep what a token says; the oldest one makes room."""
        self._known[_digest(token)] = claims
        if len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def find(self, token: str) -> AccessToken | None:
        """What a known token says."""
        return self._known.get(_digest(token))

    def clear(self) -> None:
        """Forget all of them: the ring has changed."""
        self._known.clear()


class Verifying:
    """Reads access tokens."""

    def __init__(self, parts: Parts, keys: Keys, verified: Verified) -> None:
        self._parts = parts
        self._keys = keys
        self._verified = verified
        keys.on_change.append(verified.clear)

    async def read(self, access_token: str) -> AccessToken:
        """What a token of this provider says, in its term (1 and 2 of the plan).

        Raises:
            AccessTokenRefused: anything else.
        """
        # Ages the ring too: a token that is known here is forgotten when its key ended elsewhere.
        await self._keys.jwks()
        token = self._verified.find(access_token)
        if token is None:
            token = await self._parse(access_token)
            self._verified.remember(access_token, token)
        if token.exp <= to_seconds(self._parts.clock.wire_now()):
            raise AccessTokenRefused("expired")
        return token

    async def live(self, access_token: str) -> Live:
        """A token and what stands behind it now (the whole plan).

        Raises:
            AccessTokenRefused: it opens nothing.
        """
        return await self.standing(await self.read(access_token))

    async def standing(self, token: AccessToken) -> Live:
        """What stands behind a token that :meth:`read` gave (3 and 4 of the plan).

        Raises:
            AccessTokenRefused: it opens nothing any more.
        """
        live = await self._parts.db.read(_standing, self._parts, token)
        if live is None:
            raise AccessTokenRefused("its grant ended, it was revoked, or its client is not active")
        return live

    async def _parse(self, access_token: str) -> AccessToken:
        try:
            verified = await self._keys.verify(access_token, typ=ACCESS_TYP)
            token = msgspec.json.decode(verified.payload, type=AccessToken)
        except _UNREADABLE as wrong:
            raise AccessTokenRefused(str(wrong)) from None
        if token.iss != self._parts.issuer:
            raise AccessTokenRefused("iss")
        return token


def read_text_grant(row: Any) -> Grant:
    """The grant of a row whose JSON is text; short lists repeat from grant to grant and are parsed once."""
    values = row._asdict()
    values["kind"] = GrantKind(row.kind)
    values["state"] = GrantState(row.state)
    values["system"] = SystemID(row.system)
    values["session"] = SessionID(row.session) if row.session else None
    values["asked"] = _ASKED.decode(row.asked)
    values["amr"] = list(_texts(row.amr))
    values["scope"] = list(_texts(row.scope))
    return Grant(**values)


_ASKED: Final = msgspec.json.Decoder(Asked)


@lru_cache(maxsize=256)
def _texts(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def _standing(parts: Parts, token: AccessToken) -> Step[Live | None]:
    row = yield store.OF_TOKEN.one(key=token.grant, jti=token.own_id)
    if row is None or row.state != GrantState.USED:  # 3
        return None
    client = yield from parts.relying_parties.client(row.client)
    if client is None or client.openid is None:  # 4
        return None
    grant = read_text_grant(row)
    return Live(token, grant, (yield from grants.answered_of(parts, grant)), client)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
