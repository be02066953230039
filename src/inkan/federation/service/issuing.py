"""What a grant becomes: access token (RFC 9068), ID token (OIDC Core §2), and the answer that carries them."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import msgspec

from inkan.crypto import base64url
from inkan.crypto.jose import Algorithm
from inkan.federation.model.grant import Answered, Grant
from inkan.federation.rules import (
    ACCESS_TYP,
    ID_TOKEN_LIFE,
    ID_TOKEN_TYP,
    TOKEN_LIFE,
)
from inkan.federation.service.claims import Place
from inkan.federation.service.keys import Keys
from inkan.federation.service.parts import Parts
from inkan.federation.service.verifying import AccessToken, Verified
from inkan.kernel.clock import to_seconds
from inkan.kernel.ids import random_bytes
from inkan.relying_parties import OpenIDRegistration, TokenAnswer

OPENID_SCOPE = "openid"
JTI_BYTES = 16

ClaimsFor: TypeAlias = Callable[[Grant, Answered, Place], dict[str, Any]]
"""What of an answer goes to a place; never more than the scope and the ``claims`` parameter asked for."""


DetailsFor: TypeAlias = Callable[[Grant, Answered], list[dict[str, Any]] | None]
"""What ``authorization_details`` became (RFC 9396 §7); None where none were asked."""


class Issuer:
    """Makes the tokens of grants."""

    def __init__(
        self,
        parts: Parts,
        keys: Keys,
        verified: Verified,
        *,
        claims_for: ClaimsFor,
        details_for: DetailsFor,
    ) -> None:
        self._parts = parts
        self._keys = keys
        self._verified = verified
        self._claims_for = claims_for
        self._details_for = details_for

    async def issue(
        self,
        grant: Grant,
        answered: Answered,
        *,
        openid: OpenIDRegistration,
        audience: Sequence[str],
        scope: Sequence[str],
        refresh_token: str | None,
        nonce: str | None,
    ) -> TokenAnswer:
        """The answer of the token endpoint for a grant whose key (``jkt``, ``x5t``) is set.

        Args:
            grant: USED, or about to be.
            answered: what the person gave.
            openid: how the client registered.
            audience: of the access token.
            scope: of the access token; with ``openid`` an ID token goes along.
            refresh_token: to be handed out with it.
            nonce: of the authorization request; None where a refresh gives the ID token (OIDC Core §12.2).
        """
        now = to_seconds(self._parts.clock.wire_now())
        access_token = await self._access_token(grant, now, audience=audience, scope=scope)
        id_token = None
        if OPENID_SCOPE in scope:
            claims = self._id_claims(grant, answered, now, nonce=nonce)
            claims["at_hash"] = at_hash(access_token)
            id_token = await self._keys.sign(
                msgspec.json.encode(claims), typ=ID_TOKEN_TYP, alg=id_token_alg(openid)
            )
        return TokenAnswer(
            access_token=access_token,
            token_type="DPoP" if grant.jkt else "Bearer",
            expires_in=int(TOKEN_LIFE.total_seconds()),
            refresh_token=refresh_token,
            id_token=id_token,
            scope=" ".join(scope) or None,
            authorization_details=self._details_for(grant, answered),
        )

    async def _access_token(
        self, grant: Grant, now: int, *, audience: Sequence[str], scope: Sequence[str]
    ) -> str:
        claims: dict[str, Any] = {
            "iss": self._parts.issuer,
            "aud": audience[0] if len(audience) == 1 else list(audience),
            "sub": grant.sub,
            "client_id": grant.client,
            "scope": " ".join(scope),
            "jti": f"{grant.id}.{base64url.encode(random_bytes(JTI_BYTES))}",
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
            **_login(grant, now),
        }
        confirmation = {"jkt": grant.jkt, "x5t#S256": grant.x5t}
        if any(confirmation.values()):
            claims["cnf"] = {name: value for name, value in confirmation.items() if value}
        if grant.asked.authorization_details:
            claims["authorization_details"] = grant.asked.authorization_details
        token = await self._keys.sign(msgspec.json.encode(claims), typ=ACCESS_TYP)
        self._verified.remember(token, msgspec.convert(claims, AccessToken))
        return token

    def _id_claims(
        self, grant: Grant, answered: Answered, now: int, *, nonce: str | None
    ) -> dict[str, Any]:
        claims: dict[str, Any] = {
            # First, so that no attribute of that name could stand for what the protocol says.
            **self._claims_for(grant, answered, "id_token"),
            "iss": self._parts.issuer,
            "sub": grant.sub,
            "aud": grant.client,
            "iat": now,
            "exp": now + int(ID_TOKEN_LIFE.total_seconds()),
            **_login(grant, now),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if grant.sid is not None:
            claims["sid"] = grant.sid
        return claims


def id_token_alg(openid: OpenIDRegistration) -> Algorithm:
    """By which algorithm a client's ID tokens are signed; RS256 is no algorithm of FAPI 2.0 (§5.4.1)."""
    return Algorithm.ES256 if openid.is_fapi else Algorithm(openid.id_token_signed_response_alg)


def at_hash(access_token: str) -> str:
    """OIDC Core §3.1.3.6 for both algorithms: the left half of the SHA-256 of the token."""
    return base64url.encode(hashlib.sha256(access_token.encode()).digest()[:16])


def _login(grant: Grant, now: int) -> dict[str, Any]:
    """What happened when the person answered; the instance's clock may be ahead of the reader's."""
    told: dict[str, Any] = {"acr": grant.acr, "amr": grant.amr}
    if grant.auth_time is not None:
        told["auth_time"] = min(to_seconds(grant.auth_time), now)
    return told


def userinfo_address(issuer: str) -> str:
    """The audience of tokens for the userinfo endpoint, which is its address."""
    return f"{issuer}/userinfo"
