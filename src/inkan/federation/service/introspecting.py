"""Introspection (RFC 7662), signed introspection (RFC 9701) and revocation (RFC 7009).

Who may ask about a token: the client that it was issued to, and a system whose registered domain holds one of the
token's audiences. Everybody else hears what they would hear of no token at all.
"""

import hmac
from typing import Any

import msgspec

from inkan.federation.model.grant import Grant, GrantState
from inkan.federation.model.refusals import AccessTokenRefused, GrantRefused, RequestRefused
from inkan.federation.rules import INTROSPECTION_TYP, TOKEN_LIMIT
from inkan.federation.service.grants import PROVIDER
from inkan.federation.service.issuing import DetailsFor
from inkan.federation.service.keys import Keys
from inkan.federation.service.parts import Parts, hashed
from inkan.federation.service.redeeming import Form, Redeeming
from inkan.federation.service.verifying import AccessToken, Live, Verifying
from inkan.federation.store import tokens as store
from inkan.kernel.clock import from_seconds, to_seconds
from inkan.relying_parties import System, is_within
from inkan.store.database import Step

INACTIVE: dict[str, Any] = {"active": False}


class Introspecting:
    """Says what tokens are worth now, and ends them."""

    def __init__(
        self,
        parts: Parts,
        keys: Keys,
        verifying: Verifying,
        redeeming: Redeeming,
        *,
        details_for: DetailsFor,
    ) -> None:
        self._parts = parts
        self._keys = keys
        self._verifying = verifying
        self._redeeming = redeeming
        self._details_for = details_for

    # --- what it is worth --------------------------------------------------------------------------

    async def introspect(self, asker: System, form: Form) -> dict[str, Any]:
        """The members of RFC 7662 §2.2; ``{"active": false}`` says nothing else (§2.2).

        Raises:
            RequestRefused: no ``token``.
        """
        presented = _token_of(form)
        if "." in presented and presented.count(".") == 1:
            return await self._refresh_token(asker, presented)
        try:
            live = await self._verifying.live(presented)
        except AccessTokenRefused:
            return INACTIVE
        if not _may_know(asker, live):
            return INACTIVE
        return _told(live, self._details_for(live.grant, live.answered))

    async def introspect_signed(self, asker: System, form: Form) -> str:
        """The same as a JWT for this asker alone (RFC 9701 §5).

        Raises:
            RequestRefused: no ``token``.
        """
        claims = {
            "iss": self._parts.issuer,
            "aud": asker.code,
            "iat": to_seconds(self._parts.clock.wire_now()),
            "token_introspection": await self.introspect(asker, form),
        }
        return await self._keys.sign(msgspec.json.encode(claims), typ=INTROSPECTION_TYP)

    async def _refresh_token(self, asker: System, presented: str) -> dict[str, Any]:
        grant = await self._grant_of_refresh(asker, presented)
        if grant is None:
            return INACTIVE
        ends = to_seconds(grant.expires_at - self._parts.clock.offset)
        return {
            "active": True,
            "iss": self._parts.issuer,
            "client_id": grant.client,
            "sub": grant.sub,
            "scope": " ".join(grant.scope),
            "exp": ends,
        }

    async def _grant_of_refresh(self, asker: System, presented: str) -> Grant | None:
        """The grant whose refresh token in force this is, if it is the asker's own."""
        found = await self._redeeming.find(store.BY_ID, presented.partition(".")[0])
        if found is None or found.grant.system != asker.id:
            return None
        grant = found.grant
        if grant.state is not GrantState.USED or grant.expires_at <= found.moment:
            return None
        is_current = hmac.compare_digest(grant.refresh_sha256 or "", hashed(presented))
        return grant if is_current else None

    # --- ending it -----------------------------------------------------------------------------------

    async def revoke(self, client: System, form: Form) -> None:
        """End a token: an access token alone, a refresh token with everything of its grant (RFC 7009 §2.1).

        A token that is none, or is dead, is no error (§2.2).

        Raises:
            RequestRefused: no ``token``.
            GrantRefused: another client's access token (§2.1).
        """
        presented = _token_of(form)
        if presented.count(".") == 1:
            grant = await self._grant_of_refresh(client, presented)
            if grant is not None:
                await self._redeeming.revoke(grant.id)
            return
        try:
            token = await self._verifying.read(presented)
        except AccessTokenRefused:
            return
        if token.client_id != client.code:
            raise GrantRefused("another client's")
        await self._parts.db.transact(_revoke_token, self._parts, token)


def _token_of(form: Form) -> str:
    token = form.get("token", "")
    if not token or len(token) > TOKEN_LIMIT:
        raise RequestRefused("token")
    return token


def _may_know(asker: System, live: Live) -> bool:
    if live.grant.system == asker.id:
        return True
    return any(is_within(audience, asker.domain) for audience in live.token.audience)


def _told(live: Live, details: list[dict[str, Any]] | None) -> dict[str, Any]:
    token = live.token
    told: dict[str, Any] = {
        "active": True,
        "token_type": "DPoP" if token.cnf.jkt else "Bearer",
        "iss": token.iss,
        "aud": token.aud,
        "sub": token.sub,
        "client_id": token.client_id,
        "scope": token.scope,
        "jti": token.jti,
        "iat": token.iat,
        "exp": token.exp,
        "acr": token.acr,
        "amr": token.amr,
        "auth_time": token.auth_time,
        "cnf": msgspec.to_builtins(token.cnf),
        # RFC 9396 §9.2: with what the person's answer added to them.
        "authorization_details": details,
    }
    told["cnf"] = {name: value for name, value in told["cnf"].items() if value is not None}
    return {name: value for name, value in told.items() if value not in (None, {}, [], "")}


def _revoke_token(parts: Parts, token: AccessToken) -> Step[None]:
    event = yield from parts.audit.record(
        "federation.token_revoked", actor=PROVIDER, object=token.grant
    )
    # Kept by the instance's time, which may be ahead of the token's; no shorter than the token lives.
    yield store.REVOKE_TOKEN.run(
        jti=token.own_id,
        expires_at=from_seconds(token.exp) + parts.clock.offset,
        event_id=event,
    )
