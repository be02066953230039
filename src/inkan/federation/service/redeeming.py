"""The rows ``authorization_code`` and ``refresh_token`` of the token endpoint.

Numbered plan of a code (RFC 6749 §4.1.3, RFC 9700 §4.5 and §4.8):

1. the client registered this grant, and the form names the code and the address that it went to;
2. the code is known and this client's;
3. it was not used before: a second use revokes everything that the first one gave (RFC 6749 §4.1.2);
4. somebody has answered, and its 60 seconds are not over;
5. the address is the one of the request, letter by letter;
6. the verifier belongs to the challenge; without a challenge there is no verifier (RFC 7636 §4.6);
7. the key of this request is the one that the client's registration and the request demand (RFC 9449 §10);
8. the resource is one that was asked for (RFC 8707 §2.2);
9. tokens are made, and one compare-and-set uses the code: of two that come at once one wins.

Nothing but 9 writes. What goes out has been committed.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from inkan.crypto import base64url
from inkan.federation.model.grant import Answered, Grant, GrantKind, GrantState
from inkan.federation.model.refusals import (
    ClientUnauthorized,
    GrantRefused,
    RequestRefused,
    ResourceRefused,
    ScopeRefused,
)
from inkan.federation.model.request import OFFLINE_SCOPE
from inkan.federation.rules import LOGIN_LIFE, REFRESH_LIFE, REFRESH_TRIES, VERIFIER
from inkan.federation.service import grants
from inkan.federation.service.issuing import OPENID_SCOPE, Issuer, userinfo_address
from inkan.federation.service.parts import Parts, draw, hashed
from inkan.federation.service.verifying import read_text_grant
from inkan.federation.store import tokens as store
from inkan.relying_parties import Client, OpenIDRegistration, TokenAnswer
from inkan.store.database import MOMENT, Step
from inkan.store.query import Query

Form = Mapping[str, str]
_GIVEN: Final = frozenset({GrantState.GRANTED, GrantState.USED})


class Found(msgspec.Struct, frozen=True):
    """A grant as it stands, what the person gave, and the transaction's moment.

    Attributes:
        answered: None while nobody has answered, and when nothing holds any more.
    """

    grant: Grant
    answered: Answered | None
    moment: datetime


class Redeeming:
    """Turns codes and refresh tokens into tokens."""

    def __init__(self, parts: Parts, issuer: Issuer) -> None:
        self._parts = parts
        self._issuer = issuer

    # --- codes -------------------------------------------------------------------------------------

    async def code(self, client: Client, form: Form) -> TokenAnswer:
        """Handler of ``authorization_code``; see the plan of this module.

        Raises:
            OAuthError: one of its leaves; nothing was issued.
        """
        openid = registered_for(client, "authorization_code")  # 1
        code, redirect_uri = _needed(form, "code"), _needed(form, "redirect_uri")
        found = await self._parts.db.read(_find, self._parts, store.BY_HANDLE, hashed(code))
        if found is None or not _is_of(found.grant, client, GrantKind.CODE):  # 2
            raise GrantRefused("unknown, or another client's")
        grant = found.grant
        if grant.state in {GrantState.USED, GrantState.REVOKED}:  # 3
            await self.revoke(grant.id)
            raise GrantRefused("used before")
        if grant.state is not GrantState.GRANTED or grant.handle_expires_at <= found.moment:  # 4
            raise GrantRefused("not answered, or over")
        if grant.asked.redirect_uri != redirect_uri:  # 5
            raise GrantRefused("redirect_uri")
        check_verifier(grant.asked.code_challenge, form.get("code_verifier"))  # 6
        check_key(openid, client, asked_jkt=grant.asked.dpop_jkt)  # 7
        try:
            return await self.first(client, openid, found, resource=form.get("resource"))  # 8, 9
        except GrantRefused:
            # A rival was faster: this code was used twice.
            await self.revoke(grant.id)
            raise

    async def first(
        self,
        client: Client,
        openid: OpenIDRegistration,
        found: Found,
        *,
        resource: str | None = None,
    ) -> TokenAnswer:
        """The first tokens of a grant that was answered: of a code, an ``auth_req_id`` or a ``device_code``.

        Raises:
            ResourceRefused: 8 of the plan.
            GrantRefused: a rival used the grant first.
        """
        grant = bound(found.grant, client)
        refresh_token = new_refresh_token(grant) if _is_refreshable(openid, grant) else None
        answer = await self._issuer.issue(
            grant,
            given(found),
            openid=openid,
            audience=audience_of(self._parts.issuer, grant, grant.scope, resource),
            scope=grant.scope,
            refresh_token=refresh_token,
            nonce=grant.asked.nonce,
        )
        await self._parts.db.transact(
            grants.use,
            self._parts,
            found.grant,
            jkt=grant.jkt,
            x5t=grant.x5t,
            refresh_sha256=hashed(refresh_token) if refresh_token else None,
            expires_at=found.moment + (REFRESH_LIFE if refresh_token else LOGIN_LIFE),
        )
        return answer

    # --- refresh tokens ----------------------------------------------------------------------------

    async def refresh(self, client: Client, form: Form) -> TokenAnswer:
        """Handler of ``refresh_token`` (RFC 6749 §6, OIDC Core §12).

        The token of a bound client stays (FAPI 2.0 §5.3.2.1 asks not to rotate) and is worth nothing without the
        key. A bearer's is replaced at each use, and an old one that comes back ends the grant (RFC 9700 §4.14.2).

        Raises:
            OAuthError: one of its leaves; nothing was issued.
        """
        openid = registered_for(client, "refresh_token")
        token = _needed(form, "refresh_token")
        for _ in range(REFRESH_TRIES):
            found = await self._refreshable(client, openid, token)
            try:
                return await self._refreshed(client, openid, found, form, token)
            except GrantRefused:
                # Another refresh came between; the next look tells whether this token still holds.
                continue
        raise GrantRefused("rivals came first")

    async def _refreshable(self, client: Client, openid: OpenIDRegistration, token: str) -> Found:
        """The grant that a refresh token belongs to, if it is this client's and proved by its key."""
        found = await self._parts.db.read(_find, self._parts, store.BY_ID, token.partition(".")[0])
        if found is None or not _is_of(found.grant, client) or found.grant.refresh_sha256 is None:
            raise GrantRefused("unknown, or another client's")
        grant = found.grant
        if grant.state is not GrantState.USED or grant.expires_at <= found.moment:
            raise GrantRefused("over")
        if not hmac.compare_digest(grant.refresh_sha256 or "", hashed(token)):
            await self.revoke(grant.id)
            raise GrantRefused("replaced before")
        check_key(openid, client, asked_jkt=grant.jkt or "")
        if grant.x5t is not None and grant.x5t != client.x5t:
            raise GrantRefused("another certificate")
        return found

    async def _refreshed(
        self,
        client: Client,
        openid: OpenIDRegistration,
        found: Found,
        form: Form,
        token: str,
    ) -> TokenAnswer:
        grant = found.grant
        scope = narrowed(grant.scope, form.get("scope"))
        is_bound = grant.jkt is not None or grant.x5t is not None
        next_token = token if is_bound else new_refresh_token(grant)
        answer = await self._issuer.issue(
            grant,
            given(found),
            openid=openid,
            audience=audience_of(self._parts.issuer, grant, scope, form.get("resource")),
            scope=scope,
            refresh_token=next_token,
            nonce=None,
        )
        await self._parts.db.transact(
            grants.use,
            self._parts,
            grant,
            jkt=grant.jkt,
            x5t=grant.x5t,
            refresh_sha256=hashed(next_token),
            expires_at=grant.expires_at,
        )
        return answer

    # --- revoking -----------------------------------------------------------------------------------

    async def find(self, query: Query, key: str) -> Found | None:
        """The grant that a query of the store finds by ``key``, as the handlers of grants read it."""
        return await self._parts.db.read(_find, self._parts, query, key)

    async def revoke(self, grant_id: str) -> None:
        """Let everything that was issued from a grant be dead, whoever uses it at the same time."""
        for _ in range(REFRESH_TRIES):
            try:
                await self._parts.db.transact(_revoke, self._parts, grant_id)
            except GrantRefused:
                continue
            return
        raise GrantRefused("rivals came first")


# --- checks, without I/O ----------------------------------------------------------------------------


def registered_for(client: Client, grant_type: str) -> OpenIDRegistration:
    """The client's metadata, if it registered this grant type (RFC 6749 §5.2).

    Raises:
        ClientUnauthorized: it did not.
    """
    openid = client.system.openid
    if openid is None or grant_type not in openid.grant_types:
        raise ClientUnauthorized(grant_type)
    return openid


def check_verifier(challenge: str, verifier: str | None) -> None:
    """RFC 7636 §4.6, S256 alone; a verifier that nothing asked for is a downgrade (RFC 9700 §4.8.2).

    Raises:
        GrantRefused: it does not fit.
    """
    if not challenge:
        if verifier is not None:
            raise GrantRefused("a verifier without a challenge")
        return
    if verifier is None or VERIFIER.fullmatch(verifier) is None:
        raise GrantRefused("no verifier")
    digest = base64url.encode(hashlib.sha256(verifier.encode("ascii")).digest())
    if not hmac.compare_digest(digest, challenge):
        raise GrantRefused("another verifier")


def check_key(openid: OpenIDRegistration, client: Client, *, asked_jkt: str) -> None:
    """The keys of a request are those that its client's registration and its grant demand.

    Args:
        openid: what the client registered.
        client: with the keys that the request proved.
        asked_jkt: thumbprint that the grant is bound to (RFC 9449 §10); empty when it is not.

    Raises:
        GrantRefused: another key, or none.
    """
    if asked_jkt and client.jkt != asked_jkt:
        raise GrantRefused("bound to another key")
    if openid.sender_constraint == "dpop" and client.jkt is None:
        raise GrantRefused("a DPoP proof is needed")
    if openid.sender_constraint == "mtls" and client.x5t is None:
        raise GrantRefused("a client certificate is needed")


def bound(grant: Grant, client: Client) -> Grant:
    """The grant with the keys that its tokens are bound to from now on.

    A certificate binds where it was registered for that; one that only authenticates its client does not.
    """
    openid = client.system.openid
    x5t = client.x5t if openid is not None and openid.sender_constraint == "mtls" else None
    return msgspec.structs.replace(grant, jkt=client.jkt, x5t=x5t)


def narrowed(granted: Sequence[str], asked: str | None) -> list[str]:
    """The scope of a refresh: what was granted, or a part of it (RFC 6749 §6).

    Raises:
        ScopeRefused: more than was granted, or nothing.
    """
    if asked is None:
        return list(granted)
    wanted = list(dict.fromkeys(asked.split(" ")))
    if not set(wanted) <= set(granted):
        raise ScopeRefused()
    return wanted


def audience_of(issuer: str, grant: Grant, scope: Sequence[str], resource: str | None) -> list[str]:
    """Where an access token is for: one of the resources that were asked for, or all; else the userinfo endpoint.

    A token for a resource is never one for the userinfo endpoint too, or the resource could read there (RFC 8707 §3).

    Raises:
        ResourceRefused: the resource of the token request was not asked for (RFC 8707 §2.2).
    """
    userinfo = userinfo_address(issuer)
    if resource is None:
        return grant.asked.resource or [userinfo]
    if resource in grant.asked.resource or (resource == userinfo and OPENID_SCOPE in scope):
        return [resource]
    raise ResourceRefused()


def given(found: Found) -> Answered:
    """What the person gave.

    Raises:
        GrantRefused: nothing, or nothing any more.
    """
    if found.answered is None:
        raise GrantRefused("nothing was given")
    return found.answered


def new_refresh_token(grant: Grant) -> str:
    """The grant's id and 256 random bits, so that a token that was replaced still tells what it belonged to."""
    return f"{grant.id}.{draw()}"


def _is_refreshable(openid: OpenIDRegistration, grant: Grant) -> bool:
    """OIDC Core §11: the client registered it, and the person granted it."""
    return "refresh_token" in openid.grant_types and OFFLINE_SCOPE in grant.scope


def _is_of(grant: Grant, client: Client, kind: GrantKind | None = None) -> bool:
    return grant.system == client.system.id and kind in {None, grant.kind}


def _needed(form: Form, name: str) -> str:
    value = form.get(name)
    if not value:
        raise RequestRefused(name)
    return value


# --- steps ------------------------------------------------------------------------------------------


def _find(parts: Parts, query: Query, key: str) -> Step[Found | None]:
    row: Any = yield query.one(key=key)
    if row is None:
        return None
    grant, answered = read_text_grant(row), None
    if grant.state in _GIVEN:
        answered = yield from grants.answered_of(parts, grant)
    return Found(grant, answered, (yield MOMENT))


def _revoke(parts: Parts, grant_id: str) -> Step[None]:
    row = yield store.BY_ID.one(key=grant_id)
    if row is not None:
        yield from grants.revoke(parts, read_text_grant(row))
